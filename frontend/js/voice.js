// A voice note: tap, speak, tap; hear it; send it. Needs HTTPS and a microphone; where there is none, nothing shows.

import { element, send } from "./send.js";
import { uuid7 } from "./uuid7.js";

const part = document.querySelector("[data-voice]");
const find = (name) => part.querySelector(`[data-${name}]`);
// Safari plays its own mp4 best and says yes to more than it can; everybody else starts with webm.
const types = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
if (navigator.vendor.startsWith("Apple")) types.unshift("audio/mp4");

let recorder;
let note; // { id, blob }: recorded, not sent yet

if (part && navigator.mediaDevices?.getUserMedia && "MediaRecorder" in window) {
  part.hidden = false;
  find("record").addEventListener("click", () => (recorder?.state === "recording" ? recorder.stop() : start()));
  find("again").addEventListener("click", () => (forget(), start()));
  find("send").addEventListener("click", () => deliver());
  // "Done" with a note that was not sent yet sends it first.
  document.addEventListener("submit", async (event) => {
    if (!note || event.target.matches("[data-theme-switch]")) return;
    event.preventDefault();
    if (await deliver()) event.target.submit();
  });
}

async function start() {
  trouble("");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: true } });
  } catch {
    return trouble(part.dataset.denied);
  }
  const mimeType = types.find((type) => MediaRecorder.isTypeSupported(type));
  recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: 24_000 });
  const chunks = [];
  const began = performance.now();
  const stopMeter = meter(stream, began);
  recorder.addEventListener("dataavailable", (event) => event.data.size && chunks.push(event.data));
  recorder.addEventListener("stop", () => {
    stopMeter();
    for (const track of stream.getTracks()) track.stop();
    recording(false);
    note = { id: uuid7(), blob: new Blob(chunks, { type: recorder.mimeType }) };
    find("listen").src = URL.createObjectURL(note.blob);
    find("review").hidden = false;
  });
  recorder.start(1000);
  recording(true);
}

// Shows that the microphone hears, and how much of the time is left.
function meter(stream, began) {
  const audio = new AudioContext();
  const ear = audio.createAnalyser();
  audio.createMediaStreamSource(stream).connect(ear);
  const samples = new Float32Array(ear.fftSize);
  const timer = setInterval(() => {
    ear.getFloatTimeDomainData(samples);
    const loudness = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    find("level").value = Math.min(1, loudness * 5);
    const left = Math.max(0, Number(part.dataset.limit) - Math.floor((performance.now() - began) / 1000));
    find("left").textContent = `0:${String(left).padStart(2, "0")}`;
    if (!left && recorder.state === "recording") recorder.stop();
  }, 100);
  return () => {
    clearInterval(timer);
    audio.close();
    find("level").value = 0;
  };
}

function recording(on) {
  find("record").setAttribute("aria-pressed", on);
  find("idle").hidden = on;
  find("busy").hidden = !on;
  find("review").hidden = true;
}

async function deliver() {
  find("send").disabled = true;
  try {
    const fields = { id: note.id, voice: note.blob };
    find("voices").append(element(await send(part.dataset.voice, fields)));
    forget();
    return true;
  } catch (refusal) {
    trouble(part.dataset.failed);
    if (refusal) document.getElementById("messages").append(element(refusal));
    return false;
  } finally {
    find("send").disabled = false;
  }
}

function forget() {
  note = undefined;
  URL.revokeObjectURL(find("listen").src);
  find("review").hidden = true;
  trouble("");
}

function trouble(words) {
  find("trouble").textContent = words;
  find("trouble").hidden = !words;
}
