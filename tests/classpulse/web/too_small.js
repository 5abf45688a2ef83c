() => [...document.querySelectorAll("button, nav a, select, input:not([type=hidden])")]
  .map(e => [(e.closest("label.choice") || e).getBoundingClientRect(), e])
  .filter(([box]) => box.width && box.height < 43.5)
  .map(([box, e]) => `${e.outerHTML.slice(0, 120)} is ${box.height} px high`)
