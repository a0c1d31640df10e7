// Aladin Lite, kept to what this page needs: layers by relative address, the view, and pixels.

import { Camera, PROJECTIONS } from "./camera.js";
import { complain } from "./messages.js";

const SILENT = {
  log: false, samp: false, hipsList: [], survey: [], cooFrame: "ICRS", inertia: true,
  showZoomControl: false, showLayersControl: false, showFullscreenControl: false, showFrame: false,
  showFov: false, showCooLocation: false, showProjectionControl: false, showStatusBar: false,
  showReticle: false, showContextMenu: false, showCooGrid: false, showShareControl: false,
  showSettingsControl: false, showSimbadPointerControl: false, showCooGridControl: false,
  showColorPickerControl: false, backgroundColor: "rgb(7, 10, 18)",
};

export class Sky extends EventTarget {
  /** Start Aladin Lite in `div`; `layers` are the image layers of config.json. */
  static async start(A, div, layers, { projection }) {
    await A.init;
    return new Sky(A, div, layers, projection);
  }

  constructor(A, div, layers, projection) {
    super();
    this.A = A;
    this.div = div;
    this.layers = new Map(layers.map((layer) => [layer.name, layer]));
    this.known = new Map();
    this.aladin = A.aladin(div, { ...SILENT, projection, fov: 60, target: "0 +0" });
    this.aladin.setFoVRange?.(0.02, 360);
    this.projection = projection;
    this.base = this.overlay = null;
    this.opacity = 0.5;
    const turn = () => {
      this.#follow();
      requestAnimationFrame(turn);
    };
    requestAnimationFrame(turn);
  }

  /** Look at the view once a frame and tell when it has changed. */
  #follow() {
    // Aladin forgets an opacity that is set before it has read the properties of the layer.
    const blended = this.aladin.getOverlayImageLayer("blend");
    if (blended?.added && blended !== this.blended) {
      this.blended = blended;
      this.#blend();
    }
    const camera = this.measure();
    if (!camera || camera.sameAs(this.camera)) return;
    this.camera = camera;
    this.dispatchEvent(new Event("view"));
  }

  measure() {
    try {
      const [lon, lat] = this.aladin.getRaDec();
      const [width, height] = this.aladin.getSize();
      return new Camera({
        lon, lat, width, height, projection: this.projection,
        toPixel: (l, b) => this.aladin.world2pix(l, b),
      });
    } catch {
      return null;
    }
  }

  get centre() {
    return this.aladin.getRaDec();
  }

  /** Degrees along the shorter side of the map, at the scale of its centre. */
  get fov() {
    const camera = this.camera ?? this.measure();
    return camera ? Math.min(camera.width, camera.height) * camera.degreesPerPixel : NaN;
  }

  set fov(degrees) {
    for (let i = 0; i < 3; i++) {
      const camera = this.measure();
      if (!camera) return;
      const now = Math.min(camera.width, camera.height) * camera.degreesPerPixel;
      if (Math.abs(now / degrees - 1) < 1e-4) break;
      this.aladin.setZoomFactor((this.aladin.getZoomFactor() * degrees) / now);
    }
    this.#follow();
  }

  /** Field of view that holds the whole sphere, or half of it on the globe. */
  get wholeFov() {
    const [width, height] = this.aladin.getSize();
    const { halfWidth, halfHeight } = PROJECTIONS[this.projection];
    // Beside the panels, where they stand at the side; with room for the glow above and below.
    const free = width > 760 ? width - 2 * Math.min(300, width / 4) : width / 1.12;
    const scale = Math.min(free / 1.04 / halfWidth, height / 1.2 / halfHeight) / 2;
    return ((Math.min(width, height) / scale) * 180) / Math.PI;
  }

  /** Order of the tiles that the view asks for. */
  get tileOrder() {
    return this.aladin.view.wasm.getNOrder();
  }

  goTo(lon, lat) {
    this.aladin.gotoRaDec(((lon % 360) + 360) % 360, Math.max(-90, Math.min(90, lat)));
    this.#follow();
  }

  /** Move in about 0.4 s, or at once where the visitor wants no motion. */
  glideTo(lon, lat) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.goTo(lon, lat);
    else this.aladin.animateToRaDec(lon, lat, 0.4);
  }

  zoomBy(factor) {
    this.fov = Math.max(0.02, Math.min(this.wholeFov * 1.6, this.fov / factor));
  }

  setProjection(name) {
    if (!PROJECTIONS[name]) name = "SIN";
    const fov = this.fov;
    const whole = fov > 0.8 * this.wholeFov;
    this.projection = name;
    this.aladin.setProjection(name);
    this.fov = whole ? this.wholeFov : Math.min(fov, this.wholeFov);
  }

  /** [lon, lat] of a pixel, or null beside the sphere. */
  world(x, y) {
    try {
      const found = this.aladin.pix2world(x, y);
      return found && found.every(Number.isFinite) ? found : null;
    } catch {
      return null;
    }
  }

  #image(layer) {
    const url = new URL(layer.url, document.baseURI).href.replace(/\/$/, "");
    return this.A.imageHiPS(url, { name: layer.title });
  }

  /** Show a layer at the bottom; null shows none. */
  async setBase(name) {
    if (this.base === name) return;
    this.base = name;
    const layer = this.layers.get(name);
    if (!layer || !(await this.#there(layer))) return;
    if (this.base !== name) return;
    this.aladin.setBaseImageLayer(this.#image(layer));
    this.#blend();
  }

  async setOverlay(name) {
    if (this.overlay === name) return;
    this.overlay = name;
    const layer = this.layers.get(name);
    if (!layer || !(await this.#there(layer))) {
      this.aladin.removeImageLayer("blend");
      return;
    }
    if (this.overlay !== name) return;
    this.aladin.setOverlayImageLayer(this.#image(layer), "blend");
    this.#blend();
  }

  setOpacity(value) {
    this.opacity = value;
    this.#blend();
  }

  #blend() {
    this.aladin.getOverlayImageLayer("blend")?.setOpacity(this.opacity);
  }

  /** Whether a layer's properties can be read; if not, the page says so. */
  async #there(layer) {
    if (!this.known.has(layer.name)) this.known.set(layer.name, this.#ask(layer));
    return this.known.get(layer.name);
  }

  async #ask(layer) {
    let reason = "the server does not answer";
    try {
      const answer = await fetch(new URL(`${layer.url}/properties`, document.baseURI));
      if (answer.ok && /hips_order\s*=/.test(await answer.text())) return true;
      reason = answer.ok ? "its properties file is damaged" : "its properties file is missing";
    } catch {
      // The reason stands above.
    }
    complain(`The layer “${layer.title}” cannot be shown: ${reason} (${layer.url}/properties).`);
    return false;
  }
}
