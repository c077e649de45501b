// Reads a label through the camera: the browser's own detector where it has one, else zxing, fetched only then.
// Only what is ours is followed, and only on this site: /s/CODE and /b/BADGE, whatever host the label names.

import { put, shrink } from "./shrink.js";

const part = document.querySelector("[data-scanner]");
const video = part.querySelector("[data-view]");
const hint = part.querySelector("[data-hint]");
const torch = document.querySelector("[data-torch]");
const canvas = document.createElement("canvas");
const OURS = /\/(?:s\/([0-9a-z]{4,8})|b\/([\w-]{8,200}))\/?$/i;

async function detector() {
  const native = await window.BarcodeDetector?.getSupportedFormats().catch(() => []);
  if (native?.includes("qr_code")) {
    const reader = new BarcodeDetector({ formats: ["qr_code"] });
    return async (picture) => (await reader.detect(picture)).map((found) => found.rawValue);
  }
  await new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = part.dataset.reader;
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
  const { prepareZXingModule, readBarcodes } = window.ZXingWASM;
  await prepareZXingModule({ overrides: { locateFile: () => part.dataset.wasm }, fireImmediately: true });
  const options = { formats: ["QRCode"], tryHarder: true, maxNumberOfSymbols: 1 };
  return async (picture) => (await readBarcodes(picture, options)).map((found) => found.text);
}

// Mostly small frames, which are quick; every fourth whole, which sees a label from afar.
function frame(whole) {
  const scale = whole ? 1 : Math.min(1, 640 / video.videoWidth);
  canvas.width = video.videoWidth * scale;
  canvas.height = video.videoHeight * scale;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function follow(text) {
  const [, station, badge] = OURS.exec(text) ?? [];
  if (!station && !badge) return (hint.textContent = part.dataset.foreign), false;
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(60);
  location.assign(station ? `/s/${station.toUpperCase()}` : `/b/${badge}`);
  return true;
}

async function watch() {
  part.hidden = false;
  let stream;
  try {
    const picture = { facingMode: { ideal: "environment" }, width: { ideal: 1280 } };
    stream = await navigator.mediaDevices.getUserMedia({ video: picture });
  } catch {
    hint.textContent = part.dataset.denied;
    video.parentElement.hidden = true;
    return;
  }
  video.srcObject = stream;
  await video.play();
  offerTorch(stream.getVideoTracks()[0]);
  const read = await detector();
  for (let count = 0; stream.active; count += 1) {
    if (!document.hidden && video.videoWidth) {
      const found = await read(frame(count % 4 === 3));
      if (found.some(follow)) return stop(stream);
    }
    await new Promise((done) => setTimeout(done, 80));
  }
}

function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}

function offerTorch(track) {
  if (!track.getCapabilities?.().torch) return;
  torch.hidden = false;
  torch.addEventListener("click", () => {
    const on = torch.getAttribute("aria-pressed") !== "true";
    torch.setAttribute("aria-pressed", on);
    track.applyConstraints({ advanced: [{ torch: on }] });
  });
}

const form = document.querySelector("[data-scan-photo]");
form.photo.addEventListener("change", async () => {
  put(form.photo, await shrink(form.photo.files[0]));
  form.requestSubmit();
});

if (navigator.mediaDevices?.getUserMedia) watch();
