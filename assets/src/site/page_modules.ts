/** The modules that the script tag of `/js/pusher.js` provides to the scripts of the pages. */
import type PusherLite from "../client/pusher";

interface PageModules {
  pusher_lite: { default: typeof PusherLite };
  phoenix: {
    Serializer: { decode(raw: string | ArrayBuffer, done: (message: any) => void): void };
  };
}

declare global {
  interface Window {
    require<Name extends keyof PageModules>(name: Name): PageModules[Name];
  }
}
