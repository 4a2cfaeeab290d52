"use strict";
const POLL_MS = 10, LOOK_AGAIN_MS = 1000, RECENT_MS = 10000, READ_MS = 8000;
const opened = { id: null, list: null, waiting: false, toldAt: -Infinity };
// Not in the path: a browser takes /users/.. for another one, also when the dots are encoded.
const about = (what, user) => `/${what}?user_id=${encoded(user)}`;
const explained = user => ask(`${about("recommendations", user)}&explain=true`);
const WHY = {
  neighbours: "people with sessions like this one went on to it",
  session: "the user looked at it in this session",
  transitions: "often comes after what was seen last",
  semantic: "its title is close in meaning to what was seen",
  category: "of a category that was seen",
  brand: "of a brand that was seen",
  trending: "popular right now",
};

function say(message, { took, failed } = {}) {
  const status = $("status");
  status.replaceChildren(message);
  if (took !== undefined) status.prepend(element("strong", `${took} ms`), " ");
  status.classList.toggle("failed", Boolean(failed));
  status.hidden = !message;
}

async function showRecent() {
  const { users } = await ask("/users?sample=8");
  if ($("recent").contains(document.activeElement)) return users;
  $("recent").replaceChildren($("recent-note"));
  $("recent-note").textContent = users.length ? "Recently active:" : "No user has a list yet.";
  for (const { user_id } of users) $("recent").append(quietButton(user_id, () => go("users", user_id)));
  return users;
}

async function pastOf(user) {
  try { return await ask(about("users", user)); }
  catch (error) { if (error.status === 404) return { recent: [], counts: {} }; throw error; }
}

function showHistory({ recent, counts }) {
  $("history").replaceChildren(...recent.map(row => {
    const entry = element("li", row.title ?? row.item_id), kind = element("span", row.kind, "chip");
    const small = element("small");
    small.append(kind, ` ${ago(row.ts)}${row.unknown ? " · unknown item" : ""}`);
    small.title = new Date(row.ts * 1000).toLocaleString();
    entry.append(small);
    return entry;
  }));
  const decayed = Object.entries(counts).filter(([, count]) => count >= 0.05);
  $("counts").textContent = decayed.map(([kind, count]) => `${kind} ${count.toFixed(1)}`).join(" · ");
  $("counts").title = "decayed counts by kind";
  $("history-empty").hidden = recent.length > 0;
}

function badgeOf(rank, before) {
  if (before === undefined) return "new";
  return before === rank ? "" : before > rank ? `▲${before - rank}` : `▼${rank - before}`;
}

// The tail of the trending list is a million times less popular than its head, and still in order.
const scoreOf = ({ score }) => score >= 0.001 ? score.toFixed(3) : score.toPrecision(2);

function rowOf(item, rank, ranksBefore) {
  const row = element("tr"), place = element("td", String(rank)), name = element("td", item.title ?? item.item_id);
  const badge = ranksBefore ? badgeOf(rank, ranksBefore.get(item.item_id)) : "";
  if (badge) { row.className = "changed"; place.append(element("span", badge, "badge")); }
  const below = element("small", item.title ? item.item_id : "");
  below.append(element("span", `${item.title ? " · " : ""}${item.source}`, "narrow"));
  const source = element("td", null, "wide"), chip = element("span", item.source, "chip");
  if (WHY[item.source]) chip.title = WHY[item.source];
  source.append(chip);
  name.append(below);
  if (item.reason) name.append(element("small", [item.reason.text, ...item.reason.rules ?? []].join(" · "), "reason"));
  row.append(place, name, element("td", item.category ?? "–", "wide"), element("td", scoreOf(item), "number"), source, element("td"));
  if (acceptsEvents) {
    const button = quietButton("Click", () => sendClick(item.item_id));
    button.dataset.item = item.item_id;
    button.setAttribute("aria-label", `Click on ${item.title ?? item.item_id}`);
    row.lastChild.append(button);
  }
  return row;
}

function showSources(items) {
  const counts = new Map();
  for (const { source } of items) counts.set(source, (counts.get(source) ?? 0) + 1);
  $("sources").replaceChildren(...[...counts].sort((a, b) => b[1] - a[1]).map(([source, many]) =>
    element("span", `${many} ${source}${WHY[source] ? `: ${WHY[source]}` : ""}`, "chip")));
}

