// What a phone can find out about itself. Each check returns the name of what it found, some with a figure beside it;
// it may look at what the checks before it found. The names get their words in app/people/phonecheck.py.

import { able, known, Refusal, registered, renew, subscribe } from "./subscription.js";

const agent = navigator.userAgent;
const LONGEST = 30; // seconds for a push to come
const TRUE_CLOCK = 20; // seconds a clock may be wrong

// What a row says when its check itself falls over.
export const BROKEN = { secure: "http", browser: "old", worker: "failed", storage: "not_kept", camera: "missing", permission: "none",
  subscription: "unreachable", push: "failed", stream: "silent", clock: "unknown", chat: "unbound" };

export const checks = {
  secure: () => (isSecureContext ? "ok" : "http"),
  browser() {
    if (/MicroMessenger/i.test(agent)) return "wechat";
    if (/DingTalk|Lark|Feishu|wxwork|FBAN|FBAV/i.test(agent)) return "inside";
    if (/iPhone|iPad|iPod/.test(agent) && !navigator.standalone) return "home";
    return able || !isSecureContext ? "ok" : "old";
  },
  async worker() {
    if (!isSecureContext) return "none";
    return (await within(8, registered())).active ? "ok" : "failed";
  },
  async storage() {
    if (!navigator.storage?.persist) return "none";
    return (await navigator.storage.persisted()) || (await within(10, navigator.storage.persist())) ? "ok" : "not_kept";
  },
  async camera() {
    if (!navigator.mediaDevices) return "none";
    try {
      const film = await within(20, navigator.mediaDevices.getUserMedia({ video: true }));
      for (const track of film.getTracks()) track.stop();
      return "ok";
    } catch ({ name }) {
      return name === "NotAllowedError" ? "denied" : "missing";
    }
  },
  permission() {
    if (!isSecureContext || !("Notification" in window)) return "none";
    return { granted: "ok", denied: "denied" }[Notification.permission] ?? "not_asked";
  },
  async subscription(found) {
    if (!able) return "none";
    if (!found.signedIn) return "login";
    if (found.permission.said !== "ok") return "off";
    try {
      if (found.fresh) await subscribe();
      return (await renew()) ? "ok" : "off";
    } catch (error) {
      return error instanceof Refusal ? "refused" : "unreachable";
    }
  },
  async push(found) {
    if (!found.signedIn) return "login";
    if (found.subscription.said !== "ok") return "off";
    const began = performance.now();
    let test = await ask("/me/test", { method: "POST", body: new URLSearchParams({ address: known() }) });
    if (!test) return "busy";
    while (performance.now() - began < LONGEST * 1000) {
      const [line] = test?.lines ?? [];
      if (line?.error) return "failed";
      if (line && line.seconds !== null) return ["ok", line.seconds];
      await pause(400);
      test = (await ask(`/me/test?of=${test.of}`)) ?? test;
    }
    return ["late", LONGEST];
  },
  async stream() {
    const began = performance.now();
    const source = new EventSource("/stream");
    try {
      await within(8, new Promise((heard) => source.addEventListener("beat", heard)));
      return ["ok", Math.max((performance.now() - began) / 1000, 0.1)];
    } finally {
      source.close();
    }
  },
  async clock() {
    const before = Date.now();
    const answer = await fetch("/livez", { cache: "no-store" });
    const there = Date.parse(answer.headers.get("date")) + 500; // it is cut to whole seconds
    if (!there) return "unknown";
    const wrong = Math.max(Math.round(Math.abs((before + Date.now()) / 2 - there) / 1000), 1);
    return [wrong > TRUE_CLOCK ? "wrong" : "ok", wrong];
  },
  chat: ({ account }) => account,
};

export async function ask(address, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  const answer = await fetch(address, { ...options, headers }).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

function within(seconds, promise) {
  return Promise.race([promise, pause(seconds * 1000).then(() => Promise.reject(new Error("no answer")))]);
}

function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}
