// Aladin Lite, kept to what this page needs: layers by relative address, the view, and pixels.

import { Camera, PROJECTIONS, wholeFov } from "./camera.js";
import { still } from "./dom.js";
import { complain } from "./messages.js";

const SILENT = {
  log: false, samp: false, hipsList: [], survey: [], cooFrame: "ICRS", inertia: true,
  showZoomControl: false, showLayersControl: false, showFullscreenControl: false, showFrame: false,
  showFov: false, showCooLocation: false, showProjectionControl: false, showStatusBar: false,
  showReticle: false, showContextMenu: false, showCooGrid: false, showShareControl: false,
  showSettingsControl: false, showSimbadPointerControl: false, showCooGridControl: false,
  showColorPickerControl: false, backgroundColor: "rgb(7, 10, 18)",
};

/** How long the galaxies wait for the first tiles, in ms. */
const PATIENCE = 3000;
const QUIET = 60;

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
    this.known = new Set();
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
    return wholeFov(this.projection, ...this.aladin.getSize());
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
    if (still()) this.goTo(lon, lat);
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
    const reason = await Sky.ask(layer);
    if (!reason) return true;
    if (!this.known.has(layer.name)) complain(`The layer “${layer.title}” cannot be shown: ${reason} (${layer.url}/properties).`);
    this.known.add(layer.name);
    return false;
  }

  /** Ask once, and early, for a layer's properties; what is wrong with them. */
  static ask(layer) {
    if (!layer) return null;
    if (!asked.has(layer.url)) asked.set(layer.url, whatIsWrong(layer));
    return asked.get(layer.url);
  }

  /** Wait until tiles are there and drawn; not for long, since there may be none. */
  async pictured() {
    const base = this.layers.get(this.base);
    if (!base || (await Sky.ask(base))) return;
    await tilesOf(new URL(base.url, document.baseURI).href);
    for (let frame = 0; frame < 2; frame++) await new Promise((done) => requestAnimationFrame(done));
  }
}

const asked = new Map();

async function whatIsWrong(layer) {
  try {
    const answer = await fetch(new URL(`${layer.url}/properties`, document.baseURI));
    if (!answer.ok) return "its properties file is missing";
    return /hips_order\s*=/.test(await answer.text()) ? null : "its properties file is damaged";
  } catch {
    return "the server does not answer";
  }
}

/** Resolves when Aladin Lite has fetched tiles of a layer and for a moment no more, or after PATIENCE. */
function tilesOf(url) {
  return new Promise((done) => {
    let quiet = 0;
    const from = performance.now();
    const watch = new PerformanceObserver((list) => {
      if (!list.getEntries().some((entry) => entry.startTime > from && entry.name.startsWith(`${url}/Norder`))) return;
      clearTimeout(quiet);
      quiet = setTimeout(end, QUIET);
    });
    const timer = setTimeout(end, PATIENCE);
    function end() {
      clearTimeout(timer);
      clearTimeout(quiet);
      watch.disconnect();
      done();
    }
    watch.observe({ type: "resource" });
  });
}
