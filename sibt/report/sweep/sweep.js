"use strict";
// Reads out the cell of a map that is pointed at, by mouse, finger or arrow keys; sorts tables.
(() => {
  for (const picture of document.querySelectorAll("svg[data-c]")) {
    const [xName, ...x] = picture.dataset.x.split("|");
    const [yName, ...y] = picture.dataset.y.split("|");
    const cells = picture.dataset.c.split(";").map((line) => line.split("|"));
    const out = picture.parentNode.querySelector("output");
    const plane = picture.querySelector(".cells");
    let row = 0, column = 0;
    const meaning = { "": "no value", "!": "refused 被拒", ".": "not looked at" };
    function tell() {
      const value = cells[row][column];
      out.textContent = `${xName} ${x[column]}, ${yName} ${y[row]}: ${meaning[value] ?? value}`;
    }
    const point = (event) => {
      const box = plane.getBoundingClientRect();
      const across = Math.floor((event.clientX - box.left) / box.width * x.length);
      const up = Math.floor((box.bottom - event.clientY) / box.height * y.length);
      if (across < 0 || up < 0 || across >= x.length || up >= y.length) return;
      column = across; row = up; tell();
    };
    picture.addEventListener("pointermove", point);
    picture.addEventListener("pointerdown", point);
    picture.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] }[event.key];
      if (!step) return;
      event.preventDefault();
      row = Math.min(Math.max(row + step[0], 0), y.length - 1);
      column = Math.min(Math.max(column + step[1], 0), x.length - 1);
      tell();
    });
  }
  const number = (text) => {
    const value = parseFloat(text.replace(/−/g, "-").replace(/[,%+]/g, ""));
    return Number.isNaN(value) ? null : value;
  };
  for (const head of document.querySelectorAll(".sortable thead th")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = head.closest("table").tBodies[0];
      const at = head.cellIndex;
      const key = (line) => line.cells[at].textContent;
      // Unknown values stay at the end either way.
      const order = (a, b) => {
        const one = number(key(a)), two = number(key(b));
        if (one === null || two === null) {
          return (one === null) - (two === null) || (down ? -1 : 1) * key(a).localeCompare(key(b));
        }
        return down ? two - one : one - two;
      };
      body.append(...[...body.rows].sort(order));
    });
  }
})();
