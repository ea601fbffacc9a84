/** Fills in `exports` or replaces `module.exports`, as a CommonJS module does. */
type Definition = (exports: object, require: (name: string) => unknown, module: { exports: unknown }) => void;

type Definitions = Record<string, Definition>;

/** The `require` of a page: the part of Brunch's that bundles built with it call. */
export interface PageRequire {
  (name: string): unknown;
  register(name: string | Definitions, definition?: Definition): void;
  define: PageRequire["register"];
  alias(from: string, to: string): void;
  list(): string[];
}

/**
 * Makes `require("pusher_lite")` and `require("phoenix")` work in a page.
 *
 * ExPusherLite's bundle was built by Brunch, whose prelude defines a global `require` unless there is one, and adds the
 * bundle's modules to it. A page's own Brunch bundle does the same, in whichever order the two are loaded. Any other
 * `require` that a page has (RequireJS, Browserify, Electron) stays what it is, and is asked for all other names.
 */
export function provideModules(scope: { require?: unknown }, modules: Record<string, unknown>): void {
  const existing = scope.require;
  if (typeof existing !== "function") {
    scope.require = createRequire(modules);
  } else if (typeof (existing as Partial<PageRequire>).register === "function") {
    registerIn(existing as PageRequire, modules);
  } else {
    scope.require = chainTo(existing, modules);
  }
}

function definitionOf(value: unknown): Definition {
  return (_exports, _require, module) => {
    module.exports = value;
  };
}

/** A page that bundles its own `phoenix` keeps it; `pusher_lite` is ours. */
function registerIn(existing: PageRequire, modules: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(modules)) {
    if (name === "pusher_lite" || !has(existing, name)) existing.register(name, definitionOf(value));
  }
}

function has(require: Function, name: string): boolean {
  try {
    return require(name) !== undefined;
  } catch {
    return false;
  }
}

/** A proxy, so that `require.config` and whatever else hangs on the page's `require` stays in place. */
function chainTo(existing: Function, modules: Record<string, unknown>): unknown {
  return new Proxy(existing, {
    apply(target, receiver, args: unknown[]) {
      const [name] = args;
      const ours = typeof name === "string" && Object.hasOwn(modules, name);
      if (ours && (name === "pusher_lite" || !has(target, name))) return modules[name];
      return Reflect.apply(target, receiver, args);
    },
  });
}

function createRequire(modules: Record<string, unknown>): PageRequire {
  const definitions = new Map<string, Definition>();
  const loaded = new Map<string, { exports: unknown }>();
  const aliases = new Map<string, string>();

  const require = (name: string, from = ""): unknown => {
    const path = find(expand(from, String(name)), definitions, aliases);
    if (path === undefined) {
      const known = Object.keys(modules).join('" and "');
      throw new Error(`Cannot find module "${name}": pusher.js provides "${known}"`);
    }
    const cached = loaded.get(path);
    if (cached) return cached.exports;
    const module = { exports: {} as object };
    loaded.set(path, module);
    definitions.get(path)?.(module.exports, (other) => require(other, path), module);
    return module.exports;
  };
  const register: PageRequire["register"] = (name, definition) => {
    const added = typeof name === "string" ? { [name]: definition as Definition } : name;
    for (const [path, define] of Object.entries(added)) {
      definitions.set(path, define);
      loaded.delete(path);
    }
  };
  const alias: PageRequire["alias"] = (from, to) => void aliases.set(to, from);
  const list = () => [...definitions.keys()].sort();

  register(Object.fromEntries(Object.entries(modules).map(([name, value]) => [name, definitionOf(value)])));
  return Object.assign((name: string) => require(name), { register, define: register, alias, list });
}

/** `./b` seen from `a/c` is `a/b`. */
function expand(from: string, name: string): string {
  if (!/^\.\.?(\/|$)/.test(name)) return name;
  const path = from.split("/").slice(0, -1);
  for (const part of name.split("/")) {
    if (part === "..") path.pop();
    else if (part !== "." && part !== "") path.push(part);
  }
  return path.join("/");
}

/** Brunch's ways to name a module: its path, an alias of it, without `.js`, or its folder for `index.js`. */
function find(
  path: string,
  definitions: ReadonlyMap<string, Definition>,
  aliases: ReadonlyMap<string, string>,
): string | undefined {
  const target = aliases.get(path) ?? path;
  return [target, `${target}.js`, `${target}/index`, `${target}/index.js`].find((name) => definitions.has(name));
}
