// Uploads the recording with a progress bar and keeps the list of uploads up to date.
const form = document.getElementById("upload");
const INTERVAL_MS = 2000;

if (form) {
  const progress = form.querySelector(".progress");
  const bar = progress.querySelector("progress");
  const sent = progress.querySelector(".sent");
  const message = form.querySelector(".message");
  const button = form.querySelector("button.main");
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

  const show = (text, isError = false) => {
    message.textContent = text;
    message.classList.toggle("error", isError);
  };
  const setBusy = (isBusy) => {
    progress.hidden = !isBusy;
    button.disabled = isBusy;
  };

  // Propose the start of the lesson: the last modification of the file minus its duration. A typed time is kept; a
  // file whose duration the browser cannot read gives no proposal.
  const at = form.elements.at;
  const notice = form.querySelector(".proposed-time");
  let proposed = "";
  form.elements.recording.addEventListener("change", async () => {
    if (at.value !== proposed) return;
    const file = form.elements.recording.files[0];
    const durationS = file ? await durationOf(file) : NaN;
    if (at.value !== proposed || file !== form.elements.recording.files[0]) return;
    proposed = Number.isFinite(durationS) ? localTime(file.lastModified - 1000 * durationS, at.dataset.zone) : "";
    if (proposed > at.max) proposed = "";
    at.value = proposed;
    notice.hidden = !proposed;
  });
  at.addEventListener("input", () => {
    notice.hidden = true;
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const file = form.elements.recording.files[0];
    if (file && file.size > Number(form.dataset.maxBytes)) {
      show(form.dataset.tooLarge, true);
      return;
    }
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRF-Token", document.querySelector('meta[name="csrf-token"]').content);
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.value = total ? (100 * loaded) / total : 0;
      sent.textContent = `${megabytes(loaded)} / ${megabytes(total)}`;
    });
    const finish = () => {
      setBusy(false);
      window.removeEventListener("beforeunload", warn);
    };
    const warn = (event) => event.preventDefault();
    request.addEventListener("load", () => {
      finish();
      if (request.status === 201) {
        show(form.dataset.sent);
        form.reset();
        proposed = "";
        notice.hidden = true;
        refresh();
      } else {
        show(request.response?.error || form.dataset.interrupted, true);
      }
    });
    for (const name of ["error", "abort", "timeout"]) {
      request.addEventListener(name, () => {
        finish();
        show(form.dataset.interrupted, true);
      });
    }
    progress.querySelector(".stop").onclick = () => request.abort();
    window.addEventListener("beforeunload", warn);
    bar.value = 0;
    sent.textContent = "";
    show("");
    setBusy(true);
    request.send(new FormData(form));
    progress.querySelector(".stop").focus();
  });
}

// The duration in seconds; NaN if the browser cannot read the file.
function durationOf(file) {
  const video = document.createElement("video");
  const url = URL.createObjectURL(file);
  return new Promise((resolve) => {
    const finish = (seconds) => {
      URL.revokeObjectURL(url);
      resolve(seconds);
    };
    video.preload = "metadata";
    video.onloadedmetadata = () => finish(video.duration);
    video.onerror = () => finish(NaN);
    video.src = url;
  });
}

// The value of a datetime-local field, "2026-03-02T09:00", in the zone of the pages (else the browser's).
function localTime(milliseconds, zone) {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone || undefined,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  }).formatToParts(new Date(milliseconds));
  const of = (type) => parts.find((part) => part.type === type).value;
  return `${of("year")}-${of("month")}-${of("day")}T${of("hour")}:${of("minute")}`;
}

const list = document.querySelector(".uploads");

// Cards are rendered by the server only; this script updates the progress and reloads the list when a state changes.
async function refresh() {
  const response = await fetch("/upload/state", { headers: { Accept: "application/json" } });
  if (!response.ok) return;
  const { uploads } = await response.json();
  const shown = [...list.children].map((card) => `${card.dataset.id} ${card.dataset.state}`);
  const now = uploads.map(({ id, state }) => `${id} ${state}`);
  if (shown.join() !== now.join()) {
    await redraw();
    return;
  }
  for (const upload of uploads.filter(({ state }) => state === "analysing")) {
    const card = list.querySelector(`[data-id="${upload.id}"]`);
    card.querySelector(".done").textContent = upload.done;
    if (upload.percent !== null) {
      card.querySelector("progress").max = 100;
      card.querySelector("progress").value = upload.percent;
    }
  }
}

async function redraw() {
  const response = await fetch("/upload", { headers: { Accept: "text/html" } });
  if (!response.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const kept = new Map([...list.children].map((card) => [`${card.dataset.id} ${card.dataset.state}`, card]));
  const fresh = [...page.querySelectorAll(".uploads > li")];
  list.replaceChildren(...fresh.map((card) => kept.get(`${card.dataset.id} ${card.dataset.state}`) || card));
  document.querySelector(".uploads-none").hidden = fresh.length > 0;
}

setInterval(() => {
  if (document.hidden) return;
  if ([...list.children].some((card) => ["waiting", "analysing"].includes(card.dataset.state))) refresh();
}, INTERVAL_MS);
