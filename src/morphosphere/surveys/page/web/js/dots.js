// All galaxies as points. They are written into the pixels of a canvas: no graphics card is needed,
// and a hundred thousand take a few milliseconds.

import { MISSING } from "./colours.js";
import { NONE } from "./survey.js";

/** The ground, as bytes a b g r. */
const GROUND = 0xff120a07;
/** Points drawn while the view moves; at rest all are. */
const MOVING = 200_000;
/** Strength of points that the filters leave out, of those without a value, and of the others. */
const STRENGTH = [0.16, 0.5, 1];

export class Dots {
  /** `places` are x and y in turn. */
  constructor(canvas, plane, places) {
    Object.assign(this, { canvas, plane, places, rows: places.length / 2, scale: null, values: null, painted: 0 });
    this.mask = new Uint8Array(this.rows).fill(1);
    this.pen = canvas.getContext("2d", { alpha: false });
    this.hue = new Uint32Array(this.rows).fill(packed(MISSING));
    this.#layer();
    plane.addEventListener("view", () => {
      this.moving = true;
      this.draw();
      clearTimeout(this.rest);
      this.rest = setTimeout(() => {
        this.moving = false;
        if (this.rows > MOVING) this.draw();
      }, 160);
    });
  }

  /** Colour by values of a column; a category's code `NONE`, and what is not finite, is not known. */
  colour(scale, values) {
    Object.assign(this, { scale, values });
    const table = new Map();
    for (let i = 0; i < this.rows; i++) {
      const value = values[i];
      const known = scale.categorical ? value !== NONE : Number.isFinite(value);
      const step = !known ? -1 : scale.categorical ? value : Math.round(255 * Math.min(1, Math.max(0, scale.place(value))));
      if (!table.has(step)) table.set(step, packed(known ? scale.colour(value) : MISSING));
      this.hue[i] = table.get(step);
    }
    this.#layer();
  }

  /** Colour of a galaxy in CSS. */
  colourOf(row) {
    const bytes = this.hue[row];
    return `rgb(${bytes & 255}, ${(bytes >> 8) & 255}, ${(bytes >> 16) & 255})`;
  }

  /** Show these galaxies: 1 for each that is kept. */
  keep(mask) {
    this.mask = mask;
    this.#layer();
  }

  /** Sort galaxies into those that are drawn first, then, and on top. */
  #layer() {
    const { scale, values, mask } = this;
    const layers = [[], [], []];
    for (let i = 0; i < this.rows; i++) {
      const known = !scale || (scale.categorical ? values[i] !== NONE : Number.isFinite(values[i]));
      layers[mask[i] ? (known ? 2 : 1) : 0].push(i);
    }
    this.layers = layers.map((rows) => Uint32Array.from(rows));
    this.draw();
  }

  /** Width of a point in pixels of the screen: larger where there are few, and nearby. */
  get size() {
    const { plane } = this;
    const room = Math.sqrt((plane.width * plane.height) / this.rows);
    return Math.min(Math.max(0.42 * room, 2.4), 7) * Math.min(2.4, Math.max(0.8, 1 + 0.3 * Math.log2(plane.zoom)));
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    const { plane, canvas, pen } = this;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [Math.round(plane.width * ratio), Math.round(plane.height * ratio)];
    if (canvas.width !== width || canvas.height !== height || !this.image) {
      [canvas.width, canvas.height] = [width, height];
      this.image = pen.createImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    this.pixels.fill(GROUND);
    const every = this.moving ? Math.ceil(this.rows / MOVING) : 1;
    this.layers.forEach((rows, k) => this.#stamp(rows, stampOf((k ? 1 : 0.8) * this.size * ratio, STRENGTH[k], width), width, height, ratio, every));
    pen.putImageData(this.image, 0, 0);
    this.painted++;
  }

  #stamp(rows, stamp, width, height, ratio, every) {
    const { plane, places, pixels, hue } = this;
    const scale = plane.scale * ratio;
    const x0 = width / 2 - plane.centre[0] * scale;
    const y0 = height / 2 + plane.centre[1] * scale;
    const { offsets, shares, reach } = stamp;
    for (let k = 0; k < rows.length; k += every) {
      const i = rows[k];
      const x = Math.floor(x0 + places[2 * i] * scale);
      const y = Math.floor(y0 - places[2 * i + 1] * scale);
      if (x < reach || y < reach || x >= width - reach || y >= height - reach) continue;
      const at = y * width + x;
      const colour = hue[i];
      for (let s = 0; s < offsets.length; s++) {
        const place = at + offsets[s];
        const share = shares[s];
        pixels[place] = share === 256 ? colour : mixed(pixels[place], colour, share);
      }
    }
  }
}

/** A disc as places relative to its middle, and how much of each it covers, of 256. */
function stampOf(size, strength, width) {
  const reach = Math.ceil(size / 2 + 0.5);
  const offsets = [];
  const shares = [];
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const share = Math.round(256 * strength * Math.min(1, Math.max(0, size / 2 - Math.hypot(x, y) + 0.5)));
      if (share < 8) continue;
      offsets.push(y * width + x);
      shares.push(share);
    }
  }
  return { offsets: Int32Array.from(offsets), shares: Int32Array.from(shares), reach };
}

/** A pixel with `share` of 256 of a colour over it. */
function mixed(under, over, share) {
  const rest = 256 - share;
  const redBlue = (((under & 0xff00ff) * rest + (over & 0xff00ff) * share) >>> 8) & 0xff00ff;
  const green = (((under & 0x00ff00) * rest + (over & 0x00ff00) * share) >>> 8) & 0x00ff00;
  return (0xff000000 | redBlue | green) >>> 0;
}

/** Red, green and blue as the bytes of a pixel (little-endian). */
function packed([red, green, blue]) {
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}
