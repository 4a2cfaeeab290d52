"use strict";
const MINUTE = 60;
const HIDES_BELOW = 0.2; // default of HEADRACE_QUALITY_SCORE_FROM
const REREAD_MS = 30000;
const quality = { summary: null, points: [], reason: null, due: 0, reading: false };
const drawReasons = lineChart($("reasons-chart"), "Records sent to quarantine a minute", { gap: 3 * MINUTE, nothing: "no figures yet" });
const words = text => text.replaceAll("_", " ");
const percent = share => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

// Points of 5 seconds become minutes: { times, sums: { name: [count by minute] } }.
function minutesOf(points, field) {
  const times = [...new Set(points.map(point => Math.floor(point.at / MINUTE) * MINUTE))];
  const names = namesIn(points, field), sums = Object.fromEntries(names.map(name => [name, times.map(() => 0)]));
  for (const point of points) {
    const at = times.indexOf(Math.floor(point.at / MINUTE) * MINUTE);
    for (const [name, count] of Object.entries(point[field])) sums[name][at] += count;
  }
  return { times, sums };
}

function drawQuarantine() {
  const { times, sums } = minutesOf(quality.points, "reasons"), to = (times.at(-1) ?? Date.now() / 1000) + 1;
  const totals = Object.entries(sums).map(([name, counts]) => [name, counts.reduce((sum, count) => sum + count, 0)]);
  const most = totals.filter(([, count]) => count).sort((a, b) => b[1] - a[1]).slice(0, 6).map(([name]) => name);
  const lines = most.length ? Object.fromEntries(most.map(name => [words(name), sums[name]])) : { none: times.map(() => 0) };
  drawReasons(times, lines, to - 3600, to);
}

// The value as it came, with the field at fault marked.
function valueOf({ value, field }) {
  const shown = element("pre");
  if (value === null) { shown.textContent = "not shown: it may hold an id of a person anywhere; headrace quarantine show ID --show-ids shows it"; return shown; }
  const from = field ? value.indexOf(JSON.stringify(field)) : -1;
  if (from < 0) { shown.textContent = value; return shown; }
  const rest = value.slice(from), found = /^"(?:[^"\\]|\\.)*"\s*:\s*("(?:[^"\\]|\\.)*"?|[^,}\]]*)/.exec(rest);
  const end = from + (found ? found[0].length : field.length + 2);
  shown.append(value.slice(0, from), element("mark", value.slice(from, end)), value.slice(end));
  return shown;
}

function recordEntry(record) {
  const entry = element("li", `${words(record.reason)}: ${record.detail}`);
  const place = `${record.topic} ${record.partition} @ ${record.offset} · ${ago(record.time)} · ${record.state}`;
  entry.append(element("small", place), valueOf(record), element("small", `headrace quarantine show ${record.id}`));
  return entry;
}

async function showRecords(reason) {
  quality.reason = reason;
  $("records-title").textContent = reason ? `Newest records: ${words(reason)}` : "Newest records";
  const { records } = await ask(`/quarantine?k=8${reason ? `&reason=${encoded(reason)}` : ""}`);
  if (quality.reason !== reason) return;
  $("records").replaceChildren(...records.map(recordEntry));
  const chosen = reason ? ` --reason ${reason}` : "";
  $("replay").textContent = records.length
    ? `Mend the producer. What would be accepted now is told by: headrace quarantine replay${chosen} --dry-run. Without --dry-run it is sent again.` : "";
}

async function showQuarantine() {
  try {
    const stats = await ask("/quarantine/stats");
    for (const name of ["by-topic", "newest"]) $(name).hidden = !stats.total;
    $("quarantine-note").textContent = `${number.format(stats.total)} records${stats.is_whole ? "" : ", of the newest 10,000 of each partition"}`;
    showBars($("quarantine-reasons"), Object.entries(stats.reasons), {
      act: reason => showRecords(reason).catch(error => { $("quarantine-note").textContent = error.message; }),
    });
    showBars($("quarantine-topics"), Object.entries(stats.topics));
    await showRecords(quality.reason);
  } catch (error) {
    $("quarantine-note").textContent = error.message;
  }
}

const below = threshold => quality.summary.quality.slice(0, Math.round(threshold * 50)).reduce((sum, count) => sum + count, 0);

function showThreshold() {
  const threshold = Number($("threshold").value);
  $("threshold-said").textContent = `HEADRACE_QUALITY_SCORE_FROM=${threshold.toFixed(2)} would hide ${number.format(below(threshold))} `
    + `of ${number.format(quality.summary.judged)} judged items; the default, ${HIDES_BELOW.toFixed(2)}, hides ${number.format(below(HIDES_BELOW))}. Items that you allowed are shown all the same.`;
  for (const [bin, bar] of [...$("histogram").querySelectorAll("rect")].entries()) {
    bar.setAttribute("class", bin < Math.round(threshold * 50) ? "hidden-bin" : "shown-bin");
  }
}

