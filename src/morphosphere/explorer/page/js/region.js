// Select a region of the sphere: draw it, count what lies in it, take it home as a table.

import { announce, byId, el } from "./dom.js";
import { csv, gather, save, votable } from "./export.js";
import { grouped } from "./format.js";
import { circle, polygon, separation, toVector } from "./sphere.js";

const HINTS = {
  rectangle: "Drag a rectangle over the map",
  circle: "Drag from the centre of a circle outwards",
  lasso: "Draw around the galaxies that you want",
};
const SHOWN = 24;

export class Selection extends EventTarget {
  constructor({ map, sky, table, galaxies, marks, panel, open, fault, name }) {
    super();
    Object.assign(this, { map, sky, table, galaxies, marks, panel, open, fault, name });
    this.tool = null;
    this.region = null;
    this.buttons = [...document.querySelectorAll("[data-tool]")];
    for (const button of this.buttons) button.addEventListener("click", () => this.#choose(button.dataset.tool));
    this.layer = el("div", { class: "sketching", hidden: true, "aria-hidden": "true" });
    map.append(this.layer);
    this.layer.addEventListener("pointerdown", (event) => this.#start(event));
    this.layer.addEventListener("pointermove", (event) => this.#move(event));
    this.layer.addEventListener("pointerup", (event) => this.#end(event));
    this.layer.addEventListener("pointercancel", () => this.arm(null));
    this.#say();
  }

  #choose(tool) {
    if (tool !== "view") return this.arm(this.tool === tool ? null : tool);
    this.arm(null);
    const { camera } = this.sky;
    if (!camera) return;
    const short = Math.min(camera.width, camera.height) / 2 - 4;
    const edge = this.sky.world(camera.origin[0], camera.origin[1] - short);
    const radius = edge ? separation(camera.forward, toVector(...edge)) : Math.min(90, camera.radius);
    this.set(circle(camera.forward, radius));
  }

  /** Make a tool ready, or none. */
  arm(tool) {
    this.tool = tool;
    this.path = null;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    this.layer.hidden = !tool;
    this.marks.set({ sketch: null });
    const hint = byId("hint");
    hint.hidden = !tool;
    hint.textContent = tool ? `${HINTS[tool]}. Escape to stop.` : "";
    if (tool) announce(HINTS[tool]);
    this.dispatchEvent(new Event("tool"));
  }

  #place(event) {
    const box = this.map.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #start(event) {
    this.layer.setPointerCapture(event.pointerId);
    this.path = [this.#place(event)];
  }

  #move(event) {
    if (!this.path) return;
    const p = this.#place(event);
    const last = this.path.at(-1);
    if (this.tool !== "lasso") this.path[1] = p;
    else if (Math.hypot(p[0] - last[0], p[1] - last[1]) > 4) this.path.push(p);
    this.marks.set({ sketch: this.#outline() });
  }

  #outline() {
    const [a, b] = this.path;
    if (this.tool === "lasso") return [...this.path, a];
    if (!b) return [a];
    if (this.tool === "rectangle") return [a, [b[0], a[1]], b, [a[0], b[1]], a];
    const radius = Math.hypot(b[0] - a[0], b[1] - a[1]);
    return Array.from({ length: 65 }, (_, i) => [a[0] + radius * Math.cos((i * Math.PI) / 32), a[1] + radius * Math.sin((i * Math.PI) / 32)]);
  }

  #end() {
    const { path, tool } = this;
    if (!path) return;
    const outline = this.#outline();
    this.arm(null);
    const span = Math.max(...outline.map((p) => Math.hypot(p[0] - path[0][0], p[1] - path[0][1])));
    if (span < 6) return;
    try {
      if (tool === "circle") {
        const [centre, edge] = [path[0], path[1]].map((p) => this.sky.world(...p));
        if (!centre || !edge) throw new Error("Draw the circle on the sphere, not beside it.");
        const c = toVector(...centre);
        this.set(circle(c, separation(c, toVector(...edge))));
      } else {
        this.set(polygon(this.#corners(tool === "rectangle" ? outline.slice(0, 4) : thin(path, 120))));
      }
    } catch (error) {
      this.fault(error);
    }
  }

  /** Corners on the sphere; those beside it are drawn in towards the middle of the view. */
  #corners(pixels) {
    const { origin } = this.sky.camera;
    const corners = pixels.map((p) => {
      for (let k = 1; k > 0; k -= 0.02) {
        const found = this.sky.world(origin[0] + k * (p[0] - origin[0]), origin[1] + k * (p[1] - origin[1]));
        if (found) return toVector(...found);
      }
      return this.sky.camera.forward;
    });
    if (corners.length < 3) throw new Error("This region is too small.");
    return corners;
  }

  clear() {
    this.set(null);
  }

  async set(region, { tell = true } = {}) {
    this.region = region;
    this.hits = null;
    this.marks.set({ region });
    if (tell) this.dispatchEvent(new Event("region"));
    if (!region) return this.#say();
    try {
      this.#busy("Counting …");
      const hits = [];
      for (const chunk of this.table.chunks) {
        if (chunk.number > 0 && separation(chunk.centre, region.centre) > chunk.radius + region.radius) continue;
        const v = await this.table.vectors(chunk.number);
        const indices = [];
        for (let i = 0; i < chunk.count; i++) if (region.contains(v[3 * i], v[3 * i + 1], v[3 * i + 2])) indices.push(i);
        if (indices.length) hits.push([chunk.number, indices]);
      }
      if (this.region !== region) return;
      this.hits = hits;
      this.count = hits.reduce((sum, [, indices]) => sum + indices.length, 0);
      await this.#say();
    } catch (error) {
      this.fault(error);
      this.#busy("The region could not be counted.");
    }
  }

  #busy(text) {
    this.panel.replaceChildren(el("p", { class: "soft" }, text));
  }

  async #say() {
    if (!this.region) {
      return this.panel.replaceChildren(el("p", { class: "soft" }, "Draw on the map to list galaxies and to download their table."));
    }
    const take = (kind) => async () => {
      try {
        this.#progress.textContent = "Collecting …";
        const data = await gather(this.table, this.hits, (part) => (this.#progress.textContent = `Collecting ${Math.round(100 * part)}% …`));
        const about = `${this.count} galaxies selected on the morphology map "${this.name}"`;
        if (kind === "csv") save(csv(this.table, data), "selection.csv");
        else save(votable(this.table, data, about), "selection.vot");
        this.#progress.textContent = "";
      } catch (error) {
        this.#progress.textContent = "";
        this.fault(error);
      }
    };
    this.#progress = el("span", { class: "soft", "aria-live": "polite" });
    const none = this.count === 0;
    const rows = none ? [] : await this.#first();
    this.panel.replaceChildren(
      el("p", { class: "count" }, el("b", {}, grouped(this.count)), this.count === 1 ? " galaxy selected" : " galaxies selected"),
      el("div", { class: "tools" },
        el("button", { type: "button", id: "take-csv", disabled: none, click: take("csv") }, "CSV"),
        el("button", { type: "button", id: "take-votable", disabled: none, click: take("votable") }, "VOTable"),
        el("button", { type: "button", id: "clear", click: () => this.clear() }, "Clear"),
      ),
      this.#progress,
      el("ul", { class: "found", "aria-label": "Selected galaxies" },
        rows.map((row) => el("li", {}, el("button", { type: "button", "aria-label": `Selected galaxy, row ${row}`, "data-row": row, click: () => this.open(row) }, this.galaxies.picture(row))))),
    );
    announce(`${this.count} galaxies selected`);
  }

  #progress = null;

  /** Rows of the first galaxies of the selection. */
  async #first() {
    const out = [];
    for (const [chunk, indices] of this.hits) {
      const rows = await this.table.row(chunk);
      for (const i of indices) {
        out.push(rows[i]);
        if (out.length === SHOWN) return out;
      }
    }
    return out;
  }
}

const thin = (path, most) => path.filter((_, i) => i % Math.ceil(path.length / most) === 0);
