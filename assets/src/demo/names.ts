/** Names for visitors: friendly, short, and different often enough. */

const ADJECTIVES = [
  "Brave", "Bright", "Calm", "Clever", "Cosy", "Curious", "Gentle", "Happy", "Jolly", "Kind", "Lively", "Lucky",
  "Merry", "Nimble", "Quick", "Quiet", "Sunny", "Swift", "Tidy", "Witty",
];

const ANIMALS = [
  "Badger", "Beaver", "Crane", "Dolphin", "Falcon", "Ferret", "Fox", "Heron", "Koala", "Lemur", "Lynx", "Magpie",
  "Marmot", "Otter", "Owl", "Panda", "Puffin", "Robin", "Seal", "Wombat",
];

/** Each tab has its own name, and keeps it when it is loaded again. */
const STORAGE_KEY = "pusher-lite:demo:name";

export function rememberedName(): string {
  const name = sessionStorage.getItem(STORAGE_KEY) ?? `${pick(ADJECTIVES)} ${pick(ANIMALS)}`;
  rememberName(name);
  return name;
}

export function rememberName(name: string): void {
  sessionStorage.setItem(STORAGE_KEY, name);
}

function pick(words: readonly string[]): string {
  return words[Math.floor(Math.random() * words.length)] as string;
}
