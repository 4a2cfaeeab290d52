"use strict";
const acceptsEvents = document.documentElement.dataset.acceptsEvents === "true";
const PATIENCE_MS = 10000;
const TOKEN_KEY = "headrace-token";
const $ = id => document.getElementById(id);
const number = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
const encoded = encodeURIComponent;
const tabs = {}; // by name: { show(rest), hide(), take(update) }, each optional
const listeners = { token: [] };
let token = sessionStorage.getItem(TOKEN_KEY);

// Text goes in as text, never as markup: titles and ids may hold anything.
function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function quietButton(text, action) {
  const button = element("button", text, "quiet");
  button.type = "button";
  button.addEventListener("click", action);
  return button;
}

async function request(where, options) {
  const used = token;
  const headers = { ...options?.headers, ...(used && { Authorization: `Bearer ${used}` }) };
  let response;
  try {
    response = await fetch(where, { ...options, headers });
  } catch {
    throw new Error("The server does not answer. Is headrace serve still running?");
  }
  if (response.status === 401) askForToken(used);
  return response;
}

async function ask(where, options) {
  const response = await request(where, { signal: AbortSignal.timeout(PATIENCE_MS), ...options });
  const body = await response.json().catch(() => null);
  if (!body) throw new Error("The server answered, but not with JSON.");
  if (!response.ok) throw Object.assign(new Error(body.detail), { status: response.status });
  return body;
}

// In the tab's storage and in no cookie: a browser sends cookies along with what other sites ask for.
function askForToken(refused) {
  if (refused !== token) return; // a later one is in use by now
  if (refused) $("access-note").textContent = "The server does not know this token.";
  token = null;
  sessionStorage.removeItem(TOKEN_KEY);
  $("access").hidden = false;
}

$("access-form").addEventListener("submit", event => {
  event.preventDefault();
  token = $("token").value.trim();
  sessionStorage.setItem(TOKEN_KEY, token);
  $("token").value = "";
  $("access-note").textContent = "";
  $("access").hidden = true;
  for (const listener of listeners.token) listener();
});

const isLocked = () => !$("access").hidden;

function alarm(message) {
  $("figures").classList.toggle("stale", Boolean(message));
  $("alarm").hidden = !message;
  if ($("alarm").textContent !== message) $("alarm").textContent = message;
}

const seconds = value => value === null ? "–" : value < 1 ? `${(value * 1000).toPrecision(3) * 1} ms`
  : `${value.toPrecision(3) * 1} s`;
const amount = value => value >= 10 || value === 0 ? number.format(value) : `${value.toPrecision(2) * 1}`;
const clock = at => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

function ago(at) {
  const passed = Math.max(0, Date.now() / 1000 - at);
  if (passed < 90) return `${Math.round(passed)} s ago`;
  if (passed < 5400) return `${Math.round(passed / 60)} min ago`;
  return passed < 129600 ? `${Math.round(passed / 3600)} h ago`
    : new Date(at * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

// The part of the page and what it shows, such as #users/ada, so that a link or a reload shows the same.
const fragmentOf = (name, rest) => rest === undefined ? `#${name}` : `#${name}/${encoded(rest)}`;
const stay = (name, rest) => history.replaceState(null, "", fragmentOf(name, rest));

function go(name, rest) {
  if (location.hash !== fragmentOf(name, rest)) history.pushState(null, "", fragmentOf(name, rest));
  showTab(name, rest);
}

const nameOf = tab => tab.id.slice("tab-".length);
const isShown = name => !$(`panel-${name}`).hidden;

function showTab(name, rest) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const each = nameOf(tab), on = each === name, panel = $(`panel-${each}`);
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
    if (!on && !panel.hidden) tabs[each]?.hide?.();
    panel.hidden = !on;
  }
  tabs[name]?.show?.(rest);
}

function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

function openFragment() {
  const [name, ...rest] = location.hash.slice(1).split("/");
  if ($(`tab-${name}`)?.getAttribute("role") === "tab") showTab(name, rest.length ? decoded(rest.join("/")) : undefined);
  else showTab("overview");
}
