// The teacher's page of an online lesson: who has joined, every two seconds.
const members = document.getElementById("members");
let shown = "";

async function look() {
  const answer = await fetch(members.dataset.from).catch(() => null);
  if (answer && answer.ok && !answer.redirected) {
    const html = await answer.text();
    // What has the focus is not replaced under somebody's hands unless it has changed.
    if (html !== shown) {
      const place = members.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
      members.innerHTML = html;
      if (place) members.querySelector(`[aria-label="${CSS.escape(place)}"]`)?.focus();
    }
    shown = html;
  }
  setTimeout(look, 2000);
}

look();
