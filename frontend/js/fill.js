// Answers to tap instead of typing: a tap writes the word into its field, and picks the class it belongs to.

for (const choices of document.querySelectorAll("[data-fill]")) {
  const field = document.querySelector(choices.dataset.fill);
  choices.hidden = false;
  choices.addEventListener("click", (event) => {
    const choice = event.target.closest("button");
    if (!choice) return;
    field.value = choice.value;
    const kind = field.form.querySelector(`[name=cause_class][value="${choice.dataset.class}"]`);
    if (kind) kind.checked = true;
  });
}