function showList(list, before) {
  const ranksBefore = before && new Map(before.items.map((item, at) => [item.item_id, at + 1]));
  const focused = document.activeElement?.dataset?.item;
  $("rows").replaceChildren(...list.items.map((item, at) => rowOf(item, at + 1, ranksBefore)));
  if (focused !== undefined) {
    ([...$("rows").querySelectorAll("button")].find(button => button.dataset.item === focused) ?? $("status")).focus();
  }
  const made = list.generated_at && new Date(list.generated_at * 1000).toLocaleTimeString();
  $("list-title").textContent = `List of ${opened.id}`;
  $("list-note").textContent = made ? `${list.model}, made ${made}` : "no list of this user yet: what is trending";
  $("table").hidden = !list.items.length;
  $("list-empty").hidden = list.items.length > 0;
  showSources(list.items);
  waiting(opened.waiting);
  opened.list = list;
}

async function lookUp(user) {
  if (user !== opened.id) $("clicked").value = "";
  opened.id = user;
  $("user").value = user;
  try {
    const [list, past] = await Promise.all([explained(user), pastOf(user)]);
    if (opened.id !== user) return;
    say("");
    showList(list);
    showHistory(past);
    document.querySelector(".columns").hidden = false;
  } catch (error) {
    if (opened.id !== user) return;
    say(error.message, { failed: true });
    document.querySelector(".columns").hidden = true;
  }
  $("result").hidden = false;
}

function changeOf(list, before) {
  const kept = new Set(list.items.map(each => each.item_id));
  const left = before.items.filter(each => !kept.has(each.item_id)).length;
  return `${list.items.length - (before.items.length - left)} new, ${left} gone`;
}

// The open user's list as it changes by itself.
async function lookAgain() {
  const user = opened.id, before = opened.list;
  if (user === null || before === null || opened.waiting) return;
  const list = await ask(about("recommendations", user));
  if (list.generated_at === before.generated_at || opened.id !== user || opened.waiting) return;
  const [reasoned, past] = await Promise.all([explained(user), pastOf(user)]);
  if (opened.id !== user || opened.list !== before) return;
  // What a click did stays long enough to be read.
  if (performance.now() - opened.toldAt > READ_MS) say(`A new list came: ${changeOf(reasoned, before)}.`);
  showList(reasoned, before);
  showHistory(past);
}

async function newListAfter(event, user, before, started) {
  while (performance.now() - started < PATIENCE_MS) {
    const list = await ask(about("recommendations", user));
    const took = Math.round(performance.now() - started);
    // The list is the new one when it was made again, out of an event at least as late as this click.
    if (list.generated_at !== before.generated_at && list.event_ts >= event.ts - 0.001) return { took };
    await pause(POLL_MS);
  }
  throw new Error("The click was sent, but no new list came within 10 s. Is a worker running? Was it quarantined?");
}

function waiting(on) { // aria-disabled keeps the focus where it is, which disabled would lose
  opened.waiting = on;
  for (const button of document.querySelectorAll("#list button")) button.setAttribute("aria-disabled", String(on));
}

async function sendClick(item) {
  if (opened.waiting) return;
  waiting(true);
  const user = opened.id, before = opened.list;
  const name = before.items.find(each => each.item_id === item)?.title ?? item;
  say(`Click on ${name} sent; waiting for the new list …`);
  try {
    const started = performance.now();
    const event = await ask("/events/click", { method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user_id: user, item_id: item }) });
    const { took } = await newListAfter(event, user, before, started);
    const [list, past] = await Promise.all([explained(user), pastOf(user)]);
    if (opened.id !== user) return;
    say(`from the click on ${name} to the new list: ${changeOf(list, before)}.`, { took });
    opened.toldAt = performance.now();
    showList(list, before);
    showHistory(past);
  } catch (error) {
    if (opened.id === user) say(error.message, { failed: true });
  } finally {
    waiting(false);
  }
}

async function watchUsers() {
  for (let due = 0; ; await pause(LOOK_AGAIN_MS)) {
    if (!isShown("users") || document.hidden || isLocked()) continue;
    try {
      if (performance.now() >= due) {
        const users = await showRecent();
        if (users.length) due = performance.now() + RECENT_MS;
        // One user is there from the start.
        if (opened.id === null && users.length && document.activeElement !== $("user")) { stay("users", users[0].user_id); lookUp(users[0].user_id); }
      }
      await lookAgain();
    } catch (error) {
      if (error.status !== 401) alarm(error.message);
    }
  }
}

tabs.users = {
  show(user) {
    if (user === undefined) { if (opened.id !== null) stay("users", opened.id); }
    else if (user !== opened.id) lookUp(user);
  },
};
listeners.token.push(() => { if (opened.id !== null) lookUp(opened.id); });

$("click").hidden = !acceptsEvents;
$("no-clicks").hidden = acceptsEvents;
$("lookup").addEventListener("submit", event => {
  event.preventDefault();
  opened.id = null; // so that the same user is looked up again too
  go("users", $("user").value);
});
$("click").addEventListener("submit", event => { event.preventDefault(); sendClick($("clicked").value); });
watchUsers();
