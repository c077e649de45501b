// Keeps a page true: follows the plant's events and tells the parts of the page that they have changed.
//   [data-live=<anomaly id>]  gets the event "changed" when that anomaly does; [data-live-list] when any does.
// Both ask for themselves anew (hx-trigger="changed"). A part somebody is typing in is left alone.
// A board that is not true is worse than none: 10 s without a connection greys the dot, 60 s takes the counts away.

const STALE = 10_000;
const LOST = 60_000;
const SILENT = 40_000; // the server gives a beat every 15 s
const dot = document.querySelector("[data-stream]");
const waiting = new Set();
let source;
let timer;
let brokenSince = 0;
let heardAt = Date.now();
let opened = false;

function connect() {
  // What happens between the page and its stream is told first.
  source = new EventSource(`/stream?since=${encodeURIComponent(document.documentElement.dataset.now)}`);
  source.addEventListener("open", () => {
    heard();
    if (opened) changed("*"); // what happened in between is asked for, not guessed
    opened = true;
  });
  source.addEventListener("beat", heard);
  source.addEventListener("resync", () => changed("*"));
  source.addEventListener("anomaly", (event) => {
    heard();
    const detail = JSON.parse(event.data);
    document.dispatchEvent(new CustomEvent("live:anomaly", { detail }));
    changed(detail.id);
  });
  source.addEventListener("error", () => {
    brokenSince ||= Date.now();
    // After a dropped line the browser comes back by itself, with Last-Event-ID; after a refusal it does not.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 4000 + Math.random() * 4000);
  });
}

function heard() {
  brokenSince = 0;
  heardAt = Date.now();
  judge();
}

// A burst of events is one refresh, and not every phone asks in the same moment.
function changed(id) {
  waiting.add(id);
  if (!document.hidden) timer ??= setTimeout(refresh, 200 + Math.random() * 200);
}

function refresh() {
  timer = undefined;
  const ids = new Set(waiting);
  waiting.clear();
  if (!ids.size) return;
  for (const part of document.querySelectorAll("[data-live], [data-live-list]")) {
    const mine = "liveList" in part.dataset || ids.has(part.dataset.live) || ids.has("*");
    const covered = part.parentElement.closest("[data-live-list]");
    if (mine && !covered && !inUse(part)) part.dispatchEvent(new CustomEvent("changed"));
  }
}

function inUse(part) {
  const focus = document.activeElement;
  return part.querySelector("details[open]") || (part.contains(focus) && focus.matches("input, textarea, select"));
}

// The head of a page refreshes other parts with itself; the same courtesy holds for them.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (inUse(event.detail.target)) event.detail.shouldSwap = false;
});

// What could not be asked for is asked for again; and who was refused sees why (somebody else was faster).
document.addEventListener("htmx:sendError", () => setTimeout(changed, 3000, "*"));
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.requestConfig.verb !== "get" && detail.xhr.status >= 400) changed("*");
});
addEventListener("offline", () => (brokenSince ||= Date.now()));
addEventListener("online", () => {
  heard();
  changed("*");
});

function judge() {
  const silent = Date.now() - heardAt > SILENT;
  const since = brokenSince || (silent ? heardAt + SILENT - STALE : 0);
  const gone = since ? Date.now() - since : 0;
  const state = gone > LOST ? "lost" : gone > STALE ? "stale" : "on";
  if (dot && dot.dataset.stream !== state) {
    dot.dataset.stream = state;
    dot.textContent = dot.dataset[state];
  }
  if (state === "lost") for (const count of document.querySelectorAll("[data-count]")) count.textContent = "–";
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  judge();
  refresh();
});

if (document.querySelector("[data-live], [data-live-list]")) {
  connect();
  setInterval(judge, 1000);
}
