/** Keeps the dashboard up to date. Without it the page shows how things were when it was loaded. */

/** Between two looks, in milliseconds. */
const INTERVAL_MS = 5000;

const live = document.querySelector<HTMLElement>("#live");
const button = document.querySelector<HTMLButtonElement>("#live-switch");
if (live && button) keepUpToDate(live, button);

function keepUpToDate(live: HTMLElement, button: HTMLButtonElement): void {
  const isOn = () => button.getAttribute("aria-pressed") === "true";
  const tick = async () => {
    if (isOn() && !document.hidden && !isRead(live)) await refresh(live);
    setTimeout(tick, INTERVAL_MS);
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", String(!isOn()));
    if (isOn()) void refresh(live);
  });
  setTimeout(tick, INTERVAL_MS);
}

/** Returns true if the focus or a selection is in there, which a change would remove. */
function isRead(live: HTMLElement): boolean {
  const selection = getSelection();
  const isSelected = selection !== null && !selection.isCollapsed && live.contains(selection.anchorNode);
  return isSelected || live.contains(document.activeElement);
}

/** A server that does not answer is asked again later; one that wants us to sign in again is obeyed. */
async function refresh(live: HTMLElement): Promise<void> {
  try {
    const answer = await fetch(live.dataset["url"] ?? "", { redirect: "manual", headers: { accept: "text/html" } });
    if (answer.type === "opaqueredirect") location.reload();
    else if (answer.ok) live.innerHTML = await answer.text();
  } catch {
    // The network is away; the figures stay until it is back.
  }
}
