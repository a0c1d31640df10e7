// The view of the plane: where it looks, and how pointer, wheel and keys move it.

const STEP = 1.6;
const CLICK = 5;

export class Plane extends EventTarget {
  /** `bounds` is {low: [x, y], high: [x, y]} of all galaxies. Events: view, pick, hover. */
  constructor(node, bounds) {
    super();
    Object.assign(this, { node, bounds, centre: [0, 0], scale: 1, pointers: new Map() });
    new ResizeObserver(() => this.#resize()).observe(node);
    this.#measure();
    this.home();
    this.#listen();
  }

  #measure() {
    this.width = Math.max(this.node.clientWidth, 1);
    this.height = Math.max(this.node.clientHeight, 1);
  }

  #resize() {
    const before = this.homeScale;
    this.#measure();
    this.scale *= this.homeScale / before;
    this.changed();
  }

  /** Pixels to a unit at which all galaxies are seen. */
  get homeScale() {
    const { low, high } = this.bounds;
    const span = (axis) => Math.max(high[axis] - low[axis], 1e-6);
    return 0.9 * Math.min(this.width / span(0), this.height / span(1));
  }

  /** How much nearer than the whole the view is. */
  get zoom() {
    return this.scale / this.homeScale;
  }

  home() {
    const { low, high } = this.bounds;
    this.centre = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
    this.scale = this.homeScale;
    this.changed();
  }

  toScreen(x, y) {
    return [this.width / 2 + (x - this.centre[0]) * this.scale, this.height / 2 - (y - this.centre[1]) * this.scale];
  }

  toPlane(px, py) {
    return [this.centre[0] + (px - this.width / 2) / this.scale, this.centre[1] - (py - this.height / 2) / this.scale];
  }

  /** Zoom by a factor, keeping a pixel (by default the centre) where it is. */
  zoomBy(factor, px = this.width / 2, py = this.height / 2) {
    const [x, y] = this.toPlane(px, py);
    this.scale = Math.min(Math.max(this.scale * factor, 0.5 * this.homeScale), 500 * this.homeScale);
    this.centre = [x - (px - this.width / 2) / this.scale, y + (py - this.height / 2) / this.scale];
    this.#hold();
    this.changed();
  }

  moveBy(dx, dy) {
    this.centre = [this.centre[0] - dx / this.scale, this.centre[1] + dy / this.scale];
    this.#hold();
    this.changed();
  }

  /** Bring a place into view, nearer if the whole is seen; a place in the middle part stays. */
  show([x, y], zoom = 0) {
    const [px, py] = this.toScreen(x, y);
    const inside = px > 0.15 * this.width && px < 0.85 * this.width && py > 0.15 * this.height && py < 0.85 * this.height;
    if (this.zoom < zoom) this.scale = zoom * this.homeScale;
    else if (inside) return;
    this.centre = [x, y];
    this.changed();
  }

  /** The centre stays among the galaxies. */
  #hold() {
    const { low, high } = this.bounds;
    this.centre = this.centre.map((c, axis) => Math.min(Math.max(c, low[axis]), high[axis]));
  }

  changed() {
    this.dispatchEvent(new Event("view"));
  }

  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #at(event) {
    const box = this.node.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #listen() {
    const { node, pointers } = this;
    node.addEventListener("wheel", (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 20 : 1;
      this.zoomBy(Math.exp(-Math.max(-150, Math.min(150, event.deltaY * lines)) / 350), ...this.#at(event));
    }, { passive: false });
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      node.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, this.#at(event));
      this.travelled = pointers.size > 1 ? Infinity : 0;
    });
    node.addEventListener("pointermove", (event) => {
      const now = this.#at(event);
      const before = pointers.get(event.pointerId);
      if (!before) {
        if (event.pointerType !== "touch") this.#say("hover", { at: now, event });
        return;
      }
      this.travelled += Math.hypot(now[0] - before[0], now[1] - before[1]);
      if (pointers.size === 1 && this.travelled > CLICK) {
        node.classList.add("dragging");
        this.#say("hover", null);
        this.moveBy(now[0] - before[0], now[1] - before[1]);
      } else if (pointers.size === 2) this.#pinch(event.pointerId, before, now);
      if (pointers.size > 1 || this.travelled > CLICK) pointers.set(event.pointerId, now);
    });
    const end = (event) => {
      const known = pointers.delete(event.pointerId);
      node.classList.remove("dragging");
      if (known && event.type === "pointerup" && this.travelled <= CLICK) this.#say("pick", { at: this.#at(event), by: event.pointerType });
    };
    for (const name of ["pointerup", "pointercancel"]) node.addEventListener(name, end);
    node.addEventListener("pointerleave", () => this.#say("hover", null));
    node.addEventListener("dblclick", (event) => this.zoomBy(2, ...this.#at(event)));
    node.addEventListener("keydown", (event) => this.#key(event));
  }

  #pinch(id, before, now) {
    const other = [...this.pointers].find(([key]) => key !== id)[1];
    const span = (p) => Math.max(Math.hypot(p[0] - other[0], p[1] - other[1]), 1);
    this.moveBy((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    this.zoomBy(span(now) / span(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const far = 0.12 * Math.min(this.width, this.height);
    const actions = {
      ArrowLeft: () => this.moveBy(far, 0),
      ArrowRight: () => this.moveBy(-far, 0),
      ArrowUp: () => this.moveBy(0, far),
      ArrowDown: () => this.moveBy(0, -far),
      "+": () => this.zoomBy(STEP),
      "=": () => this.zoomBy(STEP),
      "-": () => this.zoomBy(1 / STEP),
      0: () => this.home(),
      Enter: () => this.#say("pick", { at: [this.width / 2, this.height / 2], by: "key" }),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }
}
