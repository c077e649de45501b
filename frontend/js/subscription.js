// The address at which this phone is called: made here, told to the server, given back. Shows nothing, asks nothing.

export class Refusal extends Error {}

const { vapid, person = "" } = document.documentElement.dataset;
const PATIENCE = 8000; // milliseconds; a browser that cannot reach its push service may never say so
const WANTED = "pullcord-ringing"; // in localStorage: the address as the server knows it, while ringing is on
const TOLD = "pullcord-ringing-told"; // in sessionStorage: what the server was told last, and when
const HOUR = 3_600_000;

export const able =
  window.isSecureContext && "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

export function known() {
  return localStorage.getItem(WANTED);
}

export async function registered() {
  await navigator.serviceWorker.register("/service-worker.js", { updateViaCache: "none" });
  return navigator.serviceWorker.ready;
}

// Somebody has said yes: from now on this phone rings.
export async function subscribe(key = vapid) {
  await tell(await made(await registered(), key));
}

// Subscriptions die quietly: whether ours still lives is asked at every opening, and it is made anew when it does not.
// Resolves with whether this phone rings.
export async function renew(key = vapid) {
  const registration = await registered();
  const wanted = known() && Notification.permission === "granted";
  const subscription = wanted ? await made(registration, key) : await registration.pushManager.getSubscription();
  if (!subscription) return false;
  if (sessionStorage.getItem(TOLD) === news(subscription)) return true;
  const { state } = await tell(subscription, { renewal: true });
  if (state === "live") return true;
  await subscription.unsubscribe();
  if (state === "removed" || !wanted) return forget();
  await tell(await made(registration, key), { renewal: true });
  return true;
}

export async function unsubscribe() {
  const id = known();
  await (await (await registered()).pushManager.getSubscription())?.unsubscribe();
  forget();
  if (id) await fetch(`/addresses/${id}`, { method: "DELETE" });
}

async function made({ pushManager }, key) {
  const applicationServerKey = bytes(key);
  const old = await pushManager.getSubscription();
  if (old && same(old.options.applicationServerKey, applicationServerKey)) return old;
  await old?.unsubscribe(); // made for another key: it could never ring
  return soon(pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }));
}

function soon(promise) {
  return Promise.race([promise, new Promise((_, fail) => setTimeout(fail, PATIENCE, new Error("no answer")))]);
}

async function tell(subscription, more = {}) {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const body = JSON.stringify({ kind: "webpush", subscription, label: label(), replaces: known() ?? "", ...more });
  const answer = await fetch("/addresses", { method: "POST", headers, body });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(said.text);
  if (said.id) {
    localStorage.setItem(WANTED, said.id);
    sessionStorage.setItem(TOLD, news(subscription));
  }
  return said;
}

function forget() {
  localStorage.removeItem(WANTED);
  sessionStorage.removeItem(TOLD);
  return false;
}

// Somebody else who logs in on this phone is news too: from then on it is theirs that rings. And so is a new hour.
function news(subscription) {
  return `${person} ${Math.floor(Date.now() / HOUR)} ${subscription.endpoint}`;
}

// How the person recognises this phone in their list; without it the server shows what it knows.
function label() {
  const { platform = "", brands = [] } = navigator.userAgentData ?? {};
  const brand = brands.map((one) => one.brand).find((name) => !/not.?a.?brand|chromium/i.test(name)) ?? "";
  return `${brand} ${platform}`.trim();
}

function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function same(one, other) {
  const given = new Uint8Array(one ?? []);
  return given.length === other.length && given.every((byte, place) => byte === other[place]);
}
