// Sends the recording with its progress, and keeps the list of recordings up to date.
const form = document.getElementById("upload");
const EACH_MS = 2000;

if (form) {
  const sending = form.querySelector(".sending");
  const bar = sending.querySelector("progress");
  const sent = sending.querySelector(".sent");
  const said = form.querySelector(".said");
  const button = form.querySelector("button.main");
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

  const say = (text, wrong = false) => {
    said.textContent = text;
    said.classList.toggle("error", wrong);
  };
  const busy = (yes) => {
    sending.hidden = !yes;
    button.disabled = yes;
  };

  // When the lesson began: when the file was last written, less its length. Only a proposal, and not where
  // somebody has said it, nor for a file whose length the browser cannot read.
  const at = form.elements.at;
  const filled = form.querySelector(".at-filled");
  let proposed = "";
  form.elements.recording.addEventListener("change", async () => {
    if (at.value !== proposed) return;
    const file = form.elements.recording.files[0];
    const length = file ? await lengthOf(file) : NaN;
    if (at.value !== proposed || file !== form.elements.recording.files[0]) return;
    proposed = Number.isFinite(length) ? localTime(file.lastModified - 1000 * length, at.dataset.zone) : "";
    if (proposed > at.max) proposed = "";
    at.value = proposed;
    filled.hidden = !proposed;
  });
  at.addEventListener("input", () => {
    filled.hidden = true;
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const file = form.elements.recording.files[0];
    if (file && file.size > Number(form.dataset.most)) {
      say(form.dataset.tooLarge, true);
      return;
    }
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRF-Token", document.querySelector('meta[name="csrf-token"]').content);
    request.responseType = "json";
    request.upload.addEventListener("progress", (now) => {
      bar.value = now.total ? (100 * now.loaded) / now.total : 0;
      sent.textContent = `${megabytes(now.loaded)} / ${megabytes(now.total)}`;
    });
    const over = () => {
      busy(false);
      window.removeEventListener("beforeunload", warn);
    };
    const warn = (leaving) => leaving.preventDefault();
    request.addEventListener("load", () => {
      over();
      if (request.status === 201) {
        say(form.dataset.sent);
        form.reset();
        proposed = "";
        filled.hidden = true;
        refresh();
      } else {
        say(request.response?.error || form.dataset.broken, true);
      }
    });
    for (const name of ["error", "abort", "timeout"]) {
      request.addEventListener(name, () => {
        over();
        say(form.dataset.broken, true);
      });
    }
    sending.querySelector(".stop").onclick = () => request.abort();
    window.addEventListener("beforeunload", warn);
    bar.value = 0;
    sent.textContent = "";
    say("");
    busy(true);
    request.send(new FormData(form));
    sending.querySelector(".stop").focus();
  });
}

// Seconds; NaN where the browser cannot tell.
function lengthOf(file) {
  const video = document.createElement("video");
  const address = URL.createObjectURL(file);
  return new Promise((tell) => {
    const over = (seconds) => {
      URL.revokeObjectURL(address);
      tell(seconds);
    };
    video.preload = "metadata";
    video.onloadedmetadata = () => over(video.duration);
    video.onerror = () => over(NaN);
    video.src = address;
  });
}

// As the field wants it, "2026-03-02T09:00", in the zone of the pages (else the browser's).
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

// What changed its state is drawn by the server, so that there is one place that knows how; progress alone
// is set here.
async function refresh() {
  const answer = await fetch("/upload/state", { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const { uploads } = await answer.json();
  const shown = [...list.children].map((one) => `${one.dataset.id} ${one.dataset.state}`);
  const now = uploads.map((one) => `${one.id} ${one.state}`);
  if (shown.join() !== now.join()) {
    await redraw();
    return;
  }
  for (const one of uploads.filter((upload) => upload.state === "analysing")) {
    const card = list.querySelector(`[data-id="${one.id}"]`);
    card.querySelector(".done").textContent = one.done;
    if (one.percent !== null) {
      card.querySelector("progress").max = 100;
      card.querySelector("progress").value = one.percent;
    }
  }
}

async function redraw() {
  const answer = await fetch("/upload", { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const kept = new Map([...list.children].map((one) => [`${one.dataset.id} ${one.dataset.state}`, one]));
  const fresh = [...page.querySelectorAll(".uploads > li")];
  list.replaceChildren(...fresh.map((one) => kept.get(`${one.dataset.id} ${one.dataset.state}`) || one));
  document.querySelector(".uploads-none").hidden = fresh.length > 0;
}

setInterval(() => {
  if (document.hidden) return;
  if ([...list.children].some((one) => ["waiting", "analysing"].includes(one.dataset.state))) refresh();
}, EACH_MS);
