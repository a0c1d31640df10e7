// One's own image: reading the file, and the square of it that the network sees.

import { BoxEditor } from "./box.js";
import { centreOfLight, corner, cut } from "./cut.js";
import { byId, debounce } from "./dom.js";
import { channelsOf, readFile, unstretched } from "./files.js";
import { number } from "./format.js";
import { kpcPerArcsec } from "./scale.js";
import { apart } from "./stars.js";
import { transformed } from "./transform.js";

const METHODS = ["width", "pixel", "redshift"];

/** The box, made small enough and moved to lie within the picture. */
function within({ width, height }, { x, y, side }) {
  const fit = Math.min(side, width, height);
  const clamp = (v, most) => Math.max(fit / 2, Math.min(most - fit / 2, v));
  return { x: clamp(x, width), y: clamp(y, height), side: fit };
}

export class Own {
  /** `read` is called with what is to be shown, `fail` with an error. */
  constructor(config, { read, fail }) {
    Object.assign(this, { config, fail });
    this.read = debounce(() => this.#read(read), 200);
    this.editor = new BoxEditor(byId("whole"), (box) => this.#moved(box));
    byId("file").addEventListener("change", ({ target }) => {
      if (target.files[0]) this.open(target.files[0]);
      target.value = "";
    });
    byId("method").addEventListener("change", () => this.#scale());
    for (const id of ["width", "pixel", "redshift", "arcsec"]) byId(id).addEventListener("input", () => this.#scale());
    byId("stretch").addEventListener("change", () => {
      this.planes = this.#planesOf(this.picture);
      this.editor.change({});
    });
    byId("side").addEventListener("input", ({ target }) => this.editor.change({ side: this.#sideOf(target.value / 1000) }));
    byId("hide").addEventListener("click", () => this.#hide());
    byId("centre").addEventListener("click", () => this.editor.change(centreOfLight(this.picture, this.planes[0], this.editor.box)));
  }

  /** Read a file and show it with the square. */
  async open(file) {
    try {
      const picture = await readFile(file);
      Object.assign(this, { picture, planes: this.#planesOf(picture) });
    } catch (error) {
      this.fail(error);
      return;
    }
    const { width, height, arcsec, redshift } = this.picture;
    byId("editor").hidden = false;
    byId("stretch-row").hidden = this.picture.kind !== "picture";
    byId("method").value = arcsec ? "redshift" : "box";
    for (const id of ["width", "pixel"]) byId(id).value = "";
    byId("arcsec").value = arcsec ? Number(arcsec.toPrecision(5)) : "";
    byId("redshift").value = redshift ?? "";
    this.editor.open(this.picture, this.planes[0], { x: width / 2, y: height / 2, side: Math.min(width, height) });
    this.#scale();
  }

  /** Hide what stands apart from the galaxies, or show it again. */
  #hide() {
    if (this.editor.hidden.length) {
      this.editor.hide([]);
      return;
    }
    try {
      const box = within(this.picture, this.editor.box);
      const { image } = cut(this.picture, this.planes, box, this.config.transform.size);
      const { left, top } = corner(box);
      this.editor.hide(apart(image).map(({ x, y, r }) => ({ x: x + left, y: y + top, r })));
    } catch (error) {
      this.fail(error);
    }
  }

  #planesOf(picture) {
    const bent = picture.kind === "picture" && byId("stretch").value === "lupton";
    return channelsOf(bent ? { ...picture, planes: unstretched(picture.planes) } : picture, this.config.transform.channels.length);
  }

  #sideOf(place) {
    const widest = 2 * Math.max(this.picture.width, this.picture.height);
    return 16 * (widest / 16) ** place;
  }

  /** kpc per pixel as it is given; null if it is not, or not completely. */
  #kpcPerPixel() {
    const value = (id) => (Number(byId(id).value) > 0 ? Number(byId(id).value) : null);
    const method = byId("method").value;
    if (method === "width") return value("width") && value("width") / this.picture.width;
    if (method === "pixel") return value("pixel");
    if (method === "redshift") return value("redshift") && value("arcsec") && value("arcsec") * kpcPerArcsec(value("redshift"));
    return null;
  }

  #scale() {
    const method = byId("method").value;
    for (const row of document.querySelectorAll("[data-method]")) row.hidden = row.dataset.method !== method;
    const given = METHODS.includes(method);
    byId("side").disabled = given;
    this.editor.fixed = given;
    const scale = this.#kpcPerPixel();
    this.editor.change(scale ? { side: this.config.field_of_view / scale } : {});
  }

  #moved(box) {
    const { field_of_view: field } = this.config;
    const widest = 2 * Math.max(this.picture.width, this.picture.height);
    byId("side").value = (1000 * Math.log(box.side / 16)) / Math.log(widest / 16);
    const scale = number(field / box.side, 3);
    const side = Math.round(box.side);
    if (this.#kpcPerPixel()) byId("box-text").textContent = `The network sees the square: ${number(field, 3)} kpc, ${side} pixels.`;
    else if (byId("method").value === "box") byId("box-text").textContent = `The square is taken to be ${number(field, 3)} kpc wide: ${scale} kpc per pixel. Fit it to the galaxies, or give the scale.`;
    else byId("box-text").textContent = "Give the scale, so that the square gets its right size.";
    byId("hide").textContent = this.editor.hidden.length ? "Show all again" : "Hide stars around";
    this.read();
  }

  #read(read) {
    try {
      const { image, faults } = cut(this.picture, this.planes, this.editor.box, this.config.transform.size, this.editor.hidden);
      if (byId("method").value === "box") faults.push(`The scale of the image is not known: the square was taken to be ${number(this.config.field_of_view, 3)} kpc wide.`);
      read({ name: this.picture.name, seen: transformed(this.config.transform, image), truth: null, encounter: null, faults });
    } catch (error) {
      this.fail(error);
    }
  }
}
