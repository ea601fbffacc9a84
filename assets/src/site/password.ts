/** A button in each password field that shows what was typed. */
export function offerToShowPasswords(): void {
  for (const input of document.querySelectorAll<HTMLInputElement>('input[type="password"]')) {
    const box = document.createElement("div");
    box.className = "password";
    input.replaceWith(box);
    box.append(input, showButton(input));
    // Moving an element takes the focus from it.
    if (input.autofocus) input.focus();
  }
}

function showButton(input: HTMLInputElement): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  const name = input.labels?.[0]?.textContent?.trim() ?? "password";
  const show = (shown: boolean) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? "Hide" : "Show";
    button.setAttribute("aria-label", `${button.textContent} ${name.toLowerCase()}`);
  };
  show(false);
  button.addEventListener("click", () => show(input.type === "password"));
  // Browsers offer to remember what is sent from a password field, and keep the text of other fields.
  input.form?.addEventListener("submit", () => show(false));
  return button;
}
