// Assigns students to seats by mouse, touch and keyboard. The table of the form is what is submitted; this script
// changes it and draws it.
const form = document.getElementById("seating");
if (form) start();

function start() {
  const SVG = "http://www.w3.org/2000/svg";
  const room = form.querySelector(".room");
  const view = room.getAttribute("viewBox").split(" ").map(Number);
  const [width, height] = [Number(room.dataset.width), Number(room.dataset.height)];
  const fontPx = Number(room.getAttribute("font-size"));
  const rows = form.querySelector(".seat-table tbody");
  const names = [...form.querySelectorAll(".name")];
  const movable = form.elements.still.value !== "";
  const add = form.querySelector(".add");
  const remove = form.querySelector(".remove");
  const message = form.querySelector(".message");
  let selected = null; // the name that is to be assigned
  let current = null; // the seat that was used last

  for (const node of form.querySelectorAll(".scripted")) node.hidden = false;
  // Scale the image so that a seat can be hit with the pointer or finger; the image scrolls if it is too large.
  const minSeatPx = matchMedia("(pointer: coarse)").matches ? 44 : 26;
  const scroller = room.parentElement;
  room.style.width = `${Math.round((minSeatPx * view[2]) / Number(form.dataset.seat))}px`;

  const seats = () => [...room.querySelectorAll(".seat")];
  const row = (seat) => rows.querySelector(`tr[data-row="${seat.dataset.row}"]`);
  const cell = (seat, field) => row(seat).querySelector(`[name^="${field}-"]`);
  const label = (seat) => cell(seat, "label").value;
  const nameOf = (student) => names.find((name) => name.dataset.student === student);
  const text = (button) => button.firstChild.textContent.trim();
  const show = (key, seat, name) => {
    message.textContent = form.dataset[key]
      .replace("%s", seat ? label(seat) : "")
      .replace("%w", name ? text(name) : "");
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
    const setAttributes = (node, values) => {
      for (const [key, value] of Object.entries(values)) node.setAttribute(key, value);
    };
    if ([x1, y1, x2, y2].every(Number.isFinite) && x2 > x1 && y2 > y1) {
      setAttributes(rect, { x: x1, y: y1, width: x2 - x1, height: y2 - y1 });
      // The texts are above and below the seat, but inside the visible area.
      const [top, bottom] = [view[1] + fontPx * 0.9, view[1] + view[3] - fontPx * 0.3];
      setAttributes(seat.querySelector(".label"), { x: (x1 + x2) / 2, y: Math.max(y1 - fontPx * 0.3, top) });
      setAttributes(seat.querySelector(".occupant"), { x: (x1 + x2) / 2, y: Math.min(y2 + fontPx, bottom) });
    }
    seat.querySelector(".label").textContent = label(seat);
    seat.querySelector(".occupant").textContent = button ? text(button) : "";
    seat.classList.toggle("occupied", Boolean(button));
    seat.classList.toggle("opted-out", Boolean(button?.classList.contains("opted-out")));
    const description = form.dataset[button ? "occupied" : "empty"];
    seat.setAttribute("aria-label", description.replace("%s", label(seat)).replace("%w", button ? text(button) : ""));
  }

  function drawNames() {
    const seated = new Set(seats().map((seat) => cell(seat, "student").value));
    for (const name of names) {
      name.setAttribute("aria-pressed", String(name === selected));
      name.classList.toggle("seated", seated.has(name.dataset.student));
    }
    room.classList.toggle("choosing", selected !== null);
  }

  function drawAll() {
    seats().forEach(draw);
    drawNames();
  }

  function select(name) {
    selected = name;
    if (name) show("selected", null, name);
    drawNames();
  }

  function assign(name, seat) {
    for (const other of seats()) {
      if (cell(other, "student").value === name.dataset.student) cell(other, "student").value = "";
    }
    cell(seat, "student").value = name.dataset.student;
    selected = null;
    drawAll();
    show("assigned", seat, name);
  }

  function press(seat) {
    makeCurrent(seat);
    if (selected) {
      assign(selected, seat);
      return;
    }
    const name = nameOf(cell(seat, "student").value);
    if (!name) {
      message.textContent = form.dataset.choose;
      return;
    }
    cell(seat, "student").value = "";
    drawAll();
    select(name);
  }

  function makeCurrent(seat) {
    current = seat;
    for (const other of seats()) other.classList.toggle("current", other === seat);
    if (remove) remove.disabled = !seat;
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

  // Mouse, pen and finger alike: a movement of more than 6 px is a drag, anything else a press.
  function draggable(node, { begin, move, drop }) {
    node.addEventListener("pointerdown", (down) => {
      if (down.button !== 0) return;
      let dragging = false;
      // Capture at once: a fast pointer leaves the node before its first move event.
      node.setPointerCapture(down.pointerId);
      const onMove = (event) => {
        if (!dragging && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > 6) {
          dragging = true;
          begin(down);
        }
        if (dragging) move(event);
      };
      const onEnd = (event) => {
        node.removeEventListener("pointermove", onMove);
        node.removeEventListener("pointerup", onEnd);
        node.removeEventListener("pointercancel", onEnd);
        if (!dragging) return;
        drop(event.type === "pointerup" ? event : null);
        // Suppress the click event at the end of a drag.
        const suppress = (click) => click.stopImmediatePropagation();
        node.addEventListener("click", suppress, { capture: true, once: true });
        setTimeout(() => node.removeEventListener("click", suppress, { capture: true }), 0);
      };
      node.addEventListener("pointermove", onMove);
      node.addEventListener("pointerup", onEnd);
      node.addEventListener("pointercancel", onEnd);
    });
  }

  for (const name of names) {
    let ghost = null;
    draggable(name, {
      begin: () => {
        select(name);
        ghost = document.createElement("div");
        ghost.className = "ghost";
        ghost.textContent = text(name);
        document.body.append(ghost);
      },
      move: (event) => {
        ghost.style.left = `${event.clientX}px`;
        ghost.style.top = `${event.clientY}px`;
        for (const seat of seats()) seat.classList.toggle("over", seat === seatAt(event));
      },
      drop: (event) => {
        ghost.remove();
        for (const seat of seats()) seat.classList.remove("over");
        const seat = event && seatAt(event);
        if (seat) assign(name, seat);
        else select(null);
      },
    });
    name.addEventListener("click", () => select(selected === name ? null : name));
  }

  function equip(seat) {
    seat.setAttribute("tabindex", "0");
    seat.setAttribute("role", "button");
    seat.addEventListener("click", () => press(seat));
    seat.addEventListener("focus", () => makeCurrent(seat));
    seat.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (event.key === "Enter" || event.key === " ") press(seat);
      else if (step && movable) {
        const [x1, y1, x2] = box(seat);
        const by = Math.max(1, Math.round((x2 - x1) * (event.shiftKey ? 0.5 : 0.1)));
        moveTo(seat, x1 + step[0] * by, y1 + step[1] * by);
      } else if (event.key === "Delete" && movable) removeSeat(seat);
      else return;
      event.preventDefault();
    });
    if (movable) {
      let from = null;
      draggable(seat, {
        begin: (down) => {
          makeCurrent(seat);
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

  function removeSeat(seat) {
    show("removed", seat);
    row(seat).querySelector('[name^="removed-"]').checked = true;
    row(seat).hidden = true;
    cell(seat, "student").value = "";
    seat.remove();
    makeCurrent(null);
    drawNames();
  }

  function freeLabel() {
    const used = new Set([...rows.querySelectorAll('[name^="label-"]')].map((input) => input.value.toUpperCase()));
    let number = 1;
    while (used.has(`S${number}`)) number += 1;
    return `S${number}`;
  }

  function medianSize() {
    const middle = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
    const boxes = seats().map(box);
    if (!boxes.length) return [width / 20, width / 20];
    return [middle(boxes.map(([x1, , x2]) => x2 - x1)), middle(boxes.map(([, y1, , y2]) => y2 - y1))];
  }

  function addSeat() {
    // The last row is empty; a copy of it becomes the next empty row.
    const empty = rows.lastElementChild;
    const number = Number(empty.dataset.row);
    const next = empty.cloneNode(true);
    next.dataset.row = String(number + 1);
    next.firstElementChild.textContent = String(number + 1);
    for (const input of next.querySelectorAll("[name]")) input.name = input.name.replace(/\d+$/, String(number + 1));
    const [w, h] = medianSize();
    empty.querySelector('[name^="label-"]').value = freeLabel();
    const by = scale();
    const x = Math.max(0, view[0] + (scroller.scrollLeft + scroller.clientWidth / 2) * by - w / 2);
    let y = Math.max(0, view[1] + (scroller.scrollTop + scroller.clientHeight / 2) * by - h / 2);
    // Avoid existing seats.
    const overlaps = ([x1, y1, x2, y2]) => x < x2 && x + w > x1 && y < y2 && y + h > y1;
    for (let tries = 0; tries < 20 && seats().some((seat) => overlaps(box(seat))); tries += 1) {
      y = (y + h) % Math.max(1, height - h);
    }
    empty.querySelector('[name^="box-"]').value = [x, y, x + w, y + h].map(Math.round).join(" ");
    rows.append(next);
    const seat = document.createElementNS(SVG, "g");
    seat.setAttribute("class", "seat");
    seat.dataset.row = String(number);
    seat.append(document.createElementNS(SVG, "rect"));
    for (const kind of ["label", "occupant"]) {
      const node = document.createElementNS(SVG, "text");
      node.setAttribute("class", kind);
      seat.append(node);
    }
    room.append(seat);
    equip(seat);
    watch(empty);
    watch(next);
    seat.focus();
    show("added", seat);
  }

  // Draw changes in the table at once.
  function watch(tableRow) {
    tableRow.oninput = () => {
      const seat = room.querySelector(`.seat[data-row="${tableRow.dataset.row}"]`);
      if (seat) draw(seat);
      drawNames();
    };
  }

  seats().forEach(equip);
  [...rows.children].forEach(watch);
  const boxes = seats().map(box);
  if (boxes.length) {
    const middle = (from, to) => boxes.reduce((sum, edges) => sum + edges[from] + edges[to], 0) / (2 * boxes.length);
    scroller.scrollLeft = (middle(0, 2) - view[0]) / scale() - scroller.clientWidth / 2;
    scroller.scrollTop = (middle(1, 3) - view[1]) / scale() - scroller.clientHeight / 2;
  }
  add?.addEventListener("click", addSeat);
  remove?.addEventListener("click", () => current && removeSeat(current));
  document.addEventListener("keydown", (event) => event.key === "Escape" && select(null));
  drawNames();
}
