// The value under the pointer, or under the finger, below its chart.
for (const figure of document.querySelectorAll(".levels-figure")) {
  const value = figure.querySelector(".value");
  figure.addEventListener("pointerover", (event) => {
    const point = event.target.closest("[data-told]");
    if (point) value.textContent = point.dataset.told;
  });
}
