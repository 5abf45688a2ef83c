// The teacher's page of an online lesson: reload the list of participants every two seconds.
const list = document.getElementById("participants");
let shown = "";

async function refresh() {
  const response = await fetch(list.dataset.url).catch(() => null);
  if (response && response.ok && !response.redirected) {
    const html = await response.text();
    // Replacing the list loses the focus, so only a changed list is replaced.
    if (html !== shown) {
      const label = list.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
      list.innerHTML = html;
      if (label) list.querySelector(`[aria-label="${CSS.escape(label)}"]`)?.focus();
    }
    shown = html;
  }
  setTimeout(refresh, 2000);
}

refresh();
