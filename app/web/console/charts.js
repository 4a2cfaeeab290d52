"use strict";
const CHART_HEIGHT = 190, LEFT = 46, RIGHT = 6, TOP = 8, BOTTOM = 20;

function shape(tag, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// Steps of 1, 2 or 5 times a power of ten, at most five of them.
function linearMarks(top) {
  const rough = top / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(each => each * power >= rough);
  return Array.from({ length: Math.ceil(top / step - 1e-9) + 1 }, (_, at) => at * step);
}

function logMarks(low, high) {
  const marks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) marks.push(10 ** power);
  return marks;
}

/* A chart of lines over time in `figure`. `gap`: after how many seconds without a value a line is broken; `least`:
 * the top of the axis if no value is above it.
 * draw(times, series, from, to): series is { name: values }, with null where nothing was measured. */
function lineChart(figure, label, { log = false, target = null, targetName = "", show = amount, gap = 30, least = 1, nothing }) {
  const svg = shape("svg", { role: "img", tabindex: "0" });
  const caption = element("figcaption");
  figure.append(svg, caption);
  let drawn = { times: [], series: {} }, reading = null;

  function draw(times, series, from, to) {
    drawn = { times, series, from, to };
    const width = svg.clientWidth, right = width - RIGHT;
    if (!width) return; // not shown
    svg.setAttribute("viewBox", `0 0 ${width} ${CHART_HEIGHT}`);
    const values = Object.values(series).flat().filter(value => value !== null && (!log || value > 0));
    const x = at => LEFT + (right - LEFT) * (at - from) / (to - from);
    const marks = log ? logMarks(Math.min(...values, target ?? 1) * 0.9, Math.max(...values, target ?? 1) * 1.1)
      : linearMarks(Math.max(...values, least));
    const scale = value => log ? Math.log10(Math.max(value, marks[0])) : value;
    const low = scale(marks[0]), high = scale(marks.at(-1));
    const y = value => TOP + (CHART_HEIGHT - TOP - BOTTOM) * (1 - (scale(value) - low) / (high - low));
    const parts = marks.flatMap(mark => [
      shape("line", { class: "grid", x1: LEFT, x2: right, y1: y(mark), y2: y(mark) }),
      shape("text", { x: LEFT - 6, y: y(mark) + 4, "text-anchor": "end" }, show(mark)),
    ]);
    for (let part = 0; part <= 3; part++) {
      const at = from + (to - from) * part / 3;
      parts.push(shape("text", { x: x(at), y: CHART_HEIGHT - 4, "text-anchor": ["start", "middle", "middle", "end"][part] },
        new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })));
    }
    if (target !== null) {
      parts.push(shape("line", { class: "target", x1: LEFT, x2: right, y1: y(target), y2: y(target) }));
      parts.push(shape("text", { x: right, y: y(target) - 4, "text-anchor": "end" }, targetName));
    }
    Object.values(series).forEach((line, row) => {
      let path = "", before = null;
      line.forEach((value, at) => {
        if (value === null) { before = null; return; }
        const joined = before !== null && times[at] - before < gap;
        path += `${joined ? "L" : "M"}${x(times[at]).toFixed(1)} ${y(value).toFixed(1)}`;
        before = times[at];
      });
      parts.push(shape("path", { class: `s${row % 6}`, d: path }));
    });
    if (reading !== null && times[reading] !== undefined) {
      const at = x(times[reading]);
      parts.push(shape("line", { class: "reader", x1: at, x2: at, y1: TOP, y2: CHART_HEIGHT - BOTTOM }));
    }
    svg.replaceChildren(...parts);
    tell();
  }

  function tell() {
    const { times, series } = drawn, at = reading ?? times.length - 1;
    if (!times.length) {
      caption.replaceChildren(element("span", nothing));
      svg.setAttribute("aria-label", `${label}: ${nothing}`);
      return;
    }
    const entries = Object.entries(series).map(([name, values], row) => {
      const key = shape("svg", { viewBox: "0 0 22 8", "aria-hidden": "true" });
      key.append(shape("path", { class: `s${row % 6}`, d: "M0 4H22" }));
      const entry = element("span");
      entry.append(key, `${name} ${values[at] === null ? "–" : show(values[at])}`);
      return entry;
    });
    const when = reading === null ? "now" : clock(times[at]);
    caption.replaceChildren(...entries, element("span", when));
    svg.setAttribute("aria-label", `${label}, ${when}: ${entries.map(entry => entry.textContent).join(", ")}`);
  }

  function read(at) {
    reading = at === null ? null : Math.max(0, Math.min(drawn.times.length - 1, at));
    if (drawn.times.length) draw(drawn.times, drawn.series, drawn.from, drawn.to);
  }

  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect(), part = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
    const wanted = drawn.from + part * (drawn.to - drawn.from);
    const found = drawn.times.findIndex(at => at >= wanted);
    read(found < 0 ? drawn.times.length - 1 : found);
  });
  svg.addEventListener("pointerleave", () => read(null));
  svg.addEventListener("keydown", event => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12 }[event.key];
    if (step) { event.preventDefault(); read((reading ?? drawn.times.length - 1) + step); }
    else if (event.key === "Escape") read(null);
  });
  svg.addEventListener("blur", () => read(null));
  return draw;
}

// Rows of a name, a bar and a figure; the longest bar is the largest value, or `top`.
function showBars(list, rows, { show = amount, top, act } = {}) {
  const most = top ?? Math.max(1, ...rows.map(([, value]) => value));
  list.replaceChildren(...rows.map(([name, value, note]) => {
    const entry = element("li", null, "bar"), bar = element("progress");
    const shown = act ? quietButton(name, () => act(name)) : element("span", name);
    if (act) shown.className = "plain";
    Object.assign(bar, { max: most, value });
    bar.setAttribute("aria-label", `${name}: ${show(value)}`);
    entry.append(shown, bar, element("span", `${show(value)}${note ? ` ${note}` : ""}`));
    return entry;
  }));
}
