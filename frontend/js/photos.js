// Photos: shrunk on the phone, then sent one by one to [data-photos], each with its own progress and its own second try.

import { element, send } from "./send.js";
import { shrink } from "./shrink.js";
import { uuid7 } from "./uuid7.js";

const gallery = document.querySelector("[data-photos]");
const input = gallery.querySelector("input[type=file]");

input?.addEventListener("change", take);
if (input?.files.length) take(); // chosen while this script was still on its way

async function take() {
  const files = [...input.files].slice(0, Number(gallery.dataset.room));
  input.value = "";
  for (const file of files) await add(file);
}

async function add(file) {
  room(-1);
  const photo = await shrink(file);
  const tile = document.createElement("button");
  tile.type = "button";
  tile.className = "shot shot--taken";
  const picture = new Image();
  picture.src = URL.createObjectURL(photo);
  const bar = document.createElement("progress");
  gallery.append(tile);
  const id = uuid7(); // the same at every try: a photo that did arrive is not stored twice
  tile.addEventListener("click", () => tile.dataset.failed !== undefined && attempt());
  await attempt();

  async function attempt() {
    delete tile.dataset.failed;
    bar.removeAttribute("value");
    tile.replaceChildren(picture, bar);
    try {
      const answer = await send(gallery.dataset.photos, { id, photo }, (part) => (bar.value = part));
      tile.replaceWith(element(answer));
      URL.revokeObjectURL(picture.src);
    } catch (refusal) {
      tile.dataset.failed = "";
      const word = document.createElement("span");
      word.textContent = gallery.dataset.retry;
      tile.replaceChildren(picture, word);
      if (refusal) document.getElementById("messages").append(element(refusal));
    }
  }
}

function room(change) {
  const left = Number(gallery.dataset.room) + change;
  gallery.dataset.room = left;
  input.form.hidden = left < 1;
  for (const label of document.querySelectorAll(`label[for=${input.id}]`)) label.hidden = left < 1;
}
