// The student's page of an online lesson: sends one small image per second until the page is left.
import { Framing, WHOLE } from "/static/crop.js";

// Larger than the sent image, so that the crop around the face has enough resolution.
const CAMERA = { width: { ideal: 640 }, height: { ideal: 480 } };
const INTERVAL_MS = 1000;
// Minimum pause after a response, so that a slow network or computer never sends two frames in a row.
const MIN_PAUSE_MS = 600;
const JPEG_QUALITY = 0.75;
const token = document.querySelector('meta[name="csrf-token"]').content;

const lesson = document.getElementById("lesson");
if (lesson) takePart(lesson);
const erasing = document.getElementById("erasing");
if (erasing) waitForErasure(erasing);

async function takePart(texts) {
  const url = texts.dataset.url;
  const status = document.getElementById("status");
  const video = document.getElementById("self");
  const canvas = document.getElementById("sent");
  const framing = new Framing();
  let stream = null;
  let timer = null;
  let stopped = false;
  let isPolled = true;

  function show(key) {
    const text = texts.dataset[key];
    if (status.textContent !== text) status.textContent = text;
  }

  function stop(key) {
    stopped = true;
    clearTimeout(timer);
    if (stream) stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    canvas.hidden = true;
    if (key) show(key);
  }

  // A beacon is still sent while the tab is closing.
  addEventListener("pagehide", () => {
    if (!stopped) navigator.sendBeacon(`${url}/leave`, new URLSearchParams({ csrf_token: token }));
    stop(null);
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) return stop("insecure");
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { ...CAMERA, frameRate: { ideal: 5, max: 15 } },
    });
  } catch (error) {
    return stop(error.name === "NotAllowedError" ? "refused" : "missing");
  }
  if (stopped) return stop(null);
  video.srcObject = stream;
  await video.play().catch(() => {});
  const track = stream.getVideoTracks()[0];
  track.addEventListener("ended", () => stop("missing"));
  const capture = "ImageCapture" in window ? new ImageCapture(track) : null;
  canvas.width = WHOLE.width;
  canvas.height = WHOLE.height;
  const drawing = canvas.getContext("2d", { alpha: false });

  async function captureFrame() {
    // Browsers may pause a hidden video, but not the track.
    let source = video;
    let width = video.videoWidth;
    let height = video.videoHeight;
    if (document.hidden && capture) {
      source = await capture.grabFrame().catch(() => null);
      if (!source) return null;
      width = source.width;
      height = source.height;
    }
    if (!width || !height) return null;
    const crop = framing.of({ width, height }, performance.now());
    const scale = crop.across / crop.width;
    if (canvas.width !== crop.across || canvas.height !== crop.down) {
      canvas.width = crop.across;
      canvas.height = crop.down;
    }
    drawing.imageSmoothingQuality = "high";
    drawing.fillStyle = "#808080";
    drawing.fillRect(0, 0, crop.across, crop.down);
    drawing.drawImage(source, -crop.x * scale, -crop.y * scale, width * scale, height * scale);
    const jpeg = await new Promise((done) => canvas.toBlob(done, "image/jpeg", JPEG_QUALITY));
    return jpeg && { jpeg, crop };
  }

  function update(answer, crop) {
    isPolled = answer.is_polled;
    if (!isPolled) framing.rest();
    else if (crop && answer.frame) framing.sent(answer.frame, crop);
    if (isPolled && answer.face) framing.found(answer.face, performance.now());
  }

  async function send() {
    if (stopped) return;
    const startMs = performance.now();
    try {
      // Without a recording only a heartbeat is sent.
      const frame = isPolled ? await captureFrame() : null;
      if (stopped) return;
      const response = await fetch(`${url}/frame`, {
        method: "POST",
        headers: { "X-CSRF-Token": token, "Content-Type": "image/jpeg", Accept: "application/json" },
        body: frame ? frame.jpeg : "",
        signal: AbortSignal.timeout(8000),
      });
      if (stopped) return;
      if (response.ok) {
        update(await response.json(), frame && frame.crop);
        show(isPolled ? "sending" : "paused");
      } else if ([403, 404, 409, 410].includes(response.status)) {
        stop("over");
      }
    } catch {
      if (!stopped) show("retrying");
    }
    if (!stopped) timer = setTimeout(send, Math.max(INTERVAL_MS - (performance.now() - startMs), MIN_PAUSE_MS));
  }

  send();
  for (const id of ["leave", "withdraw"]) {
    document.getElementById(id).form.addEventListener("submit", () => stop(null));
  }
}

async function waitForErasure(texts) {
  const response = await fetch(texts.dataset.url, { headers: { Accept: "application/json" } }).catch(() => null);
  if (response && response.status === 404) texts.textContent = texts.dataset.done;
  else setTimeout(() => waitForErasure(texts), 1000);
}
