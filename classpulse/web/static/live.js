// The live page: each event of the stream replaces the parts of the page that it contains.
const page = document.getElementById("live");
const session = page.dataset.session;
const message = document.getElementById("message");
let isLost = false;

function show(text) {
  message.textContent = text;
}

function updateButtons(state) {
  for (const node of document.querySelectorAll(".commands [data-for]")) {
    node.hidden = !node.dataset.for.split(" ").includes(state);
  }
}

function showEnd(event) {
  const next = document.getElementById("next");
  document.getElementById("ended").hidden = false;
  if (event.next_url) {
    next.href = event.next_url;
    next.hidden = false;
  }
  updateButtons(event.state);
  hidePreview();
  for (const node of page.querySelectorAll(".now, #preview")) node.hidden = true;
}

const stream = new EventSource(`/live/${session}/events`);
stream.onmessage = ({ data }) => {
  const event = JSON.parse(data);
  if (isLost) {
    show("");
    isLost = false;
  }
  for (const [name, html] of Object.entries(event.parts)) {
    const part = page.querySelector(`[data-part="${name}"]`);
    if (part) part.innerHTML = html;
  }
  updateButtons(event.state);
  if (event.is_over) {
    stream.close();
    showEnd(event);
  }
};
stream.onerror = () => {
  isLost = true;
  show(page.dataset.lost);
};

// Set a marker without leaving the page; without this script the form does the same.
for (const form of document.querySelectorAll("form.mark")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const response = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
    });
    const answer = await response.json();
    show(response.ok ? page.dataset.marked : errorText(answer));
    if (response.ok) form.reset();
  });
}

function errorText({ error, hint }) {
  return [error, hint].filter(Boolean).join(" ");
}

// The preview: one frame after the other while it is shown and the page is visible.
const section = document.getElementById("preview");
const button = document.getElementById("show");
const frame = document.getElementById("frame");
const noImage = document.getElementById("no-image");
const FRAME_PAUSE_MS = 100, RETRY_MS = 1000;
let isShown = false;

function hidePreview() {
  if (!section) return;
  isShown = false;
  button.setAttribute("aria-pressed", "false");
  button.textContent = page.dataset.show;
  frame.hidden = true;
  noImage.hidden = true;
  if (frame.src) URL.revokeObjectURL(frame.src);
  frame.removeAttribute("src");
}

async function fetchFrame() {
  if (!isShown) return;
  let pause = RETRY_MS;
  if (!document.hidden) {
    try {
      const response = await fetch(`/live/${session}/picture`, { headers: { Accept: "image/jpeg, application/json" } });
      if (!isShown) return;
      if (response.status === 200) {
        const previous = frame.src;
        frame.src = URL.createObjectURL(await response.blob());
        if (previous) URL.revokeObjectURL(previous);
        pause = FRAME_PAUSE_MS;
      }
      frame.hidden = response.status !== 200;
      noImage.hidden = response.status === 200;
      noImage.textContent = response.ok ? page.dataset.noImage : errorText(await response.json());
    } catch {
      frame.hidden = true;
    }
  }
  setTimeout(fetchFrame, pause);
}

if (section) {
  section.hidden = false;
  button.addEventListener("click", () => {
    if (isShown) {
      hidePreview();
      return;
    }
    isShown = true;
    button.setAttribute("aria-pressed", "true");
    button.textContent = page.dataset.hide;
    fetchFrame();
  });
}
