// One galaxy by its row in the catalogue: its values, its neighbours, and its pictures.

import { el } from "./dom.js";
import { loadJson, remember } from "./load.js";

export class Galaxies {
  constructor(table) {
    this.table = table;
    this.side = table.index.sheet_side;
    this.block = remember(
      (number) => loadJson(new URL(`details/${String(number).padStart(5, "0")}.json`, table.base)),
      500,
    );
  }

  get perSheet() {
    return this.side * this.side;
  }

  /** {row, id, values, neighbours, distances}. */
  async get(row) {
    if (!(Number.isInteger(row) && row >= 0 && row < this.table.rows)) throw new Error("There is no such galaxy in this map.");
    const number = Math.floor(row / this.perSheet);
    const block = await this.block(number);
    const i = row - block.first;
    if (!block.columns?.image_id || !(i < block.columns.image_id.length)) {
      throw new Error(`data/details/${String(number).padStart(5, "0")}.json is damaged: make the page's data again.`);
    }
    const values = {};
    for (const [name, column] of Object.entries(block.columns)) values[name] = column[i];
    return {
      row, values, id: values.image_id, lon: values.lon, lat: values.lat,
      neighbours: block.neighbours?.[i] ?? [],
      distances: block.neighbour_distances?.[i] ?? [],
    };
  }

  sheetUrl(row, kind) {
    const number = String(Math.floor(row / this.perSheet)).padStart(5, "0");
    return new URL(`${kind}/${number}.jpg`, this.table.base).href;
  }

  /** A thumbnail as an element; `kind` is original or reconstruction. */
  picture(row, { kind = "original", label = "" } = {}) {
    const cell = row % this.perSheet;
    const last = this.side - 1;
    const url = this.sheetUrl(row, kind);
    const node = el("span", { class: "picture", role: label ? "img" : null, "aria-label": label || null, "data-row": row });
    node.style.backgroundImage = `url("${url}")`;
    node.style.backgroundSize = `${this.side * 100}%`;
    node.style.backgroundPosition = `${((cell % this.side) / last) * 100}% ${(Math.floor(cell / this.side) / last) * 100}%`;
    const probe = new Image();
    probe.addEventListener("error", () => {
      node.classList.add("absent");
      node.title = "This picture is missing from the site";
      node.dispatchEvent(new CustomEvent("absent", { bubbles: true, detail: url }));
    });
    probe.src = url;
    return node;
  }
}
