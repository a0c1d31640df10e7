// The galaxies of the page: places, columns, identifiers and pictures.

import { loadArray, loadJson, loadText, remember } from "./load.js";
import { thumbnail } from "./pictures.js";

const TYPES = { category: Uint8Array, float32: Float32Array, int32: Int32Array, float64: Float64Array };
/** Code of a category that is not known. */
export const NONE = 255;

export class Survey {
  static async open(base) {
    const folder = new URL("data/", base);
    const index = await loadJson(new URL("index.json", folder));
    const places = await loadArray(new URL("places.bin", folder), Float32Array, 2 * index.rows);
    return new Survey(folder, index, places);
  }

  constructor(folder, index, places) {
    Object.assign(this, { folder, index, places, rows: index.rows, classes: index.classes });
    this.columns = new Map(index.columns.map((column) => [column.name, column]));
    this.values = remember((name) => {
      const { file, kind } = this.columns.get(name);
      return loadArray(new URL(`columns/${file}`, folder), TYPES[kind], this.rows);
    });
    this.text = remember(async () => {
      const ids = (await loadText(new URL("ids.txt", folder))).split("\n");
      if (ids.length !== this.rows) throw new Error(`ids.txt is damaged: ${ids.length} identifiers of ${this.rows}.`);
      return { ids, small: ids.map((id) => id.toLowerCase()) };
    });
    this.sheet = remember((number) => loadImage(this.sheetUrl(number)), 200);
  }

  has(name) {
    return this.columns.has(name);
  }

  /** Identifiers in the order of the page. */
  async ids() {
    return (await this.text("all")).ids;
  }

  /** Galaxies whose identifier has `text` in it, those that begin with it first: [{row, id}]. */
  async find(text, most = 12) {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return [];
    const { ids, small } = await this.text("all");
    const [first, then] = [[], []];
    for (let row = 0; row < small.length && first.length < most; row++) {
      const at = small[row].indexOf(wanted);
      if (at === 0) first.push(row);
      else if (at > 0 && then.length < most) then.push(row);
    }
    return [...first, ...then].slice(0, most).map((row) => ({ row, id: ids[row] }));
  }

  /** The row of exactly this identifier; -1 if there is none. */
  async rowOf(id) {
    return (await this.ids()).indexOf(id);
  }

  /** All that is known of a galaxy: {row, id, place, and its columns; null where not known}. */
  async galaxy(row) {
    const names = [...this.columns.keys()];
    const [ids, ...values] = await Promise.all([this.ids(), ...names.map((name) => this.values(name))]);
    const out = { row, id: ids[row], place: [this.places[2 * row], this.places[2 * row + 1]] };
    names.forEach((name, n) => {
      const value = values[n][row];
      const { kind, categories } = this.columns.get(name);
      out[name] = kind === "category" ? categories[value] ?? null : Number.isFinite(value) ? value : null;
    });
    return out;
  }

  sheetUrl(number) {
    return new URL(`sheets/${String(number).padStart(5, "0")}.jpg`, this.folder).href;
  }

  /** A thumbnail as an element. */
  picture(row, text = "") {
    return thumbnail(this.folder, this.index, row, text);
  }

  get perSheet() {
    return this.index.sheet_side ** 2;
  }

  /** Where a galaxy's thumbnail is: {sheet, x, y} with x and y in pixels. */
  cell(row) {
    const { sheet_side: side, thumbnail: width } = this.index;
    const n = row % this.perSheet;
    return { sheet: Math.floor(row / this.perSheet), x: (n % side) * width, y: Math.floor(n / side) * width };
  }
}

function loadImage(url) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.addEventListener("load", () => resolve(image));
    image.addEventListener("error", () => reject(new Error(`${url.replace(/^.*\/data\//, "data/")} could not be loaded: it is missing or damaged.`)));
    image.src = url;
  });
}
