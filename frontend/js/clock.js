// Lets times tick: how long something waits ([data-clock=up]), and what happens when ([data-clock=down]).
// The server's clock counts; a phone that goes wrong must not show another minute than the board.

const ahead = Date.parse(document.documentElement.dataset.now) - Date.now();
const chinese = document.documentElement.lang.startsWith("zh");

export function spoken(seconds) {
  const whole = Math.max(Math.floor(seconds), 0);
  const two = (n) => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)}`;
  const minutes = Math.floor(whole / 60);
  if (whole < 86400) {
    return chinese ? `${Math.floor(minutes / 60)} 小时 ${minutes % 60} 分` : `${Math.floor(minutes / 60)} h ${two(minutes % 60)}`;
  }
  return `${Math.floor(whole / 86400)} ${chinese ? "天" : "d"}`;
}

function tick() {
  const now = Date.now() + ahead;
  for (const element of document.querySelectorAll("[data-clock=up]")) {
    show(element, spoken((now - Date.parse(element.dateTime)) / 1000));
  }
  for (const element of document.querySelectorAll("[data-clock=down]")) {
    const left = spoken((Date.parse(element.dataset.until) - now) / 1000);
    show(element, element.dataset.words.replace("{time}", left));
  }
}

function show(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let timer;
function run() {
  clearInterval(timer);
  if (document.hidden) return;
  tick();
  timer = setInterval(tick, 1000);
}
document.addEventListener("visibilitychange", run);
document.addEventListener("htmx:load", tick);
run();
