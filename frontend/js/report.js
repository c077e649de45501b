// Names a report on the phone. The same button on the same page is the same report, however often it is sent:
// by an impatient thumb, by a browser that tries again, by a page that is reloaded. Without JavaScript the server's
// own key does the same for one page.

import { uuid7 } from "./uuid7.js";

const keys = new Map();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-report]")) return;
  const button = `${form.action} ${event.submitter?.value}`;
  if (!keys.has(button)) keys.set(button, uuid7());
  form.elements.key.value = keys.get(button);
});

// Coming back to the page by the Back button is a new wish.
addEventListener("pageshow", (event) => event.persisted && keys.clear());
