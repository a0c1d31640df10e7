// The gallery: held-out images to pick from, by phase, mass ratio and identifier.

import { byId, debounce, el } from "./dom.js";
import { loadArray, loadJson } from "./load.js";
import { thumbnail } from "./pictures.js";
import { image } from "./transform.js";
import { PHASES } from "./words.js";

const PAGE = 24;
const RATIOS = [
  ["", "any", () => true],
  ["equal", "1:1 to 1:2", (r) => r > 0.5],
  ["major", "1:2 to 1:4", (r) => r > 0.25 && r <= 0.5],
  ["minor", "below 1:4", (r) => r <= 0.25],
];

export class Gallery {
  /** `pick` is called with an image of the gallery when the visitor chooses it. */
  static async open(base, config, pick) {
    const folder = new URL("data/gallery/", base);
    return new Gallery(folder, await loadJson(new URL("index.json", folder)), config, pick);
  }

  constructor(folder, index, config, pick) {
    Object.assign(this, { folder, index, config, pick, first: 0, picked: null });
    index.images.forEach((one, place) => (one.place = place));
    this.#filters();
    byId("gallery-text").textContent = index.images.length
      ? `${index.images.length.toLocaleString("en")} images that the network was not trained on; their true values are shown.`
      : "This page holds no images to pick from.";
    byId("earlier").addEventListener("click", () => this.#turn(-PAGE));
    byId("later").addEventListener("click", () => this.#turn(PAGE));
    byId("any").addEventListener("click", () => {
      const one = this.shown[Math.floor(Math.random() * this.shown.length)];
      if (one) pick(one);
    });
    this.#examples();
    this.filter();
  }

  /** One image of each phase, spread over the mass ratios, for visitors who do not know where to begin. */
  #examples() {
    const found = Object.entries(PHASES).map(([name, text]) => {
      const some = this.index.images.filter((one) => one.phase === name);
      return some.length ? [some[some.length >> 1], text] : null;
    });
    byId("examples").replaceChildren(...found.filter(Boolean).map(([one, text]) => el("li", {}, el(
      "button", { type: "button", "aria-label": `Example: ${text}`, click: () => this.pick(one) }, el("span", { class: "frame" }, thumbnail(this.folder, this.index, one.place, "")), el("span", { class: "text" }, text),
    ))));
  }

  #filters() {
    const present = new Set(this.index.images.map((one) => one.phase));
    const phases = Object.entries(PHASES).filter(([name]) => present.has(name));
    byId("phase").replaceChildren(el("option", { value: "" }, "any"), ...phases.map(([value, text]) => el("option", { value }, text)));
    byId("ratio").replaceChildren(...RATIOS.map(([value, text]) => el("option", { value }, text)));
    for (const id of ["phase", "ratio"]) byId(id).addEventListener("change", () => this.filter());
    byId("find").addEventListener("input", debounce(() => this.filter(), 120));
  }

  filter() {
    const phase = byId("phase").value;
    const [, , ratio] = RATIOS.find(([value]) => value === byId("ratio").value);
    const any = byId("ratio").value === "";
    const words = byId("find").value.trim().toLowerCase();
    this.shown = this.index.images.filter(
      (one) => (!phase || one.phase === phase) && (any || (one.mass_ratio !== null && ratio(one.mass_ratio))) && one.image_id.toLowerCase().includes(words),
    );
    this.first = 0;
    this.#draw();
  }

  #turn(by) {
    this.first += by;
    this.#draw();
  }

  #draw() {
    const part = this.shown.slice(this.first, this.first + PAGE);
    const items = part.map((one) => el("li", {}, el("button", {
      type: "button", title: one.image_id, "aria-label": `${one.image_id}, ${PHASES[one.phase] ?? "phase not known"}`,
      "aria-pressed": String(one === this.picked), "data-place": one.place, click: () => this.pick(one),
    }, thumbnail(this.folder, this.index, one.place, ""))));
    byId("picks").replaceChildren(...(items.length ? items : [el("li", { class: "none" }, "No image is like that.")]));
    const last = this.first + part.length;
    byId("where").textContent = this.shown.length ? `${this.first + 1}–${last} of ${this.shown.length}` : "";
    byId("earlier").disabled = this.first === 0;
    byId("later").disabled = last >= this.shown.length;
    byId("any").disabled = !this.shown.length;
  }

  /** Mark an image as the one that is shown; null for none. */
  mark(one) {
    this.picked = one;
    for (const button of document.querySelectorAll("#picks button")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.place) === one?.place));
    }
  }

  byName(id) {
    return this.index.images.find((one) => one.image_id === id) ?? null;
  }

  /** What the result shows of an image of the gallery. */
  async subject(one) {
    const { channels, size } = this.config.transform;
    const name = String(one.place).padStart(5, "0");
    const stored = await loadArray(new URL(`images/${name}.bin`, this.folder), Uint16Array, channels.length * size * size);
    const seen = image(channels.length, size, size, Float32Array.from(stored, (v) => v / this.index.white));
    return { name: one.image_id, seen, truth: one, encounter: one.encounter_id, faults: [] };
  }
}
