"use strict";
const outcomes = { points: [], live: null };
const drawHits = lineChart($("hits-chart"), "Share of events found in the list before", {
  show: value => percent(value), gap: 3 * MINUTE, least: 0.01, nothing: "no figures yet" });
const sumOf = counts => Object.values(counts).reduce((sum, count) => sum + count, 0);

// The share of each minute, over it and the four minutes before, as single minutes jump.
function sharesByMinute(points) {
  const scored = minutesOf(points, "scored"), hits = minutesOf(points, "hits").sums;
  const lines = Object.entries(scored.sums).map(([kind, counts]) => [kind, counts.map((_, at) => {
    const from = Math.max(0, at - 4), of = counts.slice(from, at + 1).reduce((sum, count) => sum + count, 0);
    return of ? (hits[kind] ?? []).slice(from, at + 1).reduce((sum, count) => sum + count, 0) / of : null;
  })]);
  return { times: scored.times, lines: Object.fromEntries(lines) };
}

function drawOutcomes() {
  const { times, lines } = sharesByMinute(outcomes.points), to = (times.at(-1) ?? Date.now() / 1000) + 1;
  drawHits(times, lines, to - 3600, to);
}

function lastHour(kind) {
  const sum = field => outcomes.points.reduce((total, point) => total + (point[field][kind] ?? 0), 0);
  return [sum("hits"), sum("scored")];
}

function showOutcomes(live) {
  const figures = element("dl");
  for (const kind of Object.keys(live.scored).sort()) {
    const [hits, scored] = lastHour(kind), all = live.scored[kind], found = live.hits[kind] ?? 0;
    const entry = element("div"), shown = element("dd", percent(found / all));
    shown.append(element("small", `${number.format(found)} of ${number.format(all)} stood in the list that the user had; ` +
      (scored ? `in the last hour ${percent(hits / scored)} of ${number.format(scored)}; ` : "") +
      `MRR ${((live.reciprocals[kind] ?? 0) / all).toFixed(3)}`));
    entry.append(element("dt", `${kind}s found in the list`), shown);
    figures.append(entry);
  }
  $("outcome-figures").replaceChildren(figures);
  $("outcome-none").hidden = sumOf(live.scored) > 0;
  showRanker(live.workers);
  const hits = sumOf(live.hits_by_source) || 1, listed = sumOf(live.listed) || 1;
  const sorted = counts => Object.entries(counts).sort((a, b) => b[1] - a[1]);
  showBars($("hit-sources"), sorted(live.hits_by_source).map(([name, count]) => [name, count / hits, `· ${number.format(count)}`]), { show: percent, top: 1 });
  showBars($("list-sources"), sorted(live.listed).map(([name, count]) => [name, count / listed, `· ${number.format(count)}`]), { show: percent, top: 1 });
}

// All workers rank alike; the one with the newest weights tells.
function showRanker(workers) {
  const known = workers.map(worker => worker.ranker).filter(ranker => ranker.learned_lists > 0);
  $("ranker").hidden = !known.length;
  if (!known.length) return;
  const newest = known.reduce((best, each) => each.version > best.version ? each : best);
  $("ranker-note").textContent = `${newest.leads} ranks lists now; weights ${newest.version}, learned from ${number.format(newest.learned_lists)} lists`;
  showBars($("ranker-rates"), Object.entries(newest.hit_rate).map(([name, rate]) =>
    [name, rate, `· MRR ${newest.mrr[name].toFixed(3)}`]), { show: percent, top: 1 });
}

tabs.outcomes = {
  show() { drawOutcomes(); if (outcomes.live) showOutcomes(outcomes.live); },
  take({ live, points }) {
    outcomes.points = [...outcomes.points, ...points].slice(-720);
    outcomes.live = live ?? outcomes.live;
    if (!isShown("outcomes")) return;
    if (points.length) drawOutcomes();
    if (live) showOutcomes(live);
  },
};
