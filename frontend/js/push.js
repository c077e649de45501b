// Lets calls ring on this phone. Nothing is asked before somebody presses the button: browsers punish those who do.
// Markup: [data-push] holds the public key and the words for each state; inside it [data-push-state], [data-push-turn-on]
// and [data-push-turn-off]. Pages without it (<html data-vapid data-person>) only keep the address fresh.

import { able, Refusal, registered, renew, subscribe, unsubscribe } from "./subscription.js";

const box = document.querySelector("[data-push]");
const key = box?.dataset.push || document.documentElement.dataset.vapid;

if (able && key) start();

async function start() {
  box?.querySelector("[data-push-turn-on]").addEventListener("click", () => attempt(turnOn));
  box?.querySelector("[data-push-turn-off]").addEventListener("click", () => attempt(turnOff));
  await attempt(refresh);
}

async function refresh() {
  for (const one of await (await registered()).getNotifications()) if (one.data?.settled) one.close();
  if (Notification.permission === "denied") return "blocked";
  return (await renew(key)) ? "on" : "off";
}

async function turnOn() {
  if ((await Notification.requestPermission()) !== "granted") {
    return Notification.permission === "denied" ? "blocked" : "off";
  }
  await subscribe(key);
  return "on";
}

async function turnOff() {
  await unsubscribe();
  return "off";
}

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
