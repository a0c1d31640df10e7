// Which layers of the sky are shown, and their controls.

import { byId, el } from "./dom.js";
import { complain, complainOf } from "./messages.js";
import { numberOf } from "./state.js";

export class Layers extends EventTarget {
  constructor(config, sky) {
    super();
    this.sky = sky;
    this.config = config;
    this.names = config.layers.map((layer) => layer.name);
    byId("base").replaceChildren(
      ...config.layers.map((layer) =>
        el("label", { class: "layer", title: layer.description || null },
          el("input", { type: "radio", name: "base", value: layer.name, change: () => this.change({ base: layer.name }) }),
          el("span", { class: "face", style: layer.preview ? { backgroundImage: `url("${new URL(layer.preview, document.baseURI).href}")` } : {} }),
          el("span", { class: "name" }, layer.label),
        ),
      ),
    );
    byId("overlay").append(el("option", { value: "" }, "nothing"), ...config.layers.map((layer) => el("option", { value: layer.name }, layer.label)));
    byId("overlay").addEventListener("change", (event) => this.change({ overlay: event.target.value }));
    byId("opacity").addEventListener("input", (event) => this.change({ opacity: event.target.value / 100 }, { step: false }));
    byId("projection").addEventListener("change", (event) => this.change({ projection: event.target.value }));
    byId("blend-row").hidden = config.layers.length < 2;
  }

  /** As the address says, or as the configuration does. */
  restore(state) {
    const named = (name, otherwise) => (this.names.includes(name) ? name : otherwise);
    for (const name of [state.map, state.blend]) {
      if (name && name !== "none" && !this.names.includes(name)) complain(`The address asks for a layer “${name}”, which this map does not have.`);
    }
    this.apply({
      base: named(state.map, named(this.config.base_layer, this.names[0])),
      overlay: state.blend === "none" ? "" : named(state.blend, named(this.config.overlay_layer, "")),
      opacity: numberOf(state.opacity, 0, 1, this.config.overlay_opacity),
      projection: state.view ?? this.config.projection,
    });
  }

  change(changes, { step = true } = {}) {
    this.apply(changes);
    this.dispatchEvent(Object.assign(new Event("change"), { step }));
  }

  apply({ base = this.base, overlay = this.overlay, opacity = this.opacity, projection = this.sky.projection }) {
    Object.assign(this, { base, overlay, opacity });
    this.sky.setBase(base).catch(complainOf);
    this.sky.setOverlay(overlay && overlay !== base ? overlay : null).catch(complainOf);
    this.sky.setOpacity(opacity);
    if (projection !== this.sky.projection) this.sky.setProjection(projection);
    for (const input of document.querySelectorAll("input[name=base]")) input.checked = input.value === base;
    for (const option of byId("overlay").options) option.disabled = option.value === base && option.value !== "";
    byId("overlay").value = overlay && overlay !== base ? overlay : "";
    byId("opacity").value = Math.round(100 * opacity);
    byId("opacity-value").textContent = `${Math.round(100 * opacity)}%`;
    byId("opacity-row").hidden = !overlay || overlay === base;
    byId("projection").value = this.sky.projection;
  }

  get state() {
    return {
      view: this.sky.projection, map: this.base,
      blend: this.overlay && this.overlay !== this.base ? this.overlay : "none",
      opacity: this.overlay ? Number(this.opacity.toFixed(2)) : null,
    };
  }
}
