// Which galaxies lie near a place: a grid over the plane, filled once.

const SIDE = 256;

export class Grid {
  /** `places` are x and y in turn. */
  constructor(places) {
    this.places = places;
    const n = places.length / 2;
    const low = [Infinity, Infinity];
    const high = [-Infinity, -Infinity];
    for (let i = 0; i < places.length; i++) {
      if (places[i] < low[i & 1]) low[i & 1] = places[i];
      if (places[i] > high[i & 1]) high[i & 1] = places[i];
    }
    Object.assign(this, { low, high });
    this.step = Math.max(high[0] - low[0], high[1] - low[1], 1e-9) / SIDE;
    this.starts = new Uint32Array(SIDE * SIDE + 1);
    this.items = new Uint32Array(n);
    const cells = new Uint32Array(n);
    for (let i = 0; i < n; i++) {
      cells[i] = this.#line(places[2 * i + 1], 1) * SIDE + this.#line(places[2 * i], 0);
      this.starts[cells[i] + 1]++;
    }
    for (let c = 0; c < SIDE * SIDE; c++) this.starts[c + 1] += this.starts[c];
    const next = this.starts.slice();
    for (let i = 0; i < n; i++) this.items[next[cells[i]]++] = i;
  }

  #line(value, axis) {
    return Math.min(SIDE - 1, Math.max(0, Math.floor((value - this.low[axis]) / this.step)));
  }

  /** Rows in a rectangle, in no order; `visit` is called with each. */
  within(x0, y0, x1, y1, visit) {
    const [a, b, c, d] = [this.#line(x0, 0), this.#line(x1, 0), this.#line(y0, 1), this.#line(y1, 1)];
    for (let line = c; line <= d; line++) {
      for (let k = this.starts[line * SIDE + a], end = this.starts[line * SIDE + b + 1]; k < end; k++) {
        const i = this.items[k];
        const [x, y] = [this.places[2 * i], this.places[2 * i + 1]];
        if (x >= x0 && x <= x1 && y >= y0 && y <= y1) visit(i);
      }
    }
  }

  /** The nearest galaxies within a radius, nearest first; only those with a mask, if one is given. */
  nearest(x, y, radius, { count = 1, mask = null, without = -1 } = {}) {
    const found = [];
    this.within(x - radius, y - radius, x + radius, y + radius, (i) => {
      if ((mask && !mask[i]) || i === without) return;
      const distance = Math.hypot(this.places[2 * i] - x, this.places[2 * i + 1] - y);
      if (distance > radius || (found.length === count && distance >= found[count - 1].distance)) return;
      let at = found.length;
      while (at > 0 && found[at - 1].distance > distance) at--;
      found.splice(at, 0, { row: i, distance });
      if (found.length > count) found.pop();
    });
    return found;
  }
}
