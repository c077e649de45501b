// Keeps the app usable without a network, and rings the phone when the app is closed.
// The server fills in the next two lines: a new version of any file is a new version of this worker.
const VERSION = "__VERSION__";
const PRECACHE = __PRECACHE__;

const CACHE = `pullcord-${VERSION}`;
const OFFLINE = "/offline";
const STATION = /^\/s\/[^/]+$/i;
const PATIENCE = 10_000; // milliseconds
const GLANCE = 700; // a window may only open right after a tap: Firefox gives it a second

// ── Installing: a new version takes over at once, and nothing of the old one stays ──
self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll([...new Set([OFFLINE, ...PRECACHE])].map((url) => new Request(url, { cache: "reload" })));
  await self.skipWaiting();
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
  await self.clients.claim();
}

// ── Fetching: pages from the network first, files that never change within a version from the cache first ──
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request, url));
  else if (url.pathname.startsWith("/static/")) event.respondWith(file(request, url));
});

// Of all pages only those of stations are kept, and as anybody gets them: a shared phone must not tell who held it last.
async function page(request, url) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected && STATION.test(url.pathname)) keep(cache, url.pathname).catch(() => {});
    return answer;
  } catch {
    const kept = STATION.test(url.pathname) && (await cache.match(url.pathname));
    return kept || (await cache.match(OFFLINE)) || Response.error();
  }
}

async function keep(cache, path) {
  if (await cache.match(path)) return;
  const anybodys = await fetch(path, { credentials: "omit" });
  if (anybodys.ok) await cache.put(path, anybodys);
}

async function file(request, url) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: !url.search });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

// ── Ringing: every push is shown, whatever it holds; browsers take the right away from those who stay silent ──
self.addEventListener("push", (event) => event.waitUntil(ring(letter(event))));
self.addEventListener("notificationclick", (event) => event.waitUntil(answer(event)));
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));

// Safari has read the letter already (event.notification); elsewhere it is ours to read.
function letter(event) {
  const nothing = { title: "Pullcord" };
  try {
    return event.notification ?? event.data.json().notification ?? nothing;
  } catch {
    return nothing;
  }
}

async function ring(told) {
  await show(told.title, { ...told, renotify: told.renotify && !(await rangAlready(told)) });
  await report(told.data, "displayed");
}

// The same call may come twice, when the sender died before it could write down that it was sent. It rings once.
async function rangAlready({ tag, data }) {
  const here = await self.registration.getNotifications({ tag: tag || "" }).catch(() => []);
  return here.some((shown) => shown.data?.delivery === data?.delivery);
}

function show(title, { body, lang, tag, renotify, requireInteraction, data, actions }) {
  return self.registration.showNotification(title || "Pullcord", {
    body,
    lang,
    dir: "auto",
    tag: tag || "",
    renotify: Boolean(tag && renotify),
    requireInteraction: Boolean(requireInteraction),
    icon: "/static/icons/icon-192.png",
    badge: "/static/icons/badge-96.png",
    vibrate: requireInteraction ? [400, 150, 400, 150, 400] : [200],
    data,
    actions: (actions ?? []).map(({ action, title }) => ({ action, title })),
  });
}

async function answer({ notification, action }) {
  notification.close();
  if (action === "accept") return accept(notification);
  const { url = "/", answer, settled } = notification.data ?? {};
  if (answer && !action && !settled) return tap(notification, url);
  const opening = open(url); // first: only right after a tap may a window open
  await Promise.allSettled([opening, report(notification.data, "opened")]);
}

// At the start of a shift the tap itself is the answer. The page waits for it for a moment, to show that it counted.
async function tap(bell, url) {
  const answering = accept(bell);
  await Promise.race([answering, new Promise((done) => setTimeout(done, GLANCE))]);
  await Promise.allSettled([open(url), answering]);
}

// The answer takes the call's place. Without one, the call stays, and says clearly that nobody has it.
async function accept({ title, body, lang, tag, data }) {
  const [again, look] = ["accept", "open"].map((action) => ({ action, title: data.words[action] }));
  const failed = { body: `${title}\n${body}`, lang, tag, data, actions: [again, look], renotify: true, requireInteraction: true };
  try {
    const reply = await post(`/deliveries/${data.delivery}/${data.answer ?? "acceptance"}`, data.token);
    if (reply.status >= 500) return show(data.words.failed, failed);
    const said = await reply.json().catch(() => ({}));
    const settled = { body: said.body ?? said.text ?? title, lang, tag, data: { ...data, settled: true } };
    const heading = said.title ?? (reply.ok ? data.words.accepted : title);
    return show(heading, { ...settled, actions: [look] });
  } catch {
    return show(data.words.failed, failed);
  }
}

// Always on our own origin: that is where this phone is logged in, whatever name the letter has for us.
async function open(url) {
  const { pathname, search } = new URL(url, self.location.origin);
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const same = windows.find((client) => new URL(client.url).pathname === pathname);
  return same ? same.focus() : self.clients.openWindow(pathname + search);
}

// Lost reports would make the plant believe that nobody was reached, so one more try is worth it.
async function report(data, what) {
  if (!data?.delivery) return;
  for (const pause of [0, 2000]) {
    await new Promise((done) => setTimeout(done, pause));
    const reply = await post(`/deliveries/${data.delivery}/${what}`, data.token).catch(() => null);
    if (reply && reply.status < 500) return;
  }
}

function post(path, token) {
  const body = new URLSearchParams({ token });
  const headers = { Accept: "application/json" };
  return fetch(path, { method: "POST", body, headers, keepalive: true, signal: AbortSignal.timeout(PATIENCE) });
}

// The browser changed this phone's address. When we cannot tell the server, push.js does at the next opening.
async function renew(event) {
  const { applicationServerKey } = event.oldSubscription?.options ?? {};
  const options = { userVisibleOnly: true, applicationServerKey };
  const fresh = event.newSubscription ?? (applicationServerKey && (await self.registration.pushManager.subscribe(options)));
  if (!fresh) return;
  const replaces = event.oldSubscription?.endpoint ?? "";
  const body = JSON.stringify({ kind: "webpush", subscription: fresh, label: "", replaces });
  await fetch("/addresses", { method: "POST", headers: { "Content-Type": "application/json" }, body });
}
