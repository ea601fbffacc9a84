/** `js/pusher.js`: for a script tag. The page asks for the modules by `require`. */
import * as phoenix from "phoenix";

import { rememberScript } from "./endpoint";
import { provideModules } from "./page_require";
import * as pusherLite from "./pusher";

rememberScript((document.currentScript as HTMLScriptElement | null)?.src);
provideModules(window as { require?: unknown }, { pusher_lite: pusherLite, phoenix });