// Heights are square roots: most items are good, and the few others would not be seen.
function showHistogram(bins) {
  const svg = shape("svg", { viewBox: "0 0 500 120", role: "img", preserveAspectRatio: "none" });
  const most = Math.sqrt(Math.max(1, ...bins));
  svg.setAttribute("aria-label", `Quality of judged items from 0 to 1: ${number.format(below(0.2))} below 0.2, ${number.format(below(0.5))} below 0.5`);
  bins.forEach((count, bin) => {
    const height = 116 * Math.sqrt(count) / most, bar = shape("rect", { x: bin * 10, width: 9, y: 118 - height, height: Math.max(height, count ? 1 : 0) });
    bar.append(shape("title", {}, `${(bin / 50).toFixed(2)} to ${((bin + 1) / 50).toFixed(2)}: ${number.format(count)}`));
    svg.append(bar);
  });
  $("histogram").replaceChildren(svg);
}

function repairEntry({ item_id, field, rule, before, after }) {
  const entry = element("li"), link = quietButton(item_id, () => go("items", item_id));
  link.className = "plain";
  entry.append(link, ` ${field}, ${words(rule)}`, element("small", `before: ${before}`), element("small", `after: ${after}`));
  return entry;
}

async function showSummary() {
  try {
    const summary = quality.summary = await ask("/catalogue/summary");
    $("summary-note").textContent = `${number.format(summary.items)} items${summary.is_whole ? "" : ", the first of more"}: `
      + `${number.format(summary.hidden_by_text)} hidden for their text, ${number.format(summary.unavailable)} not available`;
    showBars($("completeness"), Object.entries(summary.have).map(([name, count]) =>
      [words(name), summary.items ? count / summary.items : 0, `· ${number.format(summary.items - count)} lack it`]), { show: percent, top: 1 });
    showBars($("item-reasons"), Object.entries(summary.reasons).map(([name, count]) => [words(name), count]));
    showBars($("repair-rules"), Object.entries(summary.repairs).map(([name, count]) => [words(name), count]));
    $("repaired").replaceChildren(...summary.repaired.map(repairEntry));
    $("no-repairs").hidden = summary.repaired.length > 0;
    $("judged").hidden = !summary.judged;
    $("not-judged").hidden = summary.judged > 0;
    if (summary.judged) { showHistogram(summary.quality); showThreshold(); }
  } catch (error) {
    $("summary-note").textContent = error.message;
  }
}

// The categories with the most items have colours of their own; squares are items that no list holds.
const COLOURED = 4;
const topOf = item => (item.category ?? "").split("/")[0];
async function showMap() {
  try {
    const { items, left_out } = await ask("/catalogue/map"), counts = new Map();
    $("map-part").hidden = !items.length;
    for (const item of items) if (topOf(item)) counts.set(topOf(item), (counts.get(topOf(item)) ?? 0) + 1);
    const coloured = [...counts].sort((a, b) => b[1] - a[1]).slice(0, COLOURED).map(([name]) => name);
    const svg = shape("svg", { viewBox: "-8 -8 516 316", role: "img" }), hidden = items.filter(item => !item.shown).length;
    svg.setAttribute("aria-label", `${number.format(items.length)} items by the meaning of their titles`);
    for (const item of items) {
      const colour = `dot-${1 + coloured.indexOf(topOf(item))}`, [x, y] = [item.x * 500, 300 - item.y * 300];
      const dot = item.shown ? shape("circle", { cx: x, cy: y, r: 4, class: colour }) : shape("rect", { x: x - 4, y: y - 4, width: 8, height: 8, class: `${colour} dot-hidden` });
      dot.append(shape("title", {}, `${item.title ?? item.item_id}${item.category ? `, ${item.category}` : ""}${item.shown ? "" : ", hidden"}`));
      dot.addEventListener("click", () => go("items", item.item_id));
      svg.append(dot);
    }
    $("map-note").textContent = `${number.format(items.length)} items${left_out ? `, without ${number.format(left_out)} that have no vector` : ""}; `
      + `near each other: titles of a similar meaning. ${hidden ? `Squares: ${number.format(hidden)} that no list holds. ` : ""}A click opens the item.`;
    const legend = element("figcaption", null, "small");
    legend.append(...coloured.map((name, at) => element("span", `${name} `, `key-${1 + at}`)));
    $("map").replaceChildren(svg, legend);
  } catch (error) {
    $("map-note").textContent = error.message;
  }
}

async function refreshQuality() {
  if (quality.reading || isLocked() || document.hidden || performance.now() < quality.due) return;
  quality.reading = true;
  await Promise.all([showQuarantine(), showSummary(), showMap()]);
  Object.assign(quality, { reading: false, due: performance.now() + REREAD_MS });
}

tabs.quality = {
  show() { drawQuarantine(); refreshQuality(); },
  take({ live, points }) {
    quality.points = [...quality.points, ...points].slice(-720);
    if (live) {
      const share = live.accepted ? live.unknown_items / live.accepted : 0;
      $("unknown").textContent = `${number.format(live.unknown_items)} accepted events (${percent(share)}) were on items that the catalogue lacks.`;
    }
    if (!isShown("quality")) return;
    if (points.length) drawQuarantine();
    refreshQuality();
  },
};
$("threshold").addEventListener("input", showThreshold);
