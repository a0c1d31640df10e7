// The galaxies as columns, in chunks that are loaded when they are needed.
//
// Galaxies are numbered in "map order": chunk 0 is a fair sample of all of them, the others are
// compact on the sphere. The column "row" leads from there to rows of the catalogue, by which
// thumbnails and details are found.

import { loadArray, loadJson, loadText, remember } from "./load.js";
import { toVector } from "./sphere.js";

const TYPES = { float32: Float32Array, float64: Float64Array, int32: Int32Array, category: Uint8Array };

export class Table {
  static async open(base) {
    const index = await loadJson(new URL("index.json", base));
    if (index.format !== "morphosphere.explorer" || index.version !== 1) {
      throw new Error("data/index.json was made by another version: make the page's data again.");
    }
    return new Table(base, index);
  }

  constructor(base, index) {
    this.base = base;
    this.index = index;
    this.rows = index.rows;
    this.columns = index.columns;
    this.chunks = index.chunks.map(([first, count, lon, lat, radius], number) => ({
      number, first, count, radius, centre: toVector(lon, lat),
    }));
    this.byName = new Map(index.columns.map((column) => [column.name, column]));
    this.row = remember((chunk) => this.#load("row", Uint32Array, chunk));
    this.vectors = remember((chunk) => this.#vectors(chunk));
    const column = remember((key) => this.#column(...key.split("\n")));
    this.values = (name, chunk) => column(`${name}\n${chunk}`);
  }

  /** Columns that can colour the galaxies. */
  get colourable() {
    return this.columns.filter(
      (c) => (c.kind === "category" ? c.categories.length > 1 : c.kind !== "string" && c.quantiles),
    );
  }

  #load(folder, Type, chunk) {
    return loadArray(this.#url(folder, chunk, "bin"), Type, this.chunks[chunk].count);
  }

  #url(folder, chunk, suffix) {
    return new URL(`columns/${folder}/${String(chunk).padStart(5, "0")}.${suffix}`, this.base);
  }

  async #column(name, number) {
    const chunk = Number(number);
    const column = this.byName.get(name);
    if (column.kind !== "string") return this.#load(column.folder, TYPES[column.kind], chunk);
    const lines = (await loadText(this.#url(column.folder, chunk, "txt"))).split("\n");
    if (lines.length !== this.chunks[chunk].count) {
      throw new Error(`data/columns/${column.folder} is damaged: make the page's data again.`);
    }
    return lines;
  }

  /** Unit vectors of a chunk, x y z x y z ... */
  async #vectors(chunk) {
    const [lon, lat] = await Promise.all([this.values("lon", chunk), this.values("lat", chunk)]);
    const out = new Float32Array(3 * lon.length);
    for (let i = 0; i < lon.length; i++) {
      const l = (lon[i] * Math.PI) / 180;
      const b = (lat[i] * Math.PI) / 180;
      out[3 * i] = Math.cos(b) * Math.cos(l);
      out[3 * i + 1] = Math.cos(b) * Math.sin(l);
      out[3 * i + 2] = Math.sin(b);
    }
    return out;
  }
}
