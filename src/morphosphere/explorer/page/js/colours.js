// Colour maps, and the scale from values to colours.

// Sixteen evenly spaced colours of each map (matplotlib's, CC0).
const STOPS = {
  viridis: "440154 481a6c 472f7d 414487 39568c 31688e 2a788e 23888e 1f988b 22a884 35b779 54c568 7ad151 a5db36 d2e21b fde725",
  plasma: "0d0887 330597 5002a2 6a00a8 8405a7 9c179e b12a90 c33d80 d35171 e16462 ed7953 f68f44 fca636 fec029 f9dc24 f0f921",
  magma: "000004 0b0924 20114b 3b0f70 57157e 721f81 8c2981 a8327d c43c75 de4968 f1605d fa7f5e fe9f6d febf84 fddea0 fcfdbf",
  cividis: "00224e 002e6c 1e3a6f 35456c 47516c 575d6d 666970 757575 848279 948e77 a59c74 b7a96e c8b866 dbc75a eed649 fee838",
  turbo: "30123b 4143a7 4771e9 3e9bfe 22c5e2 1ae4b6 46f884 88ff4e b9f635 e1dd37 faba39 fd8d27 f05b12 d63506 af1801 7a0403",
  coolwarm: "3b4cc0 4f69d9 6485ec 7b9ff9 93b5fe aac7fd c0d4f5 d4dbe6 e5d8d1 f2cbb7 f7b89c f5a081 ee8468 e0654f cc403a b40426",
};

// Distinct colours for categories (Okabe and Ito, safe for colour-blind eyes, lightened for a dark map).
const CATEGORIES = "56b4e9 e69f00 2fc79a f0e442 f2794b d79bc6 8fb8ff c9c9c9 b58863 a6e22e ff9dbb 7fdbda c7b3ff ffd59e 9ccc65 ef9a9a"
  .split(" ");

/** Colour of values that are missing. */
export const MISSING = [118, 126, 142];

export const COLOUR_MAPS = Object.keys(STOPS);

const parse = (hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16));

/** 256 colours as bytes, r g b a. */
export function lookup(name) {
  const stops = (STOPS[name] ?? STOPS.viridis).split(" ").map(parse);
  const out = new Uint8Array(256 * 4);
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (stops.length - 1);
    const k = Math.min(Math.floor(place), stops.length - 2);
    for (let c = 0; c < 3; c++) out[4 * i + c] = Math.round(stops[k][c] + (stops[k + 1][c] - stops[k][c]) * (place - k));
    out[4 * i + 3] = 255;
  }
  return out;
}

export const categoryColour = (code) => parse(CATEGORIES[code % CATEGORIES.length]);

/** How a column is coloured: limits, logarithm or not, and the table of colours. */
export class Scale {
  constructor(column, { log, map }) {
    this.column = column;
    this.categorical = column.kind === "category";
    this.map = map;
    if (this.categorical) {
      this.log = false;
      [this.low, this.high] = [0, 256];
      this.colours = new Uint8Array(256 * 4).fill(255);
      for (let i = 0; i < 256; i++) this.colours.set(categoryColour(i), 4 * i);
      return;
    }
    this.log = log && canLog(column);
    const q = column.quantiles;
    [this.low, this.high] = [q[1], q[5]];
    if (this.low === this.high) [this.low, this.high] = [q[0], q[6]];
    if (this.log) this.low = Math.max(this.low, column.smallest_positive);
    if (!(this.high > this.low)) this.high = this.low + (Math.abs(this.low) || 1);
    this.colours = lookup(map);
  }

  /** Place between 0 and 1 on the scale, not clipped; NaN for what cannot be shown. */
  place(value) {
    if (this.categorical) return (value + 0.5) / 256;
    if (!this.log) return (value - this.low) / (this.high - this.low);
    return value > 0 ? Math.log(value / this.low) / Math.log(this.high / this.low) : NaN;
  }

  valueAt(place) {
    return this.log ? this.low * (this.high / this.low) ** place : this.low + place * (this.high - this.low);
  }

  colour(value) {
    const place = this.place(value);
    if (!Number.isFinite(place)) return MISSING;
    const i = this.categorical ? value : Math.round(255 * Math.min(1, Math.max(0, place)));
    return [...this.colours.slice(4 * i, 4 * i + 3)];
  }
}

/** Whether a logarithmic scale makes sense: positive, and not of one value. */
export const canLog = (column) => column.kind !== "category" && column.quantiles?.[1] >= 0 && column.smallest_positive > 0;

/** Whether a column spans so much that a logarithmic scale is the natural one. */
export const wantsLog = (column) => canLog(column) && column.quantiles[1] > 0 && column.quantiles[5] / column.quantiles[1] > 20;
