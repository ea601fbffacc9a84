// Builds `dist/`, which the server embeds. Names are fixed: the server adds a version to each address by its content.
import { execFileSync } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";

import { writeIcons } from "./icons.mjs";

const root = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(root, "dist");

/** The pages forbid `data:` addresses; the icons inside Pico's style sheet become files. */
const dataIconsAsFiles = {
  name: "data-icons-as-files",
  setup(build) {
    build.onResolve({ filter: /^data:image\/svg\+xml,/ }, ({ path: url }) => ({
      path: `${url}.svg`,
      namespace: "data-icon",
      pluginData: decodeURIComponent(url.slice(url.indexOf(",") + 1)),
    }));
    build.onLoad({ filter: /.*/, namespace: "data-icon" }, ({ pluginData }) => ({
      contents: pluginData,
      loader: "file",
    }));
  },
};

const versionOf = async (file) => JSON.parse(await readFile(path.join(root, file), "utf8")).version;

/** What the licence of phoenix asks for: its notice goes along with copies. */
const clientBanner = `/*! pusher_lite ${await versionOf("package.json")}, MIT OR Apache-2.0. Contains phoenix ${await versionOf(
  "node_modules/phoenix/package.json",
)}, MIT, copyright (c) 2014 Chris McCord. */`;

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  sourcemap: true,
  target: "es2020",
  charset: "utf8",
  legalComments: "inline",
  logLevel: "warning",
};

async function buildScripts() {
  const client = { ...common, outdir: "dist/js", banner: { js: clientBanner } };
  await Promise.all([
    esbuild.build({ ...client, entryPoints: { pusher: "src/client/classic.ts" }, format: "iife" }),
    esbuild.build({
      ...client,
      entryPoints: { pusher: "src/client/module.ts" },
      format: "esm",
      outExtension: { ".js": ".mjs" },
    }),
    esbuild.build({
      ...common,
      entryPoints: {
        site: "src/site/site.ts",
        demo: "src/demo/demo.ts",
        console: "src/console/console.ts",
        dashboard: "src/admin/dashboard.ts",
      },
      outdir: "dist/js",
      format: "iife",
      sourcemap: false,
    }),
  ]);
}

async function buildStyles() {
  await esbuild.build({
    ...common,
    entryPoints: { app: "src/css/app.css" },
    outdir: "dist/css",
    assetNames: "../images/pico-[hash]",
    loader: { ".svg": "file" },
    plugins: [dataIconsAsFiles],
    sourcemap: false,
  });
}

/** Everything public is declared in pusher.ts, so its declarations stand alone but for Phoenix's types. */
async function buildTypes() {
  const tsc = path.join(path.dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  const out = path.join(dist, "types");
  const flags = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", out];
  execFileSync(process.execPath, [tsc, "-p", root, ...flags], { stdio: "inherit" });
  const declarations = await readFile(path.join(out, "client/pusher.d.ts"), "utf8");
  if (/from "\./.test(declarations)) throw new Error("pusher.d.ts refers to another file; declare its types in pusher.ts");
  // TypeScript looks for .d.mts beside an .mjs file.
  for (const name of ["pusher.d.ts", "pusher.d.mts"]) await writeFile(path.join(dist, "js", name), declarations);
  await rm(out, { recursive: true });
}

await rm(dist, { recursive: true, force: true });
for (const folder of ["js", "images"]) await mkdir(path.join(dist, folder), { recursive: true });
await Promise.all([
  buildScripts(),
  buildStyles(),
  buildTypes(),
  cp(path.join(root, "src/images"), path.join(dist, "images"), { recursive: true }),
  writeIcons(path.join(dist, "images/icons.svg")),
]);
