// The galaxy under the pointer: which one it is, its mark, and its picture and name beside the pointer.

import { Cells } from "./cells.js";
import { byId, el } from "./dom.js";
import { label, quantity } from "./format.js";
import { complainOf } from "./messages.js";

export class Hover {
  /** `scale` gives the scale of the colours in use, whose property is shown. */
  constructor({ config, sky, layers, table, galaxies, marks, scale }) {
    Object.assign(this, { config, sky, layers, table, galaxies, marks, scale });
    this.cells = new Map();
  }

  /** Row of the galaxy whose picture the base layer shows at a place; -1 for none. */
  async pictured(world) {
    const layer = this.config.layers.find((l) => l.name === this.layers.base);
    if (!layer?.cells || (this.layers.state.blend !== "none" && this.layers.opacity > 0.7)) return -1;
    if (!this.cells.has(layer.name)) this.cells.set(layer.name, new Cells(layer));
    return this.cells.get(layer.name).row(...world, this.sky.tileOrder);
  }

  /** Row of a galaxy found on the map. */
  async row(found) {
    return found.row ?? (await this.table.row(found.chunk))[found.index];
  }

  /** Show what was found at a pixel of the map; null for nothing. */
  show(found, pixel) {
    const tip = byId("tip");
    const key = found && (found.row === undefined ? `${found.chunk}/${found.index}` : `row ${found.row}`);
    byId("map").classList.toggle("over", Boolean(found));
    if (key !== this.hovered) {
      this.hovered = key;
      this.marks.set({ hovered: found?.vector ?? null });
      tip.hidden = true;
      clearTimeout(this.tipping);
      if (found) this.tipping = setTimeout(() => this.#tip(found, key).catch(complainOf), 70);
    }
    if (found) {
      const box = byId("map").getBoundingClientRect();
      const right = pixel[0] > box.width - 300;
      const low = pixel[1] > box.height - 130;
      tip.style.left = `${box.left + pixel[0] + (right ? -14 : 14)}px`;
      tip.style.top = `${box.top + pixel[1] + (low ? -14 : 14)}px`;
      tip.style.transform = `translate(${right ? "-100%" : "0"}, ${low ? "-100%" : "0"})`;
    }
  }

  async #tip(found, key) {
    const galaxy = await this.galaxies.get(await this.row(found));
    if (this.hovered !== key) return;
    const scale = this.scale();
    const value = scale && galaxy.values[scale.column.name];
    byId("tip").replaceChildren(
      this.galaxies.picture(galaxy.row),
      el("div", {}, el("b", {}, galaxy.id), scale ? el("span", {}, `${label(scale.column.name)} ${quantity(value, scale.column)}`) : null),
    );
    byId("tip").hidden = false;
  }
}
