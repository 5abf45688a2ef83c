// Show the value of the point under the pointer or finger below its chart.
for (const figure of document.querySelectorAll(".levels-figure")) {
  const output = figure.querySelector(".value");
  figure.addEventListener("pointerover", (event) => {
    const point = event.target.closest("[data-value]");
    if (point) output.textContent = point.dataset.value;
  });
}
