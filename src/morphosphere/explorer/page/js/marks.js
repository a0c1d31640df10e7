// What is drawn over the galaxies: the chosen one, those like it, the hovered one, the region.

const INK = "#ffffff";
const ACCENT = "#ffb454";

export class Marks {
  constructor(canvas, sky) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.sky = sky;
    this.chosen = this.hovered = null;
    this.similar = [];
    this.region = null;
    this.sketch = null;
    this.crosshair = false;
    sky.addEventListener("view", () => this.draw());
  }

  set(changes) {
    Object.assign(this, changes);
    this.draw();
  }

  draw() {
    const { camera } = this.sky;
    if (!camera) return;
    const { context: c, canvas } = this;
    // An empty canvas over the map costs time in every frame: it is hidden.
    canvas.hidden = !(this.region || this.sketch || this.hovered || this.chosen || this.crosshair || this.similar.length);
    if (canvas.hidden) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [Math.round(camera.width * ratio), Math.round(camera.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, camera.width, camera.height);
    if (this.region) this.#outline(this.region.outline.map((v) => camera.pixel(v)), true);
    if (this.sketch) this.#outline(this.sketch, true, [5, 4]);
    for (const vector of this.similar) this.#link(camera, vector);
    for (const vector of this.similar) this.#ring(camera.pixel(vector), 6, 1.5, ACCENT);
    if (this.hovered) this.#ring(camera.pixel(this.hovered), 8, 1.5, INK);
    if (this.chosen) this.#target(camera.pixel(this.chosen));
    if (this.crosshair) this.#cross(camera.origin);
  }

  #stroke(width, colour, dash = []) {
    const { context: c } = this;
    c.setLineDash([]);
    c.lineWidth = width + 2.5;
    c.strokeStyle = "rgba(4, 7, 14, 0.65)";
    c.stroke();
    c.setLineDash(dash);
    c.lineWidth = width;
    c.strokeStyle = colour;
    c.stroke();
    c.setLineDash([]);
  }

  #ring(pixel, radius, width, colour) {
    if (!pixel) return;
    this.context.beginPath();
    this.context.arc(...pixel, radius, 0, 2 * Math.PI);
    this.#stroke(width, colour);
  }

  #target(pixel) {
    if (!pixel) return;
    this.#ring(pixel, 11, 2, ACCENT);
    const { context: c } = this;
    c.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      c.moveTo(pixel[0] + 11 * dx, pixel[1] + 11 * dy);
      c.lineTo(pixel[0] + 17 * dx, pixel[1] + 17 * dy);
    }
    this.#stroke(2, ACCENT);
  }

  #cross([x, y]) {
    const { context: c } = this;
    c.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      c.moveTo(x + 4 * dx, y + 4 * dy);
      c.lineTo(x + 13 * dx, y + 13 * dy);
    }
    this.#stroke(1.5, INK);
  }

  #link(camera, vector) {
    if (!this.chosen) return;
    const [a, b] = [camera.pixel(this.chosen), camera.pixel(vector)];
    if (!a || !b || Math.hypot(a[0] - b[0], a[1] - b[1]) < 20) return;
    const { context: c } = this;
    c.beginPath();
    c.moveTo(...a);
    c.lineTo(...b);
    c.lineWidth = 1;
    c.strokeStyle = "rgba(255, 180, 84, 0.35)";
    c.stroke();
  }

  #outline(pixels, fill, dash = []) {
    const { context: c } = this;
    c.beginPath();
    let open = false;
    for (const p of pixels) {
      if (!p) open = false;
      else if (open) c.lineTo(...p);
      else {
        c.moveTo(...p);
        open = true;
      }
    }
    if (fill && pixels.every(Boolean)) {
      c.fillStyle = "rgba(255, 180, 84, 0.12)";
      c.fill();
    }
    this.#stroke(1.75, ACCENT, dash);
  }
}
