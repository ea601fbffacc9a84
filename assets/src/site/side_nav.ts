/** On a phone the navigation of an area is one line that is pushed sideways; it starts with where one is in view. */
export function showWhereOneIs(): void {
  const nav = document.querySelector<HTMLElement>(".side-nav");
  const here = nav?.querySelector<HTMLElement>("[aria-current]");
  if (!nav || !here) return;
  const middle = here.offsetLeft + here.offsetWidth / 2 - nav.offsetLeft;
  nav.scrollLeft = middle - nav.clientWidth / 2;
}
