/** The checkbox in the head of a table, `data-select-all="ids"`, switches all named `ids`. Without a script it is hidden. */
export function bringSelectAllToLife(): void {
  for (const all of document.querySelectorAll<HTMLInputElement>("input[data-select-all]")) {
    const name = all.dataset["selectAll"] ?? "";
    const each = [...document.querySelectorAll<HTMLInputElement>(`input[type="checkbox"][name="${CSS.escape(name)}"]`)];
    const follow = () => {
      const checked = each.filter((box) => box.checked).length;
      all.checked = checked > 0 && checked === each.length;
      all.indeterminate = checked > 0 && checked < each.length;
    };
    all.hidden = false;
    all.addEventListener("change", () => each.forEach((box) => (box.checked = all.checked)));
    for (const box of each) box.addEventListener("change", follow);
    follow();
  }
}
