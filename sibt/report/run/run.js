"use strict";
// Tabs of the statement, the sheet of one day, and the section that is being read.
(() => {
  const band = document.querySelector(".band");
  if (band) {
    const below = () => document.documentElement.style.setProperty(
      "--under-band", `${band.offsetHeight}px`);
    below();
    new ResizeObserver(below).observe(band);
  }

  const links = [...document.querySelectorAll("nav.contents a")];
  const strip = document.querySelector("nav.contents ul");
  const sections = links.map((link) => document.querySelector(link.getAttribute("href")));
  function here() {
    const line = strip.getBoundingClientRect().bottom + 24;
    let now = sections.findLastIndex((one) => one.getBoundingClientRect().top <= line);
    if (innerHeight + scrollY >= document.body.scrollHeight - 2) now = links.length - 1;
    links.forEach((link, n) => {
      if (n === now) {
        if (link.hasAttribute("aria-current")) return;
        link.setAttribute("aria-current", "true");
        strip.scrollLeft = link.offsetLeft - strip.offsetLeft - strip.clientWidth / 2;
      } else link.removeAttribute("aria-current");
    });
  }
  addEventListener("scroll", here, { passive: true });
  here();

  for (const group of document.querySelectorAll(".tabs")) {
    const tabs = [...group.querySelectorAll("[role=tab]")];
    const choose = (chosen) => {
      for (const tab of tabs) {
        const on = tab === chosen;
        tab.setAttribute("aria-selected", on);
        tab.tabIndex = on ? 0 : -1;
        document.getElementById(tab.getAttribute("aria-controls")).hidden = !on;
      }
    };
    tabs.forEach((tab, at) => {
      tab.addEventListener("click", () => choose(tab));
      tab.addEventListener("keydown", (event) => {
        const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        const next = tabs[(to + tabs.length) % tabs.length];
        choose(next);
        next.focus();
      });
    });
    group.classList.add("live");
    choose(tabs[0]);
  }

  // The trip whose curves are drawn. The chart's own text is changed too, for when it is redrawn.
  const trip = document.querySelector(".choose.trip");
  if (trip) {
    const chart = document.querySelector('[data-name="curves"]');
    const text = chart.querySelector("script");
    trip.hidden = false;
    trip.querySelector("select").addEventListener("change", (event) => {
      const figure = JSON.parse(text.textContent);
      for (const trace of figure.data) {
        trace.visible = String(trace.meta.trip) === event.target.value ? true : "legendonly";
      }
      text.textContent = JSON.stringify(figure);
      Plotly.restyle(chart.querySelector(".drawn"), { visible: figure.data.map((one) => one.visible) });
    });
  }

  const sheet = document.querySelector(".day-sheet");
  if (!sheet) return;
  const data = JSON.parse(sheet.querySelector("script").textContent);
  const words = {};
  for (const word of sheet.querySelectorAll("[data-word]")) words[word.dataset.word] = word;
  // Money of the day stands in the two tables above: row for row the same sessions.
  const [byDay, byTrade] = ["by-day", "by-trade"].map((name) => {
    const table = document.getElementById(name).querySelector("table");
    return { heads: table.tHead.rows[0].cells, rows: table.tBodies[0].rows };
  });
  const days = [...byDay.rows].map((row) => row.cells[0].textContent);

  const number = (value, digits, sign) => {
    if (value === null) return "–";
    const text = Math.abs(value).toLocaleString("en-US",
      { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return (value < 0 ? "−" : sign && value > 0 ? "+" : "") + text;
  };
  const money = (fen) => ({ text: number(fen / 100, 2), of: "num" });
  const gain = (fen) => fen === null ? { text: "–", of: "num" } : { text: number(fen / 100, 2, true),
    of: fen > 0 ? "num up" : fen < 0 ? "num down" : "num" };
  const lots = (count) => ({ text: number(Math.abs(count), 0), of: "num" });
  const word = (name) => ({ node: words[name].cloneNode(true) });
  function row(cells) {
    const line = document.createElement("tr");
    for (const cell of cells) {
      const place = line.insertCell();
      if (cell.of) place.className = cell.of;
      if (cell.node) place.append(cell.node); else place.textContent = cell.text ?? cell;
    }
    return line;
  }
  function fill(name, rows) {
    const table = sheet.querySelector(`table.${name}`);
    table.tBodies[0].replaceChildren(...rows);
    const heads = table.tHead.rows[0].cells;
    [...heads].forEach((head, n) => {
      head.className = rows.length && rows[0].cells[n].classList.contains("num") ? "num" : "";
    });
    table.parentNode.hidden = !rows.length;
    table.parentNode.nextElementSibling.hidden = rows.length > 0;
  }
  // Both ways have the same columns but the one of open lots, which has its own name in each.
  function funds(day) {
    const [a, b] = [byDay.rows[day].cells, byTrade.rows[day].cells];
    const rows = [];
    const line = (head, one, other) => {
      const name = document.createElement("td");
      name.append(...[...head.childNodes].map((node) => node.cloneNode(true)));
      const made = row([one, other].map((cell) => cell
        ? { text: cell.textContent, of: `num ${cell.className}`.trim() } : { text: "", of: "num" }));
      made.prepend(name);
      rows.push(made);
    };
    for (let n = 1; n < a.length; n += 1) {
      if (byDay.heads[n].textContent === byTrade.heads[n].textContent) line(byDay.heads[n], a[n], b[n]);
      else { line(byDay.heads[n], a[n], null); line(byTrade.heads[n], null, b[n]); }
    }
    rows[rows.length - 1].classList.toggle("call", byDay.rows[day].className === "wrong");
    return rows;
  }

  const select = sheet.querySelector("select");
  const steps = [...sheet.querySelectorAll("[data-step]")];
  const traded = new Set(data.fills.map((one) => one[0]));
  days.forEach((day, n) => {
    const marks = (traded.has(n) ? " ●" : "") + (byDay.rows[n].className === "wrong" ? " !" : "");
    select.append(new Option(day + marks, n));
  });
  function show(day) {
    select.value = day;
    steps[0].disabled = day === 0;
    steps[1].disabled = day === days.length - 1;
    fill("funds", funds(day));
    fill("filled", data.fills.filter((one) => one[0] === day).map(
      ([, code, signed, offset, price, turnover, fee, byDay_, byTrade_, reason]) => row([
        data.contracts[code], word(signed > 0 ? "buy" : "sell"), word(data.offsets[offset]), lots(signed),
        money(price), money(turnover), money(fee), gain(byDay_), gain(byTrade_),
        word(data.reasons[reason])])));
    fill("held", data.held.filter((one) => one[0] === day).map(
      ([, code, signed, opened, before, settle, marked, floating, margin]) => row([
        data.contracts[code], word(signed > 0 ? "buy" : "sell"), lots(signed),
        { text: number(opened / 100, 2), of: "num" }, money(before), money(settle), gain(marked),
        gain(floating), money(margin)])));
  }
  select.addEventListener("change", () => show(Number(select.value)));
  for (const step of steps) {
    step.addEventListener("click", () => show(Number(select.value) + Number(step.dataset.step)));
  }
  sheet.hidden = false;
  show(Math.max(days.findIndex((_, n) => traded.has(n)), 0));
})();
