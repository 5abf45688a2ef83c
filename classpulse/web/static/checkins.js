// Send a decision without leaving the page; the card stays in its place and shows the decision.
const token = document.querySelector('meta[name="csrf-token"]').content;
const status = document.getElementById("decided");
const cards = [...document.querySelectorAll(".checkin")];

async function decide(card, form, decision) {
  const buttons = [...form.querySelectorAll("button")];
  const body = new URLSearchParams({ decision, note: form.elements.note.value });
  buttons.forEach((button) => { button.disabled = true; });
  let stored = null;
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { "X-CSRF-Token": token, Accept: "application/json" } });
    if (response.ok) stored = await response.json();
  } catch { /* handled below */ }
  buttons.forEach((button) => { button.disabled = false; });
  const reviewer = form.querySelector("[data-reviewer]");
  if (stored === null) {
    status.textContent = form.dataset.failed;
    reviewer.textContent = form.dataset.failed;
    card.focus();
    return;
  }
  card.classList.remove("open", "confirmed", "dismissed");
  card.classList.add(stored.review);
  const label = form.querySelector("[data-review]");
  label.textContent = form.dataset[stored.review];
  label.classList.toggle("warn", stored.review === "open");
  reviewer.textContent = [stored.by, stored.at].filter(Boolean).join(", ");
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.value === stored.review));
  form.querySelector("[data-reopen]").hidden = stored.review === "open";
  status.textContent = `${card.querySelector("h2").textContent.trim()}: ${label.textContent}`;
  card.focus();
}

for (const card of cards) {
  const form = card.querySelector("form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter) decide(card, form, event.submitter.value);
  });
  // Enter in the note must not submit a decision.
  form.elements.note?.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const at = cards.findIndex((card) => card.contains(document.activeElement));
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
