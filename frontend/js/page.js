// What every page does: no action goes out twice, what only serves people without JavaScript steps aside,
// refusals can be closed, a lost connection is said, light and dark change without losing what is typed.

const root = document.documentElement;
const messages = document.getElementById("messages");

// A glove bounces: within 800 ms the same form is the same tap.
const tapped = new WeakMap();
document.addEventListener("submit", (event) => {
  if (event.timeStamp - (tapped.get(event.target) ?? -Infinity) < 800) {
    event.preventDefault();
    event.stopImmediatePropagation();
  } else {
    tapped.set(event.target, event.timeStamp);
  }
}, true);

function stepAside(within) {
  for (const element of within.querySelectorAll("[data-without-js]")) element.hidden = true;
}
stepAside(document);
document.addEventListener("htmx:load", (event) => stepAside(event.target));

document.addEventListener("click", (event) => {
  event.target.closest("[data-close]")?.closest(".message").remove();
});

export function sayNotSent() {
  messages.replaceChildren(document.getElementById("no-connection").content.cloneNode(true));
}
for (const failure of ["htmx:sendError", "htmx:responseError"]) {
  // A page that only wanted to refresh itself says it by the live dot.
  document.addEventListener(failure, (event) => event.detail.requestConfig?.verb !== "get" && sayNotSent());
}
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.requestConfig.verb !== "get") messages.replaceChildren();
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-theme-switch]")) return;
  event.preventDefault();
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "bright";
  const now = root.dataset.theme === "auto" ? system : root.dataset.theme;
  root.dataset.theme = now === "dark" ? "bright" : "dark";
  const body = new URLSearchParams({ theme: root.dataset.theme, next: "/offline" });
  fetch(event.target.action, { method: "POST", body, redirect: "manual" }).catch(() => {});
});

// The page for a phone without a network, for everybody; needs HTTPS, like all of it.
navigator.serviceWorker?.register("/service-worker.js", { updateViaCache: "none" }).catch(() => {});
