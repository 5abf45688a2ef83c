// The student's page of an online lesson: one small picture a second, until the page is left.
import { Framing, WHOLE } from "/static/crop.js";

// Of the camera: more than is sent, so that the part around the face has enough of it.
const CAMERA = { width: { ideal: 640 }, height: { ideal: 480 } };
const EVERY_MS = 1000;
// At least so long after an answer: on a slow network or computer two pictures never come close together.
const REST_MS = 600;
const QUALITY = 0.75;
const token = document.querySelector('meta[name="csrf-token"]').content;

const lesson = document.getElementById("lesson");
if (lesson) takePart(lesson);
const erasing = document.getElementById("erasing");
if (erasing) waitForErasure(erasing);

async function takePart(words) {
  const here = words.dataset.here;
  const status = document.getElementById("status");
  const video = document.getElementById("self");
  const canvas = document.getElementById("sent");
  const framing = new Framing();
  let stream = null;
  let timer = null;
  let over = false;
  let watching = true;

  function say(key) {
    const text = words.dataset[key];
    if (status.textContent !== text) status.textContent = text;
  }

  function stop(key) {
    over = true;
    clearTimeout(timer);
    if (stream) stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    canvas.hidden = true;
    if (key) say(key);
  }

  // Also when the tab is closed: then nothing else would still be sent.
  addEventListener("pagehide", () => {
    if (!over) navigator.sendBeacon(`${here}/leave`, new URLSearchParams({ csrf_token: token }));
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
  if (over) return stop(null);
  video.srcObject = stream;
  await video.play().catch(() => {});
  const track = stream.getVideoTracks()[0];
  track.addEventListener("ended", () => stop("missing"));
  const capture = "ImageCapture" in window ? new ImageCapture(track) : null;
  canvas.width = WHOLE.width;
  canvas.height = WHOLE.height;
  const paper = canvas.getContext("2d", { alpha: false });

  async function picture() {
    // A video that is not in view may stand still; the track itself does not.
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
    const part = framing.of({ width, height }, performance.now());
    const scale = part.across / part.width;
    if (canvas.width !== part.across || canvas.height !== part.down) {
      canvas.width = part.across;
      canvas.height = part.down;
    }
    paper.imageSmoothingQuality = "high";
    paper.fillStyle = "#808080";
    paper.fillRect(0, 0, part.across, part.down);
    paper.drawImage(source, -part.x * scale, -part.y * scale, width * scale, height * scale);
    const jpeg = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    return jpeg && { jpeg, part };
  }

  function heed(told, part) {
    watching = told.is_polled;
    if (!watching) framing.rest();
    else if (part && told.frame) framing.sent(told.frame, part);
    if (watching && told.face) framing.found(told.face, performance.now());
  }

  async function send() {
    if (over) return;
    const began = performance.now();
    try {
      // While nobody looks, only word that we are still there.
      const taken = watching ? await picture() : null;
      if (over) return;
      const answer = await fetch(`${here}/frame`, {
        method: "POST",
        headers: { "X-CSRF-Token": token, "Content-Type": "image/jpeg", Accept: "application/json" },
        body: taken ? taken.jpeg : "",
        signal: AbortSignal.timeout(8000),
      });
      if (over) return;
      if (answer.ok) {
        heed(await answer.json(), taken && taken.part);
        say(watching ? "sending" : "paused");
      } else if ([403, 404, 409, 410].includes(answer.status)) {
        stop("over");
      }
    } catch {
      if (!over) say("still");
    }
    if (!over) timer = setTimeout(send, Math.max(EVERY_MS - (performance.now() - began), REST_MS));
  }

  send();
  for (const id of ["leave", "withdraw"]) {
    document.getElementById(id).form.addEventListener("submit", () => stop(null));
  }
}

async function waitForErasure(words) {
  const answer = await fetch(words.dataset.from, { headers: { Accept: "application/json" } }).catch(() => null);
  if (answer && answer.status === 404) words.textContent = words.dataset.done;
  else setTimeout(() => waitForErasure(words), 1000);
}
