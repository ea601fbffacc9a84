/** `js/pusher.mjs`: for `import`, in a browser or by a bundler. */
import { rememberScript } from "./endpoint";

export * from "./pusher";
export { default } from "./pusher";

rememberScript(import.meta.url);
