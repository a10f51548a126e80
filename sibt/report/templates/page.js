"use strict";
// Draws the charts of a page; each lies in its <div class="chart"> as JSON.
(() => {
  const root = document.documentElement;
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const charts = () => document.querySelectorAll(".chart");
  const still = { displaylogo: false,
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"] };

  // Chinese characters are twice as wide as Latin ones.
  const length = (text) => [...text].reduce((n, c) => n + (c > "\u2e7f" ? 1.9 : 1), 0);
  function wrapped(text, room) {
    const lines = [];
    for (const word of text.split(" ")) {
      const last = lines[lines.length - 1];
      if (last !== undefined && length(last) + 1 + length(word) <= room) {
        lines[lines.length - 1] = last + " " + word;
      } else lines.push(word);
    }
    return lines;
  }

  function read(element, width) {
    const figure = JSON.parse(element.querySelector("script").textContent, (key, value) =>
      typeof value === "string" && value.startsWith("var(--")
        ? colour(value.slice(4, -1)) : value);
    const layout = figure.layout;
    const narrow = width < 640;
    const lines = wrapped(layout.title.text, Math.floor(width / 8.6));
    const top = 22 + 20 * lines.length + (layout.annotations ? 10 : 0);
    layout.title = Object.assign(layout.title, { text: lines.join("<br>"), x: 0, xanchor: "left",
      xref: "container", y: 1, yanchor: "top", yref: "container", pad: { t: 8 + 13 * (lines.length - 1), l: 2 },
      font: { size: 15 } });
    layout.margin = Object.assign({ l: narrow ? 8 : 60, r: narrow ? 8 : 30, b: 40 },
      layout.margin, { t: top + (narrow ? 6 : 10) });
    layout.height = layout.height + 20 * (lines.length - 1);
    if (narrow && layout.legend) layout.legend.font = { size: 11 };
    for (const name of Object.keys(layout)) {
      if (!/^[xy]axis/.test(name)) continue;
      const axis = layout[name];
      axis.automargin = true;
      if (narrow) axis.tickfont = { size: 10 };
      if (axis.title && axis.title.text && name[0] === "x") {
        axis.title.text = wrapped(axis.title.text, Math.floor((width - 70) / 7)).join("<br>");
      }
      if (narrow) axis.title = Object.assign(axis.title || {}, { font: { size: 11 }, standoff: 6 });
    }
    layout.autosize = true;
    layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: colour("--faint"),
      activecolor: colour("--ink"), orientation: "v" };
    return figure;
  }

  function draw() {
    if (!window.Plotly) {
      for (const element of charts()) {
        element.querySelector(".drawn").textContent =
          "The chart cannot be drawn: plotly.min.js is not beside this page.";
      }
      return;
    }
    for (const element of charts()) {
      const figure = read(element, element.clientWidth);
      const config = Object.assign({}, still, {
        displayModeBar: element.clientWidth < 640 ? false : "hover" });
      Plotly.react(element.querySelector(".drawn"), figure.data, figure.layout, config);
    }
  }

  let width = 0;
  function again() {
    const now = document.body.clientWidth;
    if (Math.abs(now - width) > 1) { width = now; draw(); }
  }
  document.addEventListener("DOMContentLoaded", () => {
    width = document.body.clientWidth;
    draw();
    new ResizeObserver(again).observe(document.body);
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
      window.matchMedia(query).addEventListener("change", draw);
    }
  });
})();
