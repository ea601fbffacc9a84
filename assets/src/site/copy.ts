/** A button at each snippet and each key that copies it. Without it they are plain text. */

/** Time for which a button shows the result, in milliseconds. */
const FEEDBACK_MS = 2000;

export function offerCopies(): void {
  for (const snippet of document.querySelectorAll<HTMLElement>(".snippet")) {
    const code = snippet.querySelector("code");
    const caption = snippet.querySelector("figcaption");
    if (code && caption) caption.append(copyButton(code, caption.textContent ?? ""));
  }
  for (const code of document.querySelectorAll<HTMLElement>("code[data-copy]")) {
    const line = document.createElement("div");
    line.className = "copyable-line";
    code.replaceWith(line);
    line.append(code, copyButton(code, code.dataset["copy"] ?? ""));
  }
}

function copyButton(code: HTMLElement, what: string): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.title = `Copy: ${what}`;
  // The text changes with the outcome; a live region has screen readers say it.
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    button.textContent = (await copy(code)) ? "Copied" : "Select and copy";
    setTimeout(() => (button.textContent = "Copy"), FEEDBACK_MS);
  });
  return button;
}

/** Browsers offer the clipboard on https and localhost only; elsewhere the text is selected, and copied if they let us. */
async function copy(code: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    return true;
  } catch {
    getSelection()?.selectAllChildren(code);
    return document.execCommand("copy");
  }
}
