// The live page: what the stream of events says replaces the parts of the page that it names.
const page = document.getElementById("live");
const number = page.dataset.session;
const said = document.getElementById("said");
let lost = false;

function say(text) {
  said.textContent = text;
}

function arrange(state) {
  for (const one of document.querySelectorAll(".orders [data-for]")) {
    one.hidden = !one.dataset.for.split(" ").includes(state);
  }
}

function end(told) {
  const next = document.getElementById("next");
  document.getElementById("over").hidden = false;
  if (told.next_url) {
    next.href = told.next_url;
    next.hidden = false;
  }
  arrange(told.state);
  hidePicture();
  // Nothing of it is "now" any more.
  for (const one of page.querySelectorAll(".now, #picture")) one.hidden = true;
}

const stream = new EventSource(`/live/${number}/events`);
stream.onmessage = (event) => {
  const told = JSON.parse(event.data);
  if (lost) {
    say("");
    lost = false;
  }
  for (const [name, html] of Object.entries(told.parts)) {
    const part = page.querySelector(`[data-part="${name}"]`);
    if (part) part.innerHTML = html;
  }
  arrange(told.state);
  if (told.is_over) {
    stream.close();
    end(told);
  }
};
stream.onerror = () => {
  lost = true;
  say(page.dataset.lost);
};

// A marker is put without leaving the page; without this script the form does the same.
for (const form of document.querySelectorAll("form.mark")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
    });
    const told = await answer.json();
    say(answer.ok ? page.dataset.noted : told.error);
    if (answer.ok) form.reset();
  });
}

// The picture: one after the other, as long as it is wanted and the page can be seen.
const section = document.getElementById("picture");
const button = document.getElementById("show");
const frame = document.getElementById("frame");
const nothing = document.getElementById("nothing");
const PAUSE_MS = 100, NOTHING_MS = 1000;
let showing = false;

function hidePicture() {
  if (!section) return;
  showing = false;
  button.setAttribute("aria-pressed", "false");
  button.textContent = page.dataset.show;
  frame.hidden = true;
  nothing.hidden = true;
  if (frame.src) URL.revokeObjectURL(frame.src);
  frame.removeAttribute("src");
}

async function next() {
  if (!showing) return;
  let pause = NOTHING_MS;
  if (!document.hidden) {
    try {
      const answer = await fetch(`/live/${number}/picture`, { headers: { Accept: "image/jpeg, application/json" } });
      if (!showing) return;
      if (answer.status === 200) {
        const before = frame.src;
        frame.src = URL.createObjectURL(await answer.blob());
        if (before) URL.revokeObjectURL(before);
        pause = PAUSE_MS;
      }
      frame.hidden = answer.status !== 200;
      nothing.hidden = answer.status === 200;
      nothing.textContent = answer.ok ? page.dataset.nothing : (await answer.json()).error;
    } catch {
      frame.hidden = true;
    }
  }
  setTimeout(next, pause);
}

if (section) {
  section.hidden = false;
  button.addEventListener("click", () => {
    if (showing) {
      hidePicture();
      return;
    }
    showing = true;
    button.setAttribute("aria-pressed", "true");
    button.textContent = page.dataset.hide;
    next();
  });
}
