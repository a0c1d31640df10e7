// Simulated frames to compare with: their latent vectors, what is known of them, their pictures.

import { loadArray, loadJson } from "./load.js";

/** Values of half precision as numbers. */
export function fromHalf(bits) {
  const table = new Float32Array(1 << 16);
  for (let h = 0; h < table.length; h++) {
    const exponent = (h >> 10) & 31;
    const fraction = h & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? NaN : (1 + fraction / 1024) * 2 ** (exponent - 15);
    table[h] = h & 0x8000 ? -size : size;
  }
  return Float32Array.from(bits, (h) => table[h]);
}

export class Library {
  static async open(base) {
    const folder = new URL("data/library/", base);
    const index = await loadJson(new URL("index.json", folder));
    const [columns, z] = await Promise.all([
      loadArray(new URL("columns.bin", folder), Float32Array, index.frames * index.columns.length),
      loadArray(new URL("z.bin", folder), Uint16Array, index.frames * index.dimensions),
    ]);
    return new Library(folder, index, columns, fromHalf(z));
  }

  constructor(folder, index, columns, z) {
    Object.assign(this, { folder, index, z, frames: index.frames });
    this.columns = new Map(index.columns.map((name, n) => [name, columns.subarray(n * this.frames, (n + 1) * this.frames)]));
    this.encounter = new Uint32Array(this.frames);
    index.encounters.forEach((_, e) => this.encounter.fill(e, index.starts[e], index.starts[e + 1]));
  }

  /** What is known of a frame. */
  get(row) {
    const values = { row, encounter: this.index.encounters[this.encounter[row]] };
    for (const [name, column] of this.columns) {
      const kinds = this.index.kinds[name];
      values[name] = kinds ? kinds[column[row]] : Number.isNaN(column[row]) ? null : column[row];
    }
    return values;
  }

  /** Rows of the moments of an encounter by one camera, in the order of time. */
  strip(row) {
    const e = this.encounter[row];
    const camera = this.columns.get("camera");
    const rows = [];
    for (let r = this.index.starts[e]; r < this.index.starts[e + 1]; r++) {
      if (Object.is(camera[r], camera[row])) rows.push(r);
    }
    return rows;
  }

  /** Number of an encounter, -1 if the library does not have it. */
  numberOf(encounter) {
    return this.index.encounters.indexOf(encounter);
  }

  /** For each frame the least distance to one of the vectors, and which of them it is. */
  distances(vectors) {
    const { frames, z } = this;
    const dimensions = this.index.dimensions;
    const distance = new Float32Array(frames);
    const version = new Uint8Array(frames);
    for (let r = 0; r < frames; r++) {
      let best = Infinity;
      for (let v = 0; v < vectors.length; v++) {
        let sum = 0;
        for (let d = 0, at = r * dimensions; d < dimensions && sum < best; d++) {
          const step = z[at + d] - vectors[v][d];
          sum += step * step;
        }
        if (sum < best) {
          best = sum;
          version[r] = v;
        }
      }
      distance[r] = Math.sqrt(best);
    }
    return { distance, version };
  }

  /** The nearest frames, one of each encounter, without those of the encounter `own`. */
  nearest({ distance, version }, count, own = -1) {
    const best = new Map();
    for (let r = 0; r < this.frames; r++) {
      const e = this.encounter[r];
      if (e !== own && !(distance[r] >= (best.has(e) ? distance[best.get(e)] : Infinity))) best.set(e, r);
    }
    return [...best.values()]
      .sort((a, b) => distance[a] - distance[b])
      .slice(0, count)
      .map((row) => ({ ...this.get(row), distance: distance[row], version: version[row] }));
  }
}
