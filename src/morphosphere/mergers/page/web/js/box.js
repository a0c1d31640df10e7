// A picture with a square on it, moved by pointer or keys, and circles that hide stars.

import { skyOf } from "./cut.js";

export class BoxEditor {
  /** On a canvas; `moved` is called with the box {x, y, side} and when circles {x, y, r} change. */
  constructor(canvas, moved) {
    Object.assign(this, { canvas, moved, box: null, fixed: false, hidden: [] });
    canvas.addEventListener("pointerdown", (event) => this.#grab(event));
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  open({ width, height }, plane, box) {
    Object.assign(this, { width, height, box, hidden: [] });
    // At most so many pixels wide: the picture on the screen needs no more.
    this.step = Math.max(1, Math.ceil(Math.max(width, height) / 900));
    this.canvas.width = Math.ceil(width / this.step);
    this.canvas.height = Math.ceil(height / this.step);
    this.picture = this.#stretched(plane);
  }

  #stretched(plane) {
    const { width, height } = this.canvas;
    const pixels = new ImageData(width, height);
    const whole = { left: 0, top: 0, right: this.width, bottom: this.height };
    const sky = skyOf(plane, this.width, whole, Math.min(this.width, this.height));
    const sample = [];
    for (let i = 0; i < plane.length; i += Math.max(1, Math.floor(plane.length / 50000))) if (Number.isFinite(plane[i])) sample.push(plane[i]);
    const sorted = Float32Array.from(sample).sort();
    const top = (sorted[Math.floor(0.995 * (sorted.length - 1))] ?? 0) - sky;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const v = plane[y * this.step * this.width + x * this.step] - sky;
        const grey = 255 * Math.min(1, Math.asinh(Math.max(0, v / (top > 0 ? top : 1)) / 0.05) / Math.asinh(20));
        pixels.data.set([grey, grey, grey, 255], 4 * (y * width + x));
      }
    }
    return pixels;
  }

  /** Change place or side of the box; it never leaves the picture. */
  change(by) {
    const box = { ...this.box, ...by };
    const clamp = (v, high) => Math.max(0, Math.min(high, v));
    const side = Number.isFinite(box.side) ? box.side : this.box.side;
    this.box = { x: clamp(box.x, this.width), y: clamp(box.y, this.height), side };
    this.#draw();
    this.moved(this.box);
  }

  /** Hide what lies in circles. */
  hide(circles) {
    this.hidden = circles;
    this.change({});
  }

  /** Hide a place, or show it again. */
  toggle(x, y) {
    const rest = this.hidden.filter((c) => Math.hypot(c.x - x, c.y - y) > c.r);
    this.hide(rest.length < this.hidden.length ? rest : [...rest, { x, y, r: 0.025 * this.box.side }]);
  }

  #draw() {
    const context = this.canvas.getContext("2d");
    const { x, y, side } = this.box;
    const k = 1 / this.step;
    context.putImageData(this.picture, 0, 0);
    const [left, top, size] = [(x - side / 2) * k, (y - side / 2) * k, side * k];
    context.fillStyle = "rgba(0, 0, 0, 0.55)";
    context.beginPath();
    context.rect(0, 0, this.canvas.width, this.canvas.height);
    context.rect(left, top, size, size);
    context.fill("evenodd");
    context.lineWidth = Math.max(1, this.canvas.width / 160);
    context.strokeStyle = "#ffb454";
    context.strokeRect(left, top, size, size);
    context.strokeStyle = "#7cc4ff";
    context.fillStyle = "rgba(0, 0, 0, 0.75)";
    for (const c of this.hidden) {
      context.beginPath();
      context.arc(c.x * k, c.y * k, c.r * k, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }

  #grab(event) {
    if (!this.box) return;
    this.canvas.focus({ preventScroll: true });
    const k = this.width / this.canvas.getBoundingClientRect().width;
    const start = { ...this.box };
    let dragged = false;
    const move = ({ clientX, clientY }) => {
      dragged ||= Math.hypot(clientX - event.clientX, clientY - event.clientY) > 4;
      if (dragged) this.change({ x: start.x + (clientX - event.clientX) * k, y: start.y + (clientY - event.clientY) * k });
    };
    const end = ({ type }) => {
      if (type === "pointerup" && !dragged) this.toggle(event.offsetX * k, event.offsetY * k);
      for (const [name, action] of listeners) this.canvas.removeEventListener(name, action);
    };
    const listeners = [["pointermove", move], ["pointerup", end], ["pointercancel", end]];
    this.canvas.setPointerCapture(event.pointerId);
    for (const [name, action] of listeners) this.canvas.addEventListener(name, action);
  }

  #key(event) {
    if (!this.box) return;
    const by = (event.shiftKey ? 0.1 : 0.02) * this.box.side;
    const moves = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] };
    const widths = this.fixed ? {} : { "+": 1.05, "=": 1.05, "-": 1 / 1.05 };
    if (event.key in moves) this.change({ x: this.box.x + moves[event.key][0], y: this.box.y + moves[event.key][1] });
    else if (event.key in widths) this.change({ side: this.box.side * widths[event.key] });
    else return;
    event.preventDefault();
  }
}
