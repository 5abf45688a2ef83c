// The start page: what is being recorded is looked at again, so that a lesson that starts needs no reload.
const list = document.getElementById("recordings");
const SOON_MS = 1000, LATER_MS = 5000;
let followed = list.dataset.followed;

// What somebody is about to do there must not be taken from under their hands.
function busy() {
  const active = document.activeElement;
  const typed = [...list.querySelectorAll("input[name=text]")].some((one) => one.value !== "");
  return typed || list.querySelector("details[open]") !== null || (list.contains(active) && active.tagName === "INPUT");
}

function changed(html) {
  const copy = document.createElement("template");
  copy.innerHTML = html;
  const keys = (root) => [...root.querySelectorAll("article, p")].map((one) => one.dataset.key ?? one.textContent).join("\n");
  return keys(copy.content) !== keys(list);
}

async function look() {
  let pause = LATER_MS;
  try {
    const answer = await fetch("/recordings?" + new URLSearchParams({ started: followed }), { headers: { Accept: "application/json" } });
    if (answer.status === 401) {
      location.reload();
      return;
    }
    const told = await answer.json();
    if (told.has_started) followed = "";
    if (!busy() && changed(told.html)) {
      const focus = list.contains(document.activeElement);
      list.innerHTML = told.html;
      if (focus) list.querySelector("a, button")?.focus();
    }
    if (told.is_transient) pause = SOON_MS;
  } catch {
    // Classpulse is being restarted, perhaps.
  }
  setTimeout(look, pause);
}

setTimeout(look, SOON_MS);
