"use strict";
// Figures come as server-sent events. They are read with fetch, since EventSource sends no token. Where a proxy
// breaks the stream off, the page asks every second instead.
const SILENCE_MS = 5000;
let since = 0, stop = new AbortController();

function take(update) {
  since = update.at;
  const none = update.live && !update.live.workers.length;
  alarm(update.problem || (none ? "No worker is running: lists stay as they are. Start one with: headrace worker" : ""));
  for (const tab of Object.values(tabs)) tab.take?.(update);
}

async function listen() {
  stop = new AbortController();
  const response = await request(`/live/stream?since=${since}`, { signal: stop.signal });
  if (!response.ok) throw Object.assign(new Error((await response.json().catch(() => ({}))).detail), { status: response.status });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ;) {
    const silence = setTimeout(() => stop.abort(), SILENCE_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(silence));
    if (done) return;
    const messages = (rest + value).split("\n\n");
    rest = messages.pop();
    for (const message of messages) take(JSON.parse(message.slice("data: ".length)));
  }
}

async function follow() {
  for (; ; await pause(1000)) {
    if (isLocked() || document.hidden) continue;
    try {
      await listen().catch(error => { if (error.status === 401) throw error; });
      if (document.hidden) continue;
      take(await ask(`/live/history?since=${since}`));
    } catch (error) {
      if (error.status !== 401) alarm(error.message);
    }
  }
}

const tabButtons = [...document.querySelectorAll("[role=tab]")];
for (const [at, tab] of tabButtons.entries()) {
  tab.addEventListener("click", () => go(nameOf(tab)));
  tab.addEventListener("keydown", event => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = tabButtons.at(to % tabButtons.length);
    go(nameOf(next));
    next.focus();
  });
}
// A browser opens six connections to a server, so a tab that nobody sees must not hold one.
document.addEventListener("visibilitychange", () => { if (document.hidden) stop.abort(); });
addEventListener("pagehide", () => stop.abort());
addEventListener("popstate", openFragment);
openFragment();
follow();
