// The icons of the pages are all in one file.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

const root = path.join(import.meta.dirname, "../..");
const sprite = readFileSync(path.join(root, "assets/dist/images/icons.svg"), "utf8");

/** How templates name an icon: as the macro's argument, or on the way to it. */
const NAMED = [/\bicon\("([\w-]+)"/g, /\b(?:symbol|icon_name)="([\w-]+)"/g, /side_entry\((?:"[^"]*", ){3}"([\w-]+)"/g];

test("templates name icons that there are", () => {
  const there = new Set([...sprite.matchAll(/<symbol id="([\w-]+)"/g)].map(([, name]) => name));
  const folder = path.join(root, "templates");
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith(".html.j2"));
  const named = files.flatMap((file) => {
    const source = readFileSync(path.join(folder, file), "utf8");
    return NAMED.flatMap((pattern) => [...source.matchAll(pattern)].map(([, name]) => name));
  });
  assert.ok(named.length > 20, `only ${named.length} icons are named`);
  assert.deepEqual(named.filter((name) => !there.has(name)), []);
});

test("the icons come with their licence", () => {
  assert.match(sprite, /ISC License/);
});
