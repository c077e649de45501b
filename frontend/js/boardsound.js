// Two tones, twice, for each new severity 1 on a screen in the hall. Browsers want one click before they make a sound;
// the button stays until it was given, and comes back when the browser has forgotten it.
(function () {
  "use strict";
  var Context = window.AudioContext || window.webkitAudioContext;
  var button = document.getElementById("sound");
  var sound = Context ? new Context() : null;

  window.boardChime = function () {
    if (!sound || sound.state !== "running") return;
    [1175, 1568, 1175, 1568].forEach(function (pitch, n) {
      var tone = sound.createOscillator(), volume = sound.createGain(), at = sound.currentTime + n * 0.3;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.4, at);
      volume.gain.setValueAtTime(0, at + 0.25);
      tone.connect(volume);
      volume.connect(sound.destination);
      tone.start(at);
      tone.stop(at + 0.28);
    });
    document.body.dataset.chimes = Number(document.body.dataset.chimes || 0) + 1;
  };

  function offer() {
    button.hidden = !sound || sound.state === "running";
  }

  if (sound) sound.onstatechange = offer;
  button.addEventListener("click", function () { sound.resume().then(window.boardChime); });
  offer();
}());
