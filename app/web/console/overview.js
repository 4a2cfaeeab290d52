"use strict";
const TARGET_SECONDS = 5; // the objective in docs/monitoring.md: 99 % of the events within 5 s
const FEED_MOST = 12;
const overview = { points: [], minutes: 15, held: false };

const drawRates = lineChart($("rates"), "Accepted events a second", { nothing: "no figures yet" });
const drawFresh = lineChart($("fresh"), "Freshness", { log: true, target: TARGET_SECONDS, targetName: "target: 99 % within 5 s",
  show: value => seconds(value), nothing: "no list was written yet" });
const drawLags = lineChart($("lags"), "Lag in events", { nothing: "no figures yet" });

// [name, explanation, value, state]; a state is a word and a colour, so that nobody needs to see the colour.
function figuresOf(live) {
  const ready = live.workers.filter(worker => worker.ready).length, all = live.workers.length;
  const taken = live.accepted + live.duplicates + live.quarantined;
  const share = taken ? live.quarantined / taken : 0;
  const behind = live.lag === null ? null : live.lag / Math.max(live.events_per_second, 1);
  const fresh = value => value === null ? null : value < 1 ? ["good", "good"] : value < TARGET_SECONDS ? ["warn", "slow"] : ["bad", "too slow"];
  return [
    ["rate", "Events a second", "accepted ones, over the last 10 s", number.format(live.events_per_second),
      live.events_per_second ? ["good", "flowing"] : null],
    ["p50", "Freshness, median", "from Kafka to the user's new list in Redis", seconds(live.freshness_p50), fresh(live.freshness_p50)],
    ["p99", "Freshness, 99 %", "99 of 100 lists were newer than this; the target is 5 s", seconds(live.freshness_p99), fresh(live.freshness_p99)],
    ["lag", "Lag", !live.lag ? "events that wait in Kafka" : `events that wait in Kafka; about ${seconds(behind)} at this pace`,
      live.lag === null ? "–" : number.format(live.lag),
      behind === null ? null : behind < 5 ? ["good", "good"] : behind < 60 ? ["warn", "behind"] : ["bad", "far behind"]],
    ["ready", "Workers ready", "they write fresh lists", `${ready} of ${all}`,
      !all ? ["bad", "none"] : ready === all ? ["good", "all"] : ["warn", "some are not"]],
    ["accepted", "Accepted", "events that lists learned from", number.format(live.accepted), null],
    ["duplicates", "Duplicates", "events that came twice; counted once", number.format(live.duplicates), null],
    ["quarantined", "Quarantined", `events that break the contract: ${(100 * share).toFixed(share && share < 0.1 ? 2 : 0)} %`,
      number.format(live.quarantined), !live.quarantined ? ["good", "none"] : share < 0.01 ? ["good", "few"] : share < 0.05 ? ["warn", "many"] : ["bad", "too many"]],
    ["items_quarantined", "Items quarantined", "catalogue records that break the contract", number.format(live.items_quarantined),
      live.items_quarantined ? ["warn", "look"] : ["good", "none"]],
    ["foreign_key", "Foreign keys", "events whose key or partition is not their user's", number.format(live.foreign_key),
      live.foreign_key ? ["warn", "mend the producer"] : ["good", "none"]],
  ];
}

function showFigures(live) {
  for (const [id, name, explanation, value, state] of figuresOf(live)) {
    if (!$(id)) {
      const entry = element("div"), shown = element("dd");
      shown.id = id;
      shown.append(element("span"), " ", element("span", "", "state"), element("small"));
      entry.append(element("dt", name), shown);
      $("figures").append(entry);
    }
    const [figure, word, below] = $(id).children;
    figure.textContent = value;
    word.textContent = state?.[1] ?? "";
    word.className = `state ${state?.[0] ?? ""}`;
    below.textContent = explanation;
  }
}

function showWorkers(workers) {
  $("workers").replaceChildren(...workers.map(worker => {
    const card = element("div", null, "card"), name = element("h3", worker.worker_id);
    name.append(element("span", worker.ready ? " ready" : " not ready", `small ${worker.ready ? "good" : "bad"}`));
    const lag = Object.entries(worker.lag_by_topic).map(([topic, events]) => `${topic} ${number.format(events)}`).join(", ");
    card.append(name,
      element("p", `${number.format(worker.events_per_second)} events a second, ${number.format(worker.recommendations)} lists written`),
      element("p", `freshness ${seconds(worker.freshness_p50)} (median), ${seconds(worker.freshness_p99)} (99 %)`),
      element("p", lag ? `lag: ${lag}` : "no partition", "soft small"));
    return card;
  }));
  if (!workers.length) $("workers").append(element("p", "None is running.", "soft"));
}

function namesIn(points, field) {
  return [...new Set(points.flatMap(point => Object.keys(point[field])))].sort();
}

function drawCharts() {
  const to = overview.points.at(-1)?.at ?? Date.now() / 1000, from = to - 60 * overview.minutes;
  const points = overview.points.filter(point => point.at >= from), times = points.map(point => point.at);
  const lines = field => Object.fromEntries(namesIn(points, field).map(name => [name, points.map(point => point[field][name] ?? null)]));
  drawRates(times, lines("kinds"), from, to);
  drawFresh(times, { "median": points.map(point => point.freshness_p50), "99 %": points.map(point => point.freshness_p99) }, from, to);
  drawLags(times, lines("lag"), from, to);
}

function feedEntry({ at, user_id, event, items }) {
  const entry = element("li", null, "changed"), what = `${event.kind} · ${event.title ?? event.item_id}`;
  const user = quietButton(user_id, () => go("users", user_id));
  entry.append(user, ` ${what}`, element("small", `${clock(at)} → ${items.map(item => item.title ?? item.item_id).join(" · ") || "an empty list"}`));
  return entry;
}

function showFeed(entries) {
  if (overview.held || !entries.length || $("feed").contains(document.activeElement)) return;
  $("feed").prepend(...entries.map(feedEntry).reverse());
  while ($("feed").children.length > FEED_MOST) $("feed").lastChild.remove();
  $("feed-empty").hidden = true;
}

tabs.overview = {
  show: drawCharts,
  take({ live, points, feed }) {
    overview.points = [...overview.points, ...points].slice(-720);
    if (live) { showFigures(live); showWorkers(live.workers); }
    showFeed(feed);
    if (isShown("overview") && (points.length || !$("rates").querySelector("path"))) drawCharts();
  },
};

for (const button of document.querySelectorAll(".ranges button")) {
  button.addEventListener("click", () => {
    overview.minutes = Number(button.dataset.minutes);
    for (const each of document.querySelectorAll(".ranges button")) each.setAttribute("aria-pressed", String(each === button));
    drawCharts();
  });
}
$("hold").addEventListener("click", () => {
  overview.held = !overview.held;
  $("hold").setAttribute("aria-pressed", String(overview.held));
});
addEventListener("resize", () => { if (isShown("overview")) drawCharts(); });
