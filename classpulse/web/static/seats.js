// Names onto seats: by mouse, by touch and by keyboard. The table of the form is what is sent; everything here
// changes it and draws it.
const form = document.getElementById("seating");
if (form) start();

function start() {
  const SVG = "http://www.w3.org/2000/svg";
  const room = form.querySelector(".room");
  const view = room.getAttribute("viewBox").split(" ").map(Number);
  const [width, height] = [Number(room.dataset.width), Number(room.dataset.height)];
  const letter = Number(room.getAttribute("font-size"));
  const rows = form.querySelector(".seat-table tbody");
  const names = [...form.querySelectorAll(".name")];
  const movable = form.elements.still.value !== "";
  const add = form.querySelector(".add");
  const away = form.querySelector(".take-away");
  const said = form.querySelector(".said");
  let chosen = null; // the name that is to be put somewhere
  let current = null; // the seat that was touched last

  for (const one of form.querySelectorAll(".scripted")) one.hidden = false;
  // A seat is as large as what is to hit it; the picture scrolls then.
  const least = matchMedia("(pointer: coarse)").matches ? 44 : 26;
  const scroller = room.parentElement;
  room.style.width = `${Math.round((least * view[2]) / Number(form.dataset.seat))}px`;

  const seats = () => [...room.querySelectorAll(".seat")];
  const row = (seat) => rows.querySelector(`tr[data-row="${seat.dataset.row}"]`);
  const cell = (seat, what) => row(seat).querySelector(`[name^="${what}-"]`);
  const label = (seat) => cell(seat, "label").value;
  const nameOf = (who) => names.find((one) => one.dataset.student === who);
  const text = (button) => button.firstChild.textContent.trim();
  const say = (key, seat, who) => {
    said.textContent = form.dataset[key]
      .replace("%s", seat ? label(seat) : "")
      .replace("%w", who ? text(who) : "");
  };

  function box(seat) {
    if (!movable) {
      const rect = seat.querySelector("rect");
      const [x, y, w, h] = ["x", "y", "width", "height"].map((key) => Number(rect.getAttribute(key)));
      return [x, y, x + w, y + h];
    }
    return cell(seat, "box").value.split(/[\s,]+/).map(Number);
  }

  function draw(seat) {
    const [x1, y1, x2, y2] = box(seat);
    const button = nameOf(cell(seat, "student").value);
    const rect = seat.querySelector("rect");
    const put = (node, values) => {
      for (const [key, value] of Object.entries(values)) node.setAttribute(key, value);
    };
    if ([x1, y1, x2, y2].every(Number.isFinite) && x2 > x1 && y2 > y1) {
      put(rect, { x: x1, y: y1, width: x2 - x1, height: y2 - y1 });
      // Above and below the seat, but inside of what is shown.
      const [top, low] = [view[1] + letter * 0.9, view[1] + view[3] - letter * 0.3];
      put(seat.querySelector(".label"), { x: (x1 + x2) / 2, y: Math.max(y1 - letter * 0.3, top) });
      put(seat.querySelector(".sits"), { x: (x1 + x2) / 2, y: Math.min(y2 + letter, low) });
    }
    seat.querySelector(".label").textContent = label(seat);
    seat.querySelector(".sits").textContent = button ? text(button) : "";
    seat.classList.toggle("taken", Boolean(button));
    seat.classList.toggle("opted-out", Boolean(button?.classList.contains("opted-out")));
    const told = form.dataset[button ? "taken" : "empty"];
    seat.setAttribute("aria-label", told.replace("%s", label(seat)).replace("%w", button ? text(button) : ""));
  }

  function drawNames() {
    const seated = new Set(seats().map((seat) => cell(seat, "student").value));
    for (const one of names) {
      one.setAttribute("aria-pressed", String(one === chosen));
      one.classList.toggle("seated", seated.has(one.dataset.student));
    }
    room.classList.toggle("choosing", chosen !== null);
  }

  function drawAll() {
    seats().forEach(draw);
    drawNames();
  }

  function choose(name) {
    chosen = name;
    if (name) say("chosen", null, name);
    drawNames();
  }

  function put(name, seat) {
    for (const other of seats()) {
      if (cell(other, "student").value === name.dataset.student) cell(other, "student").value = "";
    }
    cell(seat, "student").value = name.dataset.student;
    chosen = null;
    drawAll();
    say("put", seat, name);
  }

  function press(seat) {
    touch(seat);
    if (chosen) {
      put(chosen, seat);
      return;
    }
    const name = nameOf(cell(seat, "student").value);
    if (!name) {
      said.textContent = form.dataset.first;
      return;
    }
    cell(seat, "student").value = "";
    drawAll();
    choose(name);
  }

  function touch(seat) {
    current = seat;
    for (const one of seats()) one.classList.toggle("current", one === seat);
    if (away) away.disabled = !seat;
  }

  function moveTo(seat, x, y) {
    const [x1, y1, x2, y2] = box(seat);
    const [w, h] = [x2 - x1, y2 - y1];
    const left = Math.round(Math.min(Math.max(0, x), Math.max(0, width - w)));
    const top = Math.round(Math.min(Math.max(0, y), Math.max(0, height - h)));
    cell(seat, "box").value = [left, top, Math.round(left + w), Math.round(top + h)].join(" ");
    draw(seat);
  }

  const scale = () => view[2] / room.getBoundingClientRect().width;
  const seatAt = (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest?.(".seat") ?? null;

  // One way for mouse, pen and finger: what is hardly moved is a press, the rest is a drag.
  function draggable(node, { begin, move, drop }) {
    node.addEventListener("pointerdown", (down) => {
      if (down.button !== 0) return;
      let dragging = false;
      // At once: a quick mouse is elsewhere before it has said that it moved.
      node.setPointerCapture(down.pointerId);
      const onMove = (event) => {
        if (!dragging && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > 6) {
          dragging = true;
          begin(down);
        }
        if (dragging) move(event);
      };
      const over = (event) => {
        node.removeEventListener("pointermove", onMove);
        node.removeEventListener("pointerup", over);
        node.removeEventListener("pointercancel", over);
        if (!dragging) return;
        drop(event.type === "pointerup" ? event : null);
        // The click that ends a drag presses nothing.
        const swallow = (click) => click.stopImmediatePropagation();
        node.addEventListener("click", swallow, { capture: true, once: true });
        setTimeout(() => node.removeEventListener("click", swallow, { capture: true }), 0);
      };
      node.addEventListener("pointermove", onMove);
      node.addEventListener("pointerup", over);
      node.addEventListener("pointercancel", over);
    });
  }

  for (const name of names) {
    let ghost = null;
    draggable(name, {
      begin: () => {
        choose(name);
        ghost = document.createElement("div");
        ghost.className = "ghost";
        ghost.textContent = text(name);
        document.body.append(ghost);
      },
      move: (event) => {
        ghost.style.left = `${event.clientX}px`;
        ghost.style.top = `${event.clientY}px`;
        for (const one of seats()) one.classList.toggle("over", one === seatAt(event));
      },
      drop: (event) => {
        ghost.remove();
        for (const one of seats()) one.classList.remove("over");
        const seat = event && seatAt(event);
        if (seat) put(name, seat);
        else choose(null);
      },
    });
    name.addEventListener("click", () => choose(chosen === name ? null : name));
  }

  function equip(seat) {
    seat.setAttribute("tabindex", "0");
    seat.setAttribute("role", "button");
    seat.addEventListener("click", () => press(seat));
    seat.addEventListener("focus", () => touch(seat));
    seat.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (event.key === "Enter" || event.key === " ") press(seat);
      else if (step && movable) {
        const [x1, y1, x2] = box(seat);
        const by = Math.max(1, Math.round((x2 - x1) * (event.shiftKey ? 0.5 : 0.1)));
        moveTo(seat, x1 + step[0] * by, y1 + step[1] * by);
      } else if (event.key === "Delete" && movable) takeAway(seat);
      else return;
      event.preventDefault();
    });
    if (movable) {
      let from = null;
      draggable(seat, {
        begin: (down) => {
          touch(seat);
          from = [down.clientX, down.clientY, ...box(seat)];
        },
        move: (event) => {
          const by = scale();
          moveTo(seat, from[2] + (event.clientX - from[0]) * by, from[3] + (event.clientY - from[1]) * by);
        },
        drop: () => {},
      });
    }
    draw(seat);
  }

  function takeAway(seat) {
    say("removed", seat);
    row(seat).querySelector('[name^="removed-"]').checked = true;
    row(seat).hidden = true;
    cell(seat, "student").value = "";
    seat.remove();
    touch(null);
    drawNames();
  }

  function freeLabel() {
    const taken = new Set([...rows.querySelectorAll('[name^="label-"]')].map((one) => one.value.toUpperCase()));
    let number = 1;
    while (taken.has(`S${number}`)) number += 1;
    return `S${number}`;
  }

  function medianSize() {
    const middle = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
    const boxes = seats().map(box);
    if (!boxes.length) return [width / 20, width / 20];
    return [middle(boxes.map((one) => one[2] - one[0])), middle(boxes.map((one) => one[3] - one[1]))];
  }

  function addSeat() {
    // The last row is the empty one; a copy of it becomes the next empty one.
    const empty = rows.lastElementChild;
    const number = Number(empty.dataset.row);
    const next = empty.cloneNode(true);
    next.dataset.row = String(number + 1);
    next.firstElementChild.textContent = String(number + 1);
    for (const one of next.querySelectorAll("[name]")) one.name = one.name.replace(/\d+$/, String(number + 1));
    const [w, h] = medianSize();
    empty.querySelector('[name^="label-"]').value = freeLabel();
    const by = scale();
    const x = Math.max(0, view[0] + (scroller.scrollLeft + scroller.clientWidth / 2) * by - w / 2);
    let y = Math.max(0, view[1] + (scroller.scrollTop + scroller.clientHeight / 2) * by - h / 2);
    // Not onto a seat that is there already.
    const meets = ([x1, y1, x2, y2]) => x < x2 && x + w > x1 && y < y2 && y + h > y1;
    for (let tries = 0; tries < 20 && seats().some((one) => meets(box(one))); tries += 1) {
      y = (y + h) % Math.max(1, height - h);
    }
    empty.querySelector('[name^="box-"]').value = [x, y, x + w, y + h].map(Math.round).join(" ");
    rows.append(next);
    const seat = document.createElementNS(SVG, "g");
    seat.setAttribute("class", "seat");
    seat.dataset.row = String(number);
    seat.append(document.createElementNS(SVG, "rect"));
    for (const kind of ["label", "sits"]) {
      const node = document.createElementNS(SVG, "text");
      node.setAttribute("class", kind);
      seat.append(node);
    }
    room.append(seat);
    equip(seat);
    watch(empty);
    watch(next);
    seat.focus();
    say("added", seat);
  }

  // What is changed in the table is drawn at once.
  function watch(one) {
    one.oninput = () => {
      const seat = room.querySelector(`.seat[data-row="${one.dataset.row}"]`);
      if (seat) draw(seat);
      drawNames();
    };
  }

  seats().forEach(equip);
  [...rows.children].forEach(watch);
  const boxes = seats().map(box);
  if (boxes.length) {
    const middle = (from, to) => boxes.reduce((sum, one) => sum + one[from] + one[to], 0) / (2 * boxes.length);
    scroller.scrollLeft = (middle(0, 2) - view[0]) / scale() - scroller.clientWidth / 2;
    scroller.scrollTop = (middle(1, 3) - view[1]) / scale() - scroller.clientHeight / 2;
  }
  add?.addEventListener("click", addSeat);
  away?.addEventListener("click", () => current && takeAway(current));
  document.addEventListener("keydown", (event) => event.key === "Escape" && choose(null));
  drawNames();
}
