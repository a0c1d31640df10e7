// What lies over the points: pictures that do not overlap, and rings about galaxies.

/** Width of a picture and of its cell in pixels. */
const PICTURE = 48;
const CELL = 54;
/** Sheets that a view asks for at most: those with most of its galaxies. */
const SHEETS = 64;
/** Sheets in a view that is so wide that the galaxies of the overview are enough. */
const WIDE = 240;

export class Marks {
  constructor(canvas, plane, survey, grid, dots) {
    Object.assign(this, { canvas, plane, survey, grid, dots, pictures: false, chosen: [], rings: new Map() });
    plane.addEventListener("view", () => {
      this.draw();
      this.later();
    });
  }

  /** Show pictures, or not. */
  show(pictures) {
    this.pictures = pictures;
    this.chosen = [];
    this.draw();
    this.later(0);
  }

  /** A ring about a galaxy; row null takes it away. */
  ring(name, row) {
    if (row === null) this.rings.delete(name);
    else this.rings.set(name, row);
    this.draw();
  }

  /** Choose pictures anew once the view rests. */
  later(wait = 140) {
    clearTimeout(this.timer);
    if (this.pictures) this.timer = setTimeout(() => this.#choose(), wait);
  }

  /** The galaxy nearest to the centre of each cell of a grid that moves with the plane. */
  #choose() {
    const { plane, survey } = this;
    const step = CELL / plane.scale;
    const [x0, y1] = plane.toPlane(-CELL, -CELL);
    const [x1, y0] = plane.toPlane(plane.width + CELL, plane.height + CELL);
    const rows = [];
    const sheets = new Map();
    const sheetOf = (row) => Math.floor(row / survey.perSheet);
    this.grid.within(x0, y0, x1, y1, (row) => {
      if (!this.dots.mask[row]) return;
      rows.push(row);
      sheets.set(sheetOf(row), (sheets.get(sheetOf(row)) ?? 0) + 1);
    });
    const fullest = [...sheets].sort((a, b) => b[1] - a[1]).slice(0, sheets.size > WIDE ? 0 : SHEETS);
    const wanted = new Set(fullest.map(([number]) => number));
    const cells = new Map();
    for (const row of rows) {
      if (row >= survey.index.overview && !wanted.has(sheetOf(row))) continue;
      const [u, v] = [survey.places[2 * row] / step, survey.places[2 * row + 1] / step];
      const [a, b] = [Math.floor(u), Math.floor(v)];
      const distance = Math.hypot(u - a - 0.5, v - b - 0.5);
      const key = `${a},${b}`;
      if (!(distance >= cells.get(key)?.distance)) cells.set(key, { row, distance, x: (a + 0.5) * step, y: (b + 0.5) * step });
    }
    this.chosen = [...cells.values()].map((one) => ({ ...one, scale: plane.scale, image: null }));
    for (const one of this.chosen) this.#load(one);
    this.draw();
  }

  async #load(one) {
    try {
      one.image = await this.survey.sheet(this.survey.cell(one.row).sheet);
      this.draw();
    } catch {
      // The point is there without its picture.
    }
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    const { canvas, plane } = this;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [Math.round(plane.width * ratio), Math.round(plane.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, plane.width, plane.height);
    if (this.pictures) for (const one of this.chosen) this.#picture(pen, one);
    for (const [name, row] of this.rings) this.#ring(pen, name, row);
  }

  /** The galaxy whose picture is at a pixel; null if there is none. */
  at(px, py) {
    if (!this.pictures) return null;
    const over = this.chosen.find((one) => {
      const { x, y, width } = this.#box(one);
      return one.image && this.dots.mask[one.row] && Math.abs(px - x) <= width / 2 && Math.abs(py - y) <= width / 2;
    });
    return over ? over.row : null;
  }

  /** Where a picture is on the screen: its middle and its width. */
  #box({ x, y, scale }) {
    const [px, py] = this.plane.toScreen(x, y);
    return { x: px, y: py, width: Math.min(PICTURE * (this.plane.scale / scale), 2 * PICTURE) };
  }

  #picture(pen, one) {
    const { row, image } = one;
    if (!image || !this.dots.mask[row]) return;
    const { plane, survey, dots } = this;
    const { x: px, y: py, width } = this.#box(one);
    if (px < -width || py < -width || px > plane.width + width || py > plane.height + width) return;
    const { x: left, y: top } = survey.cell(row);
    const side = survey.index.thumbnail;
    pen.fillStyle = dots.colourOf(row);
    pen.fillRect(px - width / 2 - 2, py - width / 2 - 2, width + 4, width + 4);
    pen.drawImage(image, left, top, side, side, px - width / 2, py - width / 2, width, width);
  }

  #ring(pen, name, row) {
    const { survey, plane, dots } = this;
    const [px, py] = plane.toScreen(survey.places[2 * row], survey.places[2 * row + 1]);
    const radius = dots.size / 2 + (name === "picked" ? 6 : 4);
    for (const [colour, line] of [["#05070c", 5], [name === "picked" ? "#ffffff" : "#ffd59e", 2.5]]) {
      pen.beginPath();
      pen.arc(px, py, radius, 0, 2 * Math.PI);
      pen.strokeStyle = colour;
      pen.lineWidth = line;
      pen.stroke();
    }
  }
}
