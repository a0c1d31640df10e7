// Which galaxy's picture stands where on a layer of real galaxies.
//
// The layer's cells.json tells the depth of the cells of each order of tiles, and
// Norder<k>/cells.bin the row of the catalogue shown in each cell, -1 for none.

import { cellAt } from "./healpix.js";
import { loadArray, loadJson, remember } from "./load.js";

export class Cells {
  constructor(layer) {
    this.layer = layer;
    this.url = new URL(`${layer.url}/`, document.baseURI);
    this.index = loadJson(new URL("cells.json", this.url));
    this.index.catch(() => {});
    this.rows = remember(async (order) => {
      const { cell_order: depth } = (await this.index).orders.find((o) => o.order === order);
      return loadArray(new URL(`Norder${order}/cells.bin`, this.url), Int32Array, 12 * 4 ** depth);
    });
  }

  /** Row of the galaxy whose picture stands at a place on tiles of this order; -1 for none. */
  async row(lon, lat, order) {
    const { orders } = await this.index;
    const deepest = orders.at(-1).order;
    // Tiles narrower than 512 pixels: Aladin Lite shows Allsky, which is of order 3, instead of lower ones.
    const least = this.layer.tile_width < 512 ? 3 : orders[0].order;
    const shown = Math.min(deepest, Math.max(order, least));
    const { cell_order: depth } = orders.find((o) => o.order === shown);
    const rows = await this.rows(shown);
    return rows[cellAt(depth, lon, lat)];
  }
}
