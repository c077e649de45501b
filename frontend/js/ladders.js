// A tap on an hour of the map leaves only the holes of that hour; without JavaScript it leads to the first of them.

const all = document.querySelector("[data-all]");

function only(places) {
  for (const hole of document.querySelectorAll(".holes > li")) {
    hole.hidden = places !== undefined && !places.includes(hole.id.slice("hole-".length));
  }
  if (all) all.hidden = places === undefined;
}

document.querySelector("[data-map]")?.addEventListener("click", (event) => {
  const cell = event.target.closest("[data-holes]");
  if (cell) only(cell.dataset.holes.split(" "));
});
all?.addEventListener("click", () => only());
