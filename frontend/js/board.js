// A screen in the hall: follows the plant's events, asks every 15 s if it hears none, counts times up, rings for each
// new severity 1, and says so when it is not true any more. For televisions: no modules, no syntax newer than 2015.
(function () {
  "use strict";
  var body = document.body.dataset;
  var frame = document.getElementById("frame");
  var wall = document.getElementById("wall");
  var lost = document.getElementById("lost");
  var live = document.getElementById("live");
  var ahead = Date.parse(body.since) - Date.now(); // the server's clock counts
  var heardAt = Date.now(), startedAt = heardAt, toldAt = 0;
  var asking = false, wanted = false, timer, source;
  var urgent = ids('[data-severity="1"]');

  function ids(which) {
    return [].map.call(wall.querySelectorAll("[data-anomaly]" + (which || "")), function (one) { return one.dataset.anomaly; });
  }

  function heard() {
    heardAt = Date.now();
    lost.hidden = true;
    live.classList.toggle("beat");
  }

  function ask() {
    if (asking) { wanted = true; return; }
    asking = true;
    var request = new XMLHttpRequest();
    request.open("GET", body.wall);
    request.timeout = 8000;
    request.onload = function () {
      if (request.status === 404) location.reload(); // taken down: the page says so
      if (request.status === 200) show(request.responseText);
    };
    request.onloadend = function () {
      asking = false;
      if (wanted) { wanted = false; soon(); }
    };
    request.send();
  }

  function soon() {
    if (!timer) timer = setTimeout(function () { timer = null; ask(); }, 300);
  }

  function show(html) {
    wall.innerHTML = html;
    heard();
    tick();
    var now = ids('[data-severity="1"]');
    var fresh = now.filter(function (id) { return urgent.indexOf(id) < 0; });
    fresh.forEach(function (id) { wall.querySelector('[data-anomaly="' + id + '"]').classList.add("fresh"); });
    if (fresh.length) window.boardChime();
    urgent = now;
    tell();
  }

  // What was shown was delivered.
  function tell() {
    var shown = ids();
    if (document.hidden || (!shown.length && Date.now() - toldAt < 300000)) return;
    toldAt = Date.now();
    var request = new XMLHttpRequest();
    request.open("POST", body.shown);
    request.setRequestHeader("content-type", "application/json");
    request.send(JSON.stringify({ anomalies: shown }));
  }

  function listen() {
    if (!window.EventSource) return;
    source = new EventSource("/stream?since=" + encodeURIComponent(body.since));
    source.addEventListener("open", heard);
    source.addEventListener("beat", heard);
    source.addEventListener("resync", soon);
    source.addEventListener("anomaly", soon);
    source.addEventListener("error", function () {
      if (source.readyState === 2) setTimeout(listen, 5000);
    });
  }

  function two(n) { return (n < 10 ? "0" : "") + n; }

  function clock(moment) {
    var here = new Date(moment + Number(body.offset) * 60000);
    return two(here.getUTCHours()) + ":" + two(here.getUTCMinutes());
  }

  function spoken(seconds) {
    var minutes = Math.floor(Math.max(seconds, 0) / 60);
    if (minutes < 60) return minutes + ":" + two(Math.floor(Math.max(seconds, 0) % 60));
    if (minutes < 1440) return Math.floor(minutes / 60) + " " + body.hour + " " + (minutes % 60) + " " + body.minute;
    return Math.floor(minutes / 1440) + " " + body.day;
  }

  function tick() {
    var now = Date.now() + ahead, gone = Date.now() - heardAt;
    document.getElementById("time").textContent = clock(now);
    [].forEach.call(wall.querySelectorAll("time[data-since]"), function (time) {
      time.textContent = spoken((now - Date.parse(time.dataset.since)) / 1000);
    });
    frame.dataset.shift = Math.floor(now / 60000) % 4; // or it burns in
    if (gone > 15000 && Math.floor(gone / 1000) % 5 === 0) ask();
    if (gone > 25000 && lost.hidden) {
      document.getElementById("lost-since").textContent = body.lostWords.replace("{time}", clock(heardAt + ahead));
      lost.hidden = false;
    }
    // Browsers of televisions leak. At a quiet moment, and only when there is somebody to load from.
    if (now - ahead - startedAt > 3600000 && gone < 20000 && !urgent.length) location.reload();
  }

  document.addEventListener("mousemove", function () { document.body.classList.add("touched"); });
  addEventListener("online", ask);
  listen();
  tell();
  setInterval(tick, 1000);
  setInterval(ask, 15000);
}());
