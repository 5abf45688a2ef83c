// Chooses the part of the camera image that is sent: the whole image, or the part around the face. No DOM access.
export const WHOLE = { width: 320, height: 240 };
const CROP = { width: 240, height: 180 };
// Height of the crop in face heights, so that a moving student is still in the next frame.
const CROP_FACE_RATIO = 2;
const MIN_HEIGHT = 90;
// A crop with at least this share of the whole image would save nothing.
const MAX_SHARE = 0.85;
// The crop stays while the face moves by less than this share of it, and its size changes by less than this factor.
const MAX_SHIFT = 0.2;
const MAX_SIZE_RATIO = 1.35;
const MAX_MISSES = 2;
const KEPT_FRAMES = 10;
// Without a result for the current crop for so long, the whole image is sent again.
const RESULT_TIMEOUT_MS = 8000;

// A crop has image pixels as coordinates; it may extend beyond the edges of the image, where it is grey.
export class Framing {
  #video = { width: 0, height: 0 };
  #crop = null;
  #faceSize = 0;
  #misses = 0;
  #lastResultMs = 0;
  #lastFrame = 0;
  #sentCrops = new Map();

  // The crop for a camera image of this size, with the width and height to send ("across", "down").
  of(video, now) {
    if (video.width !== this.#video.width || video.height !== this.#video.height) {
      this.#video = { width: video.width, height: video.height };
      this.#reset();
    }
    if (this.#crop && now - this.#lastResultMs > RESULT_TIMEOUT_MS) this.#reset();
    const crop = this.#crop || wholeImage(this.#video);
    const target = this.#crop ? CROP : WHOLE;
    const scale = this.#crop ? Math.min(1, target.height / crop.height) : target.height / crop.height;
    return { ...crop, across: Math.round(crop.width * scale), down: Math.round(crop.height * scale) };
  }

  // The server has received a frame with this crop and assigned the number.
  sent(number, crop) {
    this.#sentCrops.set(number, crop);
    for (const old of this.#sentCrops.keys()) if (old <= number - KEPT_FRAMES) this.#sentCrops.delete(old);
  }

  // The recording is paused; afterwards, the face is searched in the whole image.
  rest() {
    this.#reset();
    this.#sentCrops.clear();
  }

  // The server reports the face box in a frame, relative to it, or null if no face was found.
  found({ frame, box }, now) {
    const crop = this.#sentCrops.get(frame);
    if (!crop || frame <= this.#lastFrame) return;
    this.#lastFrame = frame;
    const current = this.#crop || wholeImage(this.#video);
    const isCurrent = ["x", "y", "width", "height"].every((side) => crop[side] === current[side]);
    if (!Array.isArray(box) || box.length !== 4 || !box.every(Number.isFinite)) {
      if (isCurrent && ++this.#misses >= MAX_MISSES) this.#reset();
      if (isCurrent) this.#lastResultMs = now;
      return;
    }
    if (isCurrent) {
      this.#misses = 0;
      this.#lastResultMs = now;
    }
    const x = crop.x + ((box[0] + box[2]) / 2) * crop.width;
    const y = crop.y + ((box[1] + box[3]) / 2) * crop.height;
    const size = Math.max((box[2] - box[0]) * crop.width, (box[3] - box[1]) * crop.height);
    if (!(size > 0) || (this.#crop && this.#isWellFramed(x, y, size))) return;
    this.#crop = this.#cropAround(x, y, size);
    this.#faceSize = size;
    this.#misses = 0;
    this.#lastResultMs = now;
  }

  #reset() {
    this.#crop = null;
    this.#misses = 0;
  }

  #isWellFramed(x, y, size) {
    const { x: left, y: top, width, height } = this.#crop;
    const shift = Math.max(Math.abs(x - left - width / 2), Math.abs(y - top - height / 2));
    const ratio = size / this.#faceSize;
    // At the edge of the image the crop cannot be centred on the face.
    const ideal = this.#cropAround(x, y, this.#faceSize);
    const isIdeal = ideal && Math.hypot(ideal.x - left, ideal.y - top) < 1;
    return (shift < MAX_SHIFT * height || isIdeal) && ratio < MAX_SIZE_RATIO && ratio > 1 / MAX_SIZE_RATIO;
  }

  #cropAround(x, y, size) {
    const { width, height } = this.#video;
    const down = Math.max(MIN_HEIGHT, CROP_FACE_RATIO * size);
    const across = (down * CROP.width) / CROP.height;
    if (down >= MAX_SHARE * Math.min(height, (width * 3) / 4)) return null;
    const left = Math.min(Math.max(0, x - across / 2), width - across);
    const top = Math.min(Math.max(0, y - down / 2), height - down);
    return { x: left, y: top, width: across, height: down };
  }
}

// The whole image, padded with grey to the aspect ratio of the sent image.
function wholeImage({ width, height }) {
  const across = Math.max(width, (height * WHOLE.width) / WHOLE.height);
  const down = (across * WHOLE.height) / WHOLE.width;
  return { x: (width - across) / 2, y: (height - down) / 2, width: across, height: down };
}
