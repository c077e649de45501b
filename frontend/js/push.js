// Lets calls ring on this phone. Nothing is asked before somebody presses the button: browsers punish those who do.
// Markup: [data-push] holds the public key and the words for each state; inside it [data-push-state], [data-push-turn-on]
// and [data-push-turn-off]. Pages without it (<html data-vapid data-person>) only keep the address fresh.

const box = document.querySelector("[data-push]");
const { vapid, person = "" } = document.documentElement.dataset;
const key = box?.dataset.push || vapid;
const able = window.isSecureContext && "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
const PATIENCE = 8000; // milliseconds; a browser that cannot reach its push service may never say so
const WANTED = "pullcord-ringing"; // in localStorage: the address as the server knows it, while ringing is on
const TOLD = "pullcord-ringing-told"; // in sessionStorage: what the server was told since the app was opened

if (able && key) start();

async function start() {
  box?.querySelector("[data-push-turn-on]").addEventListener("click", () => attempt(turnOn));
  box?.querySelector("[data-push-turn-off]").addEventListener("click", () => attempt(turnOff));
  await attempt(refresh);
}

// Subscriptions die quietly: at every opening we look whether ours still lives, and tell the server.
async function refresh() {
  const registration = await registered();
  for (const one of await registration.getNotifications()) if (one.data?.settled) one.close();
  if (Notification.permission === "denied") return "blocked";
  const wanted = localStorage.getItem(WANTED) && Notification.permission === "granted";
  const subscription = wanted ? await subscribed(registration) : await registration.pushManager.getSubscription();
  if (!subscription) return "off";
  if (sessionStorage.getItem(TOLD) !== news(subscription)) await tell(subscription);
  return "on";
}

async function turnOn() {
  if ((await Notification.requestPermission()) !== "granted") {
    return Notification.permission === "denied" ? "blocked" : "off";
  }
  await tell(await subscribed(await registered()));
  return "on";
}

async function turnOff() {
  const registration = await registered();
  const id = localStorage.getItem(WANTED);
  await (await registration.pushManager.getSubscription())?.unsubscribe();
  localStorage.removeItem(WANTED);
  sessionStorage.removeItem(TOLD);
  if (id) await fetch(`/addresses/${id}`, { method: "DELETE" });
  return "off";
}

async function registered() {
  await navigator.serviceWorker.register("/service-worker.js", { updateViaCache: "none" });
  return navigator.serviceWorker.ready;
}

async function subscribed({ pushManager }) {
  const applicationServerKey = bytes(key);
  const old = await pushManager.getSubscription();
  if (old && same(old.options.applicationServerKey, applicationServerKey)) return old;
  await old?.unsubscribe(); // made for another key: it could never ring
  return soon(pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }));
}

function soon(promise) {
  return Promise.race([promise, new Promise((_, fail) => setTimeout(fail, PATIENCE, new Error("no answer")))]);
}

async function tell(subscription) {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const body = JSON.stringify({ kind: "webpush", subscription, label: label() });
  const answer = await fetch("/addresses", { method: "POST", headers, body });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(said.text);
  localStorage.setItem(WANTED, said.id);
  sessionStorage.setItem(TOLD, news(subscription));
}

// Somebody else who logs in on this phone is news too: from then on it is theirs that rings.
function news(subscription) {
  return `${person} ${subscription.endpoint}`;
}

class Refusal extends Error {}

async function attempt(step) {
  show("working");
  try {
    show(await step());
  } catch (error) {
    show("failed", error instanceof Refusal ? error.message : "");
  }
}

function show(state, sentence = "") {
  if (!box) return;
  box.dataset.state = state;
  box.querySelector("[data-push-state]").textContent = sentence || box.dataset[state] || "";
  box.querySelector("[data-push-turn-on]").hidden = !["off", "failed"].includes(state);
  box.querySelector("[data-push-turn-off]").hidden = state !== "on";
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
