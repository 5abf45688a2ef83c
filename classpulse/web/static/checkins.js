// Decide without leaving the place: the card stays where it is and says what was decided.
const token = document.querySelector('meta[name="csrf-token"]').content;
const told = document.getElementById("decided");
const cards = [...document.querySelectorAll(".checkin")];

async function decide(card, form, decision) {
  const buttons = [...form.querySelectorAll("button")];
  const body = new URLSearchParams({ decision, note: form.elements.note.value });
  buttons.forEach((one) => { one.disabled = true; });
  let answer = null;
  try {
    const sent = await fetch(form.action, { method: "POST", body, headers: { "X-CSRF-Token": token, Accept: "application/json" } });
    if (sent.ok) answer = await sent.json();
  } catch { /* told below */ }
  buttons.forEach((one) => { one.disabled = false; });
  if (answer === null) {
    told.textContent = form.dataset.failed;
    form.querySelector("[data-by]").textContent = form.dataset.failed;
    card.focus();
    return;
  }
  card.classList.remove("open", "confirmed", "dismissed");
  card.classList.add(answer.review);
  const label = form.querySelector("[data-review]");
  label.textContent = form.dataset[answer.review];
  label.classList.toggle("warn", answer.review === "open");
  form.querySelector("[data-by]").textContent = [answer.by, answer.at].filter(Boolean).join(", ");
  for (const one of buttons) one.setAttribute("aria-pressed", String(one.value === answer.review));
  form.querySelector("[data-reopen]").hidden = answer.review === "open";
  told.textContent = `${card.querySelector("h2").textContent.trim()}: ${label.textContent}`;
  card.focus();
}

for (const card of cards) {
  const form = card.querySelector("form");
  form.addEventListener("submit", (event) => {
    if (!event.submitter) { event.preventDefault(); return; }
    event.preventDefault();
    decide(card, form, event.submitter.value);
  });
  // Enter in the note must not decide by itself.
  form.elements.note?.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const at = cards.findIndex((one) => one.contains(document.activeElement));
  if (event.key === "j" || event.key === "k") {
    const next = cards[Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), cards.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
    event.preventDefault();
  } else if (at >= 0 && (event.key === "c" || event.key === "d")) {
    const decision = event.key === "c" ? "confirmed" : "dismissed";
    cards[at].querySelector(`button[value="${decision}"]`)?.click();
    event.preventDefault();
  }
});
