// The icons of the pages, as one SVG of symbols: `<use href="/images/icons.svg#users">`.
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

/** Named as in Lucide (https://lucide.dev/icons). One that a template uses must stand here. */
const NAMES = [
  "activity", "app-window", "archive", "archive-restore", "arrow-left", "arrow-left-right", "arrow-right", "ban",
  "boxes", "building-2", "check", "chevron-down", "chevron-left", "chevron-right", "chevron-up", "chevrons-up-down",
  "circle-alert", "circle-check", "clock", "copy", "cpu", "database", "download", "eye", "eye-off", "funnel", "gauge",
  "hash", "id-card", "inbox", "info", "key-round", "layout-dashboard", "link", "lock", "lock-open", "log-in", "log-out",
  "mail", "memory-stick", "package", "pencil", "plug", "plus", "radio", "rotate-cw", "scroll-text", "search", "send",
  "server", "settings", "shield-check", "terminal", "ticket", "trash-2", "triangle-alert", "user-cog", "user-minus",
  "user-plus", "user-round", "users", "x",
];

const lucide = path.dirname(createRequire(import.meta.url).resolve("lucide-static/package.json"));

/** The way an icon is drawn (stroke, width) is left to the style sheet; a symbol holds its shapes alone. */
async function symbolOf(name) {
  const svg = await readFile(path.join(lucide, "icons", `${name}.svg`), "utf8");
  const shapes = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
  return `<symbol id="${name}" viewBox="0 0 24 24">${shapes.replace(/\s*\n\s*/g, "")}</symbol>`;
}

/** Lucide's licence asks for its text to go along. */
export async function writeIcons(file) {
  const licence = await readFile(path.join(lucide, "LICENSE"), "utf8");
  const symbols = await Promise.all(NAMES.map(symbolOf));
  const notice = licence.trim().replace(/\n-{2,}\n/g, "");
  await writeFile(file, `<svg xmlns="http://www.w3.org/2000/svg">\n<!-- ${notice} -->\n${symbols.join("\n")}\n</svg>\n`);
}
