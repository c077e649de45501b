// The phone check: runs row by row when asked to, shows what each row found, and gives the result a code.
// Markup: [data-doctor] with one [data-check] for each row, in it one [data-said] for each thing it may say.

import { ask, BROKEN, checks } from "./checkup.js";
import { able } from "./subscription.js";

const list = document.querySelector("[data-doctor]");
const button = document.querySelector("[data-run]");
const verdict = document.querySelector("[data-verdict]");
const signedIn = Boolean(list.dataset.signedIn);

async function run() {
  button.disabled = true;
  verdict.hidden = true;
  // Browsers let a page ask only right after a tap. Who is not signed in is not rung, so nothing is asked.
  const asked = signedIn && able && Notification.permission === "default";
  const fresh = asked && (await Notification.requestPermission()) === "granted";
  const known = { signedIn, fresh, account: list.dataset.chat };
  const found = {};
  for (const key of Object.keys(checks)) show(key, {});
  for (const [key, check] of Object.entries(checks)) {
    const [said, value = null] = [await attempt(check, key, { ...known, ...found })].flat();
    show(key, (found[key] = { said, value: value && Math.round(value * 10) / 10 }));
  }
  conclude(found, await keep(found));
  button.disabled = false;
}

async function attempt(check, key, found) {
  try {
    return await check(found);
  } catch {
    return BROKEN[key];
  }
}

function show(key, { said, value }) {
  const row = list.querySelector(`[data-check=${key}]`);
  row.dataset.tone = "";
  for (const text of row.querySelectorAll("[data-said]")) {
    text.hidden = text.dataset.said !== said;
    if (text.hidden) continue;
    row.dataset.tone = text.dataset.is;
    const words = text.querySelector(".tone");
    words.dataset.words ??= words.textContent;
    words.textContent = words.dataset.words.replace("{value}", value);
  }
}

async function keep(found) {
  const headers = { "Content-Type": "application/json" };
  return (await ask("/doctor/checks", { method: "POST", headers, body: JSON.stringify({ found }) }))?.code;
}

function conclude({ push, ...others }, code) {
  const crossed = Object.keys(others).some((key) => list.querySelector(`[data-check=${key}]`).dataset.tone === "red");
  const state = push.said === "ok" ? "rings" : signedIn || crossed ? "silent" : "works";
  verdict.dataset.tone = { rings: "green", silent: "red", works: "blue" }[state];
  verdict.querySelector(".now__what").textContent = verdict.dataset[state];
  verdict.querySelector(".check__code").textContent = code ? `${code.slice(0, 3)} ${code.slice(3)}` : "";
  verdict.querySelector("[data-code-known]").hidden = !code;
  verdict.querySelector("[data-code-unknown]").hidden = Boolean(code);
  verdict.hidden = false;
  verdict.scrollIntoView({ block: "center" });
}

button.addEventListener("click", run);
