"use strict";
// Finds runs by words, and sorts them by the head that is pressed.
(() => {
  const body = document.querySelector(".runs tbody");
  if (!body) return;
  const rows = [...body.rows].map((row) => ({
    row, keys: JSON.parse(row.dataset.keys), name: row.querySelector("th").textContent,
    text: `${row.textContent} ${row.dataset.find}`.toLowerCase(),
  }));

  const box = document.getElementById("find");
  const shown = document.querySelectorAll(".find .shown");
  function find() {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { row, text } of rows) {
      row.hidden = !words.every((word) => text.includes(word));
      count += !row.hidden;
    }
    for (const each of shown) each.textContent = count.toLocaleString("en");
  }
  box.addEventListener("input", find);
  // A browser that goes back keeps what was written.
  find();
  window.addEventListener("pageshow", find);

  const heads = [...document.querySelectorAll(".runs thead th")];
  for (const head of heads) {
    const button = head.querySelector("button");
    button?.addEventListener("click", () => {
      const at = Number(button.dataset.by);
      // The largest first, but words from A on; pressed again, the other way round.
      const before = head.getAttribute("aria-sort");
      const down = before ? before === "ascending" : typeof rows.find((each) =>
        each.keys[at] !== null)?.keys[at] !== "string";
      for (const each of heads) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const way = down ? -1 : 1;
      rows.sort((one, two) => {
        const [a, b] = [one.keys[at], two.keys[at]];
        if (a === null || b === null) return (a === null) - (b === null);
        return way * (a < b ? -1 : a > b ? 1 : 0);
      });
      body.append(...rows.map((each) => each.row));
    });
  }
})();
