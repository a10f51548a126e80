"use strict";
// Keeps the reader's language, theme and colours, and draws the charts of a page; each lies in
// its <div class="chart"> as JSON. Runs in the head, so that nothing is shown in the wrong style.
(() => {
  const root = document.documentElement;

  // What can be switched. The language lasts as long as the tab: what a page was made for opens.
  const choices = { lang: ["en", "zh"], theme: ["auto", "light", "dark"], up: ["red", "green"] };
  const place = (name) => name === "lang" ? window.sessionStorage : window.localStorage;
  const chosen = {};
  for (const name in choices) {
    try { chosen[name] = place(name).getItem(`sibt-${name}`); } catch { /* not allowed here */ }
    if (!choices[name].includes(chosen[name])) delete chosen[name];
  }
  function apply() {
    if (root.dataset.lang && chosen.lang) root.dataset.lang = chosen.lang;
    const chinese = root.dataset.lang === "zh";
    root.lang = chinese ? "zh-CN" : "en";
    root.dataset.theme = chosen.theme ?? "auto";
    root.dataset.up = chosen.up ?? (chinese ? "red" : "green");
  }
  apply();

  // A text in both languages: its halves stand between these marks.
  const pair = /\ue000([^\ue000-\ue002]*)\ue001([^\ue000-\ue002]*)\ue002/g;
  const say = (text) => text.replace(pair, root.dataset.lang === "zh" ? "$2" : "$1");

  function show() {
    for (const button of document.querySelectorAll(".switches button")) {
      button.setAttribute("aria-pressed", String(root.dataset[button.name] === button.value));
    }
    const both = document.evaluate("//@*[starts-with(name(), 'data-say-')]", document, null,
      XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null);
    for (let at = 0; at < both.snapshotLength; at++) {
      const { name, value, ownerElement } = both.snapshotItem(at);
      if (name === "data-say-text") ownerElement.textContent = say(value);
      else ownerElement.setAttribute(name.slice("data-say-".length), say(value));
    }
  }

  const charts = () => document.querySelectorAll(".chart");
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const still = { displaylogo: false,
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"] };
  const months = [...Array(12).keys()].map((n) => `${n + 1}月`);
  const days = [..."日一二三四五六"];
  const mandarin = { moduleType: "locale", name: "zh-CN",
    dictionary: { "Zoom": "缩放", "Pan": "平移", "Zoom in": "放大", "Zoom out": "缩小",
      "Reset axes": "还原坐标轴", "Download plot as a PNG": "下载为 PNG",
      "Download plot as a PNG image": "下载为 PNG", "Download plot": "下载图表",
      "Double-click to zoom back out": "双击还原", "trace": "线" },
    format: { months, shortMonths: months, days: days.map((d) => `星期${d}`),
      shortDays: days.map((d) => `周${d}`), date: "%Y-%m-%d", year: "%Y年", month: "%Y年%-m月",
      dayMonth: "%-m月%-d日", dayMonthYear: "%Y年%-m月%-d日" } };

  // Chinese characters are twice as wide as Latin ones, and a line may end after any of them.
  const length = (text) => [...text].reduce((n, c) => n + (c > "\u2e7f" ? 1.9 : 1), 0);
  function wrapped(text, room) {
    const lines = [];
    for (const word of text.match(/ *(?:[\u2e80-\uffef][，。；：、）]?|[^ \u2e80-\uffef]+)/g) ?? [""]) {
      const last = lines[lines.length - 1];
      if (last !== undefined && length(last + word) <= room) lines[lines.length - 1] = last + word;
      else lines.push(word.trimStart());
    }
    return lines;
  }

  function read(element, width) {
    const figure = JSON.parse(element.querySelector("script").textContent, (key, value) => {
      if (typeof value !== "string") return value;
      return value.startsWith("var(--") ? colour(value.slice(4, -1)) : say(value);
    });
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
    layout.uirevision = "kept"; // what is zoomed or hidden stays so when drawn again
    layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: colour("--faint"),
      activecolor: colour("--ink"), orientation: "v" };
    return figure;
  }

  // By element, how wide it was drawn; what is folded away has no width and waits.
  const widths = new Map();
  function draw(element) {
    const width = element.clientWidth;
    const inside = element.querySelector(".drawn");
    widths.set(element, width);
    if (!window.Plotly) {
      inside.textContent = say("\ue000The chart cannot be drawn: Plotly's script is not where this page"
        + " looks for it.\ue001图表无法绘制：本页找不到 Plotly 的脚本文件。\ue002");
    } else if (width > 0) {
      const figure = read(element, width);
      Plotly.react(inside, figure.data, figure.layout, Object.assign({}, still, {
        locale: root.lang, displayModeBar: width < 640 ? false : "hover" }));
    }
  }
  const drawAll = () => charts().forEach(draw);

  document.addEventListener("DOMContentLoaded", () => {
    if (window.Plotly) Plotly.register(mandarin);
    show();
    drawAll();
    const sizes = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        if (Math.abs(target.clientWidth - widths.get(target)) > 1) draw(target);
      }
    });
    charts().forEach((element) => sizes.observe(element));
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
      window.matchMedia(query).addEventListener("change", drawAll);
    }
    for (const button of document.querySelectorAll(".switches button")) {
      button.addEventListener("click", () => {
        chosen[button.name] = button.value;
        try { place(button.name).setItem(`sibt-${button.name}`, button.value); } catch { /* this page only */ }
        apply();
        show();
        drawAll();
      });
    }
  });
})();
