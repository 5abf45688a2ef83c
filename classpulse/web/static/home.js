// The start page: poll the running recordings, so that a starting lesson appears without a reload.
const list = document.getElementById("recordings");
const FAST_MS = 1000, SLOW_MS = 5000;
let followed = list.dataset.followed;

// The user is typing or has opened a form; replacing the list would discard that.
function isInUse() {
  const active = document.activeElement;
  const hasText = [...list.querySelectorAll("input[name=text]")].some((input) => input.value !== "");
  return hasText || list.querySelector("details[open]") !== null || (list.contains(active) && active.tagName === "INPUT");
}

function hasChanged(html) {
  const copy = document.createElement("template");
  copy.innerHTML = html;
  const keys = (root) => [...root.querySelectorAll("article, p")].map((node) => node.dataset.key ?? node.textContent).join("\n");
  return keys(copy.content) !== keys(list);
}

async function refresh() {
  let delay = SLOW_MS;
  try {
    const response = await fetch("/recordings?" + new URLSearchParams({ started: followed }), { headers: { Accept: "application/json" } });
    if (response.status === 401) {
      location.reload();
      return;
    }
    const status = await response.json();
    if (status.has_started) followed = "";
    if (!isInUse() && hasChanged(status.html)) {
      const hadFocus = list.contains(document.activeElement);
      list.innerHTML = status.html;
      if (hadFocus) list.querySelector("a, button")?.focus();
    }
    if (status.is_transient) delay = FAST_MS;
  } catch {
    // The dashboard may be restarting.
  }
  setTimeout(refresh, delay);
}

setTimeout(refresh, FAST_MS);
