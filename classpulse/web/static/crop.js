// Which part of the camera's picture is sent: all of it, or what is around the face. Knows nothing of pages.
export const WHOLE = { width: 320, height: 240 };
const CROP = { width: 240, height: 180 };
// How much higher than the face the part is, so that whoever moves is still in the next picture.
const GENEROUS = 2;
const SMALLEST = 90;
// From this share of the whole on, the part would save nothing.
const NEARLY_WHOLE = 0.85;
// Who has moved by less than this share of the part, or come nearer by less, does not move the part.
const STEADY = 0.2;
const STEADY_SIZE = 1.35;
const MISSES = 2;
const REMEMBERED = 10;
// Without word of a picture of this part for so long, all is sent again.
const UNHEARD_MS = 8000;

// A part of the camera's picture, in its pixels; it may reach beyond the edges, where it is grey.
export class Framing {
  #video = { width: 0, height: 0 };
  #part = null;
  #face = 0;
  #misses = 0;
  #heard = 0;
  #told = 0;
  #sent = new Map();

  // What to send of a camera that gives pictures of this size: where, and how large.
  of(video, now) {
    if (video.width !== this.#video.width || video.height !== this.#video.height) {
      this.#video = { width: video.width, height: video.height };
      this.#whole();
    }
    if (this.#part && now - this.#heard > UNHEARD_MS) this.#whole();
    const part = this.#part || around(this.#video);
    const largest = this.#part ? CROP : WHOLE;
    const scale = this.#part ? Math.min(1, largest.height / part.height) : largest.height / part.height;
    return { ...part, across: Math.round(part.width * scale), down: Math.round(part.height * scale) };
  }

  // The server has taken a picture of this part, and numbered it.
  sent(number, part) {
    this.#sent.set(number, part);
    for (const old of this.#sent.keys()) if (old <= number - REMEMBERED) this.#sent.delete(old);
  }

  // Nobody looks any more: who comes back is looked for in the whole picture.
  rest() {
    this.#whole();
    this.#sent.clear();
  }

  // The server says where the face was in a picture: shares of it, or null where none was found.
  found({ frame, box }, now) {
    const part = this.#sent.get(frame);
    if (!part || frame <= this.#told) return;
    this.#told = frame;
    const present = this.#part || around(this.#video);
    const same = ["x", "y", "width", "height"].every((side) => part[side] === present[side]);
    if (!Array.isArray(box) || box.length !== 4 || !box.every(Number.isFinite)) {
      if (same && ++this.#misses >= MISSES) this.#whole();
      if (same) this.#heard = now;
      return;
    }
    if (same) {
      this.#misses = 0;
      this.#heard = now;
    }
    const x = part.x + ((box[0] + box[2]) / 2) * part.width;
    const y = part.y + ((box[1] + box[3]) / 2) * part.height;
    const size = Math.max((box[2] - box[0]) * part.width, (box[3] - box[1]) * part.height);
    if (!(size > 0) || (this.#part && this.#holds(x, y, size))) return;
    this.#part = this.#near(x, y, size);
    this.#face = size;
    this.#misses = 0;
    this.#heard = now;
  }

  #whole() {
    this.#part = null;
    this.#misses = 0;
  }

  #holds(x, y, size) {
    const { x: left, y: top, width, height } = this.#part;
    const away = Math.max(Math.abs(x - left - width / 2), Math.abs(y - top - height / 2));
    const ratio = size / this.#face;
    // At the picture's edge the face is not in the middle, and need not be.
    const wanted = this.#near(x, y, this.#face);
    const stays = wanted && Math.hypot(wanted.x - left, wanted.y - top) < 1;
    return (away < STEADY * height || stays) && ratio < STEADY_SIZE && ratio > 1 / STEADY_SIZE;
  }

  #near(x, y, size) {
    const { width, height } = this.#video;
    const down = Math.max(SMALLEST, GENEROUS * size);
    const across = (down * CROP.width) / CROP.height;
    if (down >= NEARLY_WHOLE * Math.min(height, (width * 3) / 4)) return null;
    const left = Math.min(Math.max(0, x - across / 2), width - across);
    const top = Math.min(Math.max(0, y - down / 2), height - down);
    return { x: left, y: top, width: across, height: down };
  }
}

// The whole picture, with grey beside it where it is not as wide as high as what is sent.
function around({ width, height }) {
  const across = Math.max(width, (height * WHOLE.width) / WHOLE.height);
  const down = (across * WHOLE.height) / WHOLE.width;
  return { x: (width - across) / 2, y: (height - down) / 2, width: across, height: down };
}
