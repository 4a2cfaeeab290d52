"use strict";
const catalogue = { choice: null, cursor: null, shown: 0, read: 0, loading: null };
const priceOf = item => item.price === undefined ? "–" : `${item.price.toFixed(2)}${item.currency ? ` ${item.currency}` : ""}`;
const isHidden = item => !item.available || item.recommendable === false;
const BY = { neighbours: "by users", semantic: "by meaning" };

function whyHidden(item) {
  const reasons = (item.reasons ?? []).map(reason => reason.replaceAll("_", " "));
  if (item.recommendable === false) return `hidden: ${reasons.join(", ") || "its text is judged too poor"}`;
  if (!item.available) return "hidden: not available";
  return reasons.length ? `shown, with doubts: ${reasons.join(", ")}` : "shown";
}

function qualityOf(item) {
  const cell = element("td");
  if (item.quality === undefined) { cell.textContent = "not judged"; cell.className = "soft small"; return cell; }
  const bar = element("meter");
  Object.assign(bar, { min: 0, max: 1, low: 0.2, high: 0.5, optimum: 1, value: item.quality });
  bar.setAttribute("aria-label", `quality ${item.quality.toFixed(2)} of 1`);
  cell.append(bar, element("small", item.quality.toFixed(2)));
  return cell;
}

// Only from origins that the settings name; the browser refuses all others. It does not say where it asks from.
const picturesFrom = document.documentElement.dataset.picturesFrom.split(" ");
function picture(item, className) {
  if (!URL.canParse(item.image_url ?? "") || !picturesFrom.includes(new URL(item.image_url).origin)) return null;
  const shown = element("img", null, className);
  Object.assign(shown, { alt: "", loading: "lazy", referrerPolicy: "no-referrer", src: item.image_url });
  shown.addEventListener("error", () => shown.remove()); // rather nothing than a broken picture
  return shown;
}

function itemRow(item) {
  const row = element("tr"), name = element("td"), link = quietButton(item.title ?? item.item_id, () => go("items", item.item_id));
  link.className = "plain";
  const below = element("small", item.title ? item.item_id : "without a title");
  below.append(element("span", ` · ${whyHidden(item)}`, "narrow"));
  const shown = picture(item, "thumb");
  if (shown) name.append(shown);
  name.append(link, below);
  const state = element("td", whyHidden(item), isHidden(item) ? "wide bad" : "wide");
  row.append(name, element("td", item.category ?? "–", "wide"), element("td", priceOf(item), "number wide"), qualityOf(item), state);
  return row;
}

async function nextPage() {
  const { choice } = catalogue, query = new URLSearchParams({ ...choice, cursor: catalogue.cursor ?? "0-0", k: "50" });
  const page = await ask(`/catalogue?${query}`);
  if (choice !== catalogue.choice) return; // another search began meanwhile
  catalogue.cursor = page.cursor;
  catalogue.read += page.read;
  catalogue.shown += page.items.length;
  $("item-rows").append(...page.items.map(itemRow));
}

// Pages of a rare text may be empty: go on until there is something to see.
async function more() {
  const { choice } = catalogue, enough = catalogue.shown + 20;
  $("more").setAttribute("aria-disabled", "true");
  try {
    do await nextPage(); while (choice === catalogue.choice && catalogue.cursor && catalogue.shown < enough);
    if (choice !== catalogue.choice) return;
    const found = `${number.format(catalogue.shown)} found among ${number.format(catalogue.read)} items`;
    $("items-note").textContent = catalogue.cursor ? `${found} that were read; More reads on` : found;
    $("items-table").hidden = !catalogue.shown;
    $("more").hidden = !catalogue.cursor;
  } catch (error) {
    $("items-note").textContent = error.message;
  } finally {
    $("more").setAttribute("aria-disabled", "false");
  }
}

function search() {
  catalogue.choice = { search: $("search").value.trim(), hidden: String($("hidden-only").checked) };
  Object.assign(catalogue, { cursor: null, shown: 0, read: 0 });
  $("item-rows").replaceChildren();
  $("items-note").textContent = "Looking …";
  return more();
}

function term(list, name, value, className) {
  if (value === undefined || value === null || value === "") return;
  const entry = element("div"), shown = element("dd", null, className);
  shown.append(value);
  entry.append(element("dt", name), shown);
  list.append(entry);
}

// Only addresses of the web, and without telling where one came from: a catalogue may hold anything.
function outside(address, text) {
  if (!/^https?:\/\//i.test(address ?? "")) return null;
  const link = element("a", text);
  link.href = address;
  link.rel = "noopener noreferrer";
  link.target = "_blank";
  return link;
}

function showItem(item) {
  $("item-title").textContent = item.title ?? item.item_id;
  const facts = element("dl", null, "facts");
  term(facts, "In lists", whyHidden(item), isHidden(item) ? "bad" : "good");
  term(facts, "Id", item.item_id);
  term(facts, "Category", item.category);
  term(facts, "Brand", item.brand);
  term(facts, "Price", item.price === undefined ? null : priceOf(item));
  term(facts, "Available", item.available ? "yes" : "no");
  term(facts, "Quality of the text", item.quality === undefined ? "not judged" : `${item.quality.toFixed(2)} of 1`);
  term(facts, "Picture", picture(item, "picture") ?? outside(item.image_url, "open the picture"));
  term(facts, "Page", outside(item.url, "open the shop's page"));
  const repairs = (item.repairs ?? []).map(({ field, rule, before, after }) => {
    const entry = element("li", `${field}, ${rule.replaceAll("_", " ")}`);
    entry.append(element("small", `before: ${before}`), element("small", `after: ${after}`));
    return entry;
  });
  $("item-facts").replaceChildren(facts);
  $("repairs").replaceChildren(...repairs);
  $("repairs-title").hidden = !repairs.length;
}

function showSimilar(rows) {
  $("similar").replaceChildren(...rows.map(row => {
    const entry = element("li"), link = quietButton(row.title ?? row.item_id, () => go("items", row.item_id));
    link.className = "plain";
    entry.append(link, element("small", `${BY[row.source] ?? row.source} · ${row.score.toFixed(3)}`));
    return entry;
  }));
  $("similar-empty").hidden = rows.length > 0;
}

const orNothing = error => { if (error.status === 404) return null; throw error; };

async function openItem(id) {
  $("item").hidden = false;
  $("item-title").textContent = id;
  try {
    const query = `item_id=${encoded(id)}`;
    const item = await ask(`/items?${query}`).catch(orNothing);
    if (item === null) {
      $("item-facts").replaceChildren(element("p", "The catalogue does not have this item."));
      $("repairs").replaceChildren();
      $("repairs-title").hidden = true;
      showSimilar([]);
      return;
    }
    showItem(item);
    showSimilar((await ask(`/similar?${query}&k=12`).catch(orNothing))?.items ?? []);
  } catch (error) {
    $("item-facts").replaceChildren(element("p", error.message));
  }
  if (innerWidth <= 860) $("item").scrollIntoView(); // there it is below the table
}

tabs.items = {
  show(id) {
    if (catalogue.choice === null && !isLocked()) search();
    if (id !== undefined) openItem(id);
    else $("item").hidden = true;
  },
};
listeners.token.push(() => { if (isShown("items")) openFragment(); });
$("item-search").addEventListener("submit", event => { event.preventDefault(); search(); });
$("hidden-only").addEventListener("change", search);
$("more").addEventListener("click", () => { if ($("more").getAttribute("aria-disabled") !== "true") more(); });
