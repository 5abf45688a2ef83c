() => {
  const all = selector => [...document.querySelectorAll(selector)];
  const shown = e => e.getClientRects().length > 0;
  const named = e =>
    (e.labels && e.labels.length && e.labels[0].textContent.trim()) ||
    e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.title;
  const written = e => (e.innerText || e.textContent).trim();
  const text = e => e.outerHTML.slice(0, 120);
  const ids = all("[id]").map(e => e.id);
  const levels = all("h1,h2,h3,h4").filter(shown).map(e => +e.tagName[1]);
  const pictureNamed = e =>
    e.closest("[aria-hidden=true],a,button") || e.getAttribute("role") === "presentation" ||
    e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.querySelector("title");
  const references = e => ["aria-labelledby", "aria-describedby", "aria-controls"]
    .flatMap(name => (e.getAttribute(name) || "").split(" ")).filter(id => id && !ids.includes(id));
  return [
    ...all("input:not([type=hidden]),select,textarea").filter(e => shown(e) && !named(e)).map(e => "no label: " + text(e)),
    ...all("img").filter(e => !e.hasAttribute("alt")).map(e => "no alt: " + text(e)),
    ...all("button,a[href],summary").filter(e => shown(e) && !(written(e) || named(e))).map(e => "no name: " + text(e)),
    ...all("svg").filter(e => shown(e) && !pictureNamed(e)).map(e => "a picture without a name: " + text(e)),
    ...all("table").filter(e => shown(e) && !e.querySelector("th")).map(e => "a table without headings: " + text(e)),
    ...ids.filter((id, at) => ids.indexOf(id) !== at).map(id => "twice: #" + id),
    ...all("*").flatMap(references).map(id => "leads nowhere: #" + id),
    ...all("[tabindex]").filter(e => e.tabIndex > 0).map(e => "an order of its own: " + text(e)),
    ...(all("h1").filter(shown).length === 1 ? [] : ["not one h1 but " + all("h1").length]),
    ...levels.slice(1).filter((level, at) => level > levels[at] + 1).map(level => "a heading left out before h" + level),
    ...(all("main").length === 1 && all("body > header").length === 1 && all("body > footer").length === 1 ? [] : ["landmarks"]),
    ...(document.title.trim() && document.documentElement.lang ? [] : ["no title or language"]),
  ];
}
