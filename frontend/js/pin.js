// A key pad for gloves. The field stays a field: a password can still be typed with the phone's own keyboard.

const pad = document.querySelector("[data-keys]");
const pin = document.querySelector(pad.dataset.keys);

pad.hidden = false;
pad.addEventListener("click", (event) => {
  const key = event.target.closest("button[type=button]");
  if (!key) return;
  pin.value = key.value ? pin.value + key.value : pin.value.slice(0, -1);
});
