// Tells the server which cards somebody really has before their eyes, and shows on them how far their calls got.
//   [data-shows=<anomaly id>]  a card; [data-opens] in its place: what this page is about.
//   [data-calls] inside it: room for "rang 3 phones …" and "why you", kept free so that no button moves under a thumb.
// A page in the background or a card below the edge has shown nothing.

const QUIET = 400; // milliseconds: what appears together is told together
const AGAIN = 10_000; // while calls are out, how far they got changes by itself
const seen = new Map(); // anomaly -> its card
const texts = new Map(); // anomaly -> what its card says, so that a card that replaces itself says it at once
const due = new Set();
let timer;

const eyes = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) soon(target);
    else due.delete(target);
  }
}, { threshold: 0.5 });

function watch(within) {
  for (const card of within.querySelectorAll("[data-shows], [data-opens]")) {
    if (seen.get(name(card)) === card) continue;
    seen.set(name(card), card);
    write(card);
    eyes.observe(card);
  }
}

function name({ dataset }) {
  return dataset.shows ?? dataset.opens;
}

function soon(card, pause = QUIET) {
  due.add(card);
  if (!document.hidden) timer ??= setTimeout(tell, pause);
}

async function tell() {
  timer = undefined;
  const cards = [...due].filter((card) => card.isConnected).slice(0, 60);
  due.clear();
  if (document.hidden || !cards.length) return cards.forEach((card) => due.add(card));
  const [shown, opened] = ["shows", "opens"].map((key) => cards.map((card) => card.dataset[key]).filter(Boolean));
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const request = { method: "POST", headers, body: JSON.stringify({ shown, opened }) };
  const answer = await fetch("/deliveries/shown", request).catch(() => null);
  const said = answer?.ok ? await answer.json() : {};
  for (const card of cards) {
    fill(card, said[name(card)]);
    // Not heard, or the call came after the page: what this page is about is told again in any case.
    if (!answer?.ok || said[name(card)] || card.dataset.opens) later(card);
  }
}

function later(card) {
  setTimeout(() => card.isConnected && onScreen(card) && soon(card), AGAIN);
}

function fill(card, told) {
  const room = card.querySelector("[data-calls]");
  if (!room || !told) return;
  const why = told.why && room.dataset.why.replace("{why}", told.why);
  texts.set(name(card), [told.calls, why].filter(Boolean).join("\n"));
  write(card);
}

function write(card) {
  const room = card.querySelector("[data-calls]");
  if (room) room.textContent = texts.get(name(card)) ?? "";
}

function onScreen(card) {
  const { top, bottom } = card.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

document.addEventListener("htmx:load", ({ target }) => watch(target.parentElement ?? document));
document.addEventListener("visibilitychange", () => {
  for (const card of document.hidden ? [] : seen.values()) if (card.isConnected && onScreen(card)) soon(card);
});
watch(document);
