// The galaxies on the map: their colours, the card of one of them, and the view in the address.

import { Card } from "./card.js";
import { COLOUR_MAPS, Scale, canLog, wantsLog } from "./colours.js";
import { announce, byId, debounce, el } from "./dom.js";
import { title } from "./format.js";
import { Galaxies } from "./galaxies.js";
import { Hover } from "./hover.js";
import { mapKeys } from "./keyboard.js";
import { drawLegend } from "./legend.js";
import { Marks } from "./marks.js";
import { complain, complainOf } from "./messages.js";
import { mapPointer } from "./pointer.js";
import { Points } from "./points.js";
import { Selection } from "./region.js";
import { Ids, searchBox } from "./search.js";
import { regionOf, regionText, toVector } from "./sphere.js";
import { numberOf, readState, writeState } from "./state.js";
import { closeTabs } from "./tabs.js";

/** The galaxies on the map, and everything that is done with them. */
export class Explorer {
  constructor(config, sky, layers, table, fit, shared) {
    Object.assign(this, { config, sky, layers, table });
    const map = byId("map");
    this.galaxies = new Galaxies(table);
    this.ids = new Ids(table);
    this.marks = new Marks(byId("marks"), sky);
    this.points = new Points(byId("points"), sky, table);
    this.points.addEventListener("fault", (event) => complainOf(event.error));
    this.points.addEventListener("loaded", () => this.#legend());
    sky.addEventListener("view", debounce(() => this.#legend(), 300));
    this.card = new Card(byId("card"), table, this.galaxies, {
      close: () => this.choose(null),
      open: (row) => this.choose(row, { move: true, focus: true }),
      centre: (lon, lat) => sky.glideTo(lon, lat),
      canColour: (column) => table.colourable.includes(column),
      colour: (name) => this.colour({ name, scale: null }),
      hint: (row) => this.#point(row),
    });
    this.selection = new Selection({
      map, sky, table, galaxies: this.galaxies, marks: this.marks, panel: byId("selection"),
      open: (row) => this.choose(row, { move: true }), fault: complainOf, name: config.title,
    });
    this.selection.addEventListener("region", () => this.write({ step: true }));
    const pictures = (event) => complain(`A sheet of pictures could not be loaded: it is missing from the site (${event.detail.replace(/^.*\/(?=data\/)/, "")}).`);
    document.addEventListener("absent", pictures);
    searchBox(byId("search"), byId("suggestions"), this.ids, this.galaxies, {
      choose: (row) => this.choose(row, { move: true, focus: true }), fault: complainOf,
    });
    mapKeys(map, { sky, marks: this.marks, fit, openCentre: () => this.#openAt(this.points.nearest(sky.camera.forward)) });
    this.hover = new Hover({ config, sky, layers, table, galaxies: this.galaxies, marks: this.marks, scale: () => this.scale });
    mapPointer(map, {
      sky, points: this.points, busy: () => Boolean(this.selection.tool),
      pictured: (world) => this.hover.pictured(world),
      hover: (found, pixel) => this.hover.show(found, pixel),
      open: (found) => this.#openAt(found),
    });
    this.#controls();
    layers.addEventListener("change", (event) => this.write({ step: event.step }));
    sky.addEventListener("view", debounce(() => this.write(), 250));
    window.addEventListener("popstate", () => this.#restoreAll());
    window.addEventListener("hashchange", () => this.#restoreAll());
    document.addEventListener("keydown", (event) => this.#keys(event));
    Object.assign(shared, { points: this.points, galaxies: this.galaxies, ids: this.ids, selection: this.selection, explorer: this });
  }

  async start(state) {
    await this.#restore(state);
    await this.points.load().catch(complainOf);
    this.ready = true;
    this.write();
  }

  // ---- what is shown, from the address and to it

  async #restoreAll() {
    const state = readState();
    this.restoring = true;
    try {
      this.layers.restore(state);
      const { sky, config } = this;
      sky.goTo(numberOf(state.lon, -360, 360, config.longitude), numberOf(state.lat, -90, 90, config.latitude));
      sky.fov = numberOf(state.fov, 0.01, 800, sky.wholeFov);
      await this.#restore(state);
    } finally {
      this.restoring = false;
    }
  }

  async #restore(state) {
    const { config, table } = this;
    const known = table.colourable.map((column) => column.name);
    const first = known.includes(config.colour_by) ? config.colour_by : this.#natural(known);
    if (state.colour && !known.includes(state.colour)) complain(`The address asks for the property “${state.colour}”, which this map does not have.`);
    await this.colour({
      name: known.includes(state.colour) ? state.colour : first,
      scale: ["log", "linear"].includes(state.scale) ? state.scale : null,
      map: COLOUR_MAPS.includes(state.colours) ? state.colours : config.colour_map,
    }, { write: false });
    this.#show(state.marks ? state.marks === "on" : config.points);
    this.#size(numberOf(state.size, 1, 16, this.#naturalSize()));
    const region = regionOf(state.region);
    if ((region && regionText(region)) !== (this.selection.region && regionText(this.selection.region))) this.selection.set(region, { tell: false });
    if (!state.id) await this.choose(null, { write: false });
    else {
      try {
        const row = await this.ids.row(state.id);
        if (row === null) complain(`There is no galaxy “${state.id}” in this map.`);
        else await this.choose(row, { write: false });
      } catch (error) {
        complainOf(error);
      }
    }
  }

  /** The property that a visitor most likely wants to see. */
  #natural(known) {
    const wanted = ["hubble_type", "T", "stellar_mass", "axis_ratio", "mean_age", "outlier_score", "reconstruction_error"];
    const of_the_map = ["lon", "lat", "angle", "camera", "snapshot", "subhalo_id"];
    return wanted.find((name) => known.includes(name)) ?? known.find((name) => !of_the_map.includes(name)) ?? known[0] ?? null;
  }

  #naturalSize() {
    const { rows } = this.table;
    const size = rows > 100_000 ? 2 : rows > 20_000 ? 3 : rows > 4000 ? 4.5 : rows > 800 ? 6 : 8;
    return matchMedia("(max-width: 760px)").matches ? Math.ceil(1.4 * size) / 2 : size;
  }

  write({ step = false } = {}) {
    if (!this.ready || this.restoring) return;
    const { sky, scale, points } = this;
    const [lon, lat] = sky.centre;
    writeState({
      lon: lon.toFixed(3), lat: lat.toFixed(3), fov: Number(sky.fov.toPrecision(5)), ...this.layers.state,
      marks: points.visible ? "on" : "off", colour: scale?.column.name, scale: scale && !scale.categorical ? (scale.log ? "log" : "linear") : null,
      colours: this.map, size: points.size, id: this.chosen?.id,
      region: this.selection.region ? regionText(this.selection.region) : null,
    }, { step });
  }

  // ---- colours

  #controls() {
    const { table } = this;
    const options = (columns) => columns.map((column) => el("option", { value: column.name, title: column.description ?? null }, title(column.name)));
    byId("colour").append(...options(table.colourable));
    byId("colour").addEventListener("change", (event) => this.colour({ name: event.target.value, scale: null }));
    byId("colour-map").append(...COLOUR_MAPS.map((name) => el("option", { value: name }, name)));
    byId("colour-map").addEventListener("change", (event) => this.colour({ map: event.target.value }));
    for (const input of document.querySelectorAll("input[name=scale]")) input.addEventListener("change", () => this.colour({ scale: input.value }));
    byId("shown").addEventListener("change", (event) => {
      this.#show(event.target.checked);
      this.write({ step: true });
    });
    byId("size").addEventListener("input", (event) => {
      this.#size(Number(event.target.value));
      this.write();
    });
  }

  #show(visible) {
    this.points.visible = visible;
    byId("shown").checked = visible;
    this.points.draw();
    this.#legend();
  }

  #size(size) {
    this.points.size = size;
    byId("size").value = size;
    byId("size-value").textContent = `${size}px`;
    this.points.draw();
  }

  async colour({ name = this.scale?.column.name, scale = this.wanted, map = this.map }, { write = true } = {}) {
    const column = this.table.byName.get(name);
    if (!column) return;
    this.map = map;
    this.wanted = scale;
    this.scale = new Scale(column, { log: scale ? scale === "log" : wantsLog(column), map });
    byId("colour").value = name;
    byId("colour-map").value = map;
    byId("map-row").hidden = byId("scale-row").hidden = this.scale.categorical;
    for (const input of document.querySelectorAll("input[name=scale]")) {
      input.checked = input.value === (this.scale.log ? "log" : "linear");
      input.disabled = input.value === "log" && !canLog(column);
    }
    try {
      await this.points.colourBy(this.scale);
    } catch (error) {
      complainOf(error);
    }
    this.#legend();
    if (write) this.write({ step: true });
  }

  async #legend() {
    const { scale, points, table } = this;
    const figure = byId("legend");
    if (!scale || !points.visible) {
      figure.hidden = true;
      return;
    }
    try {
      const sample = await table.values(scale.column.name, 0);
      if (this.scale !== scale) return;
      const shown = points.complete ? table.rows : table.chunks[0].count;
      drawLegend(figure, scale, sample, { total: table.rows, shown });
    } catch {
      figure.hidden = true;
    }
  }

  // ---- one galaxy

  async #openAt(found) {
    if (!found) return;
    try {
      await this.choose(await this.hover.row(found), { focus: byId("map").matches(":focus-visible") });
    } catch (error) {
      complainOf(error);
    }
  }

  /** Open the card of a galaxy, or close it (null). */
  async choose(row, { move = false, focus = false, write = true } = {}) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    if (row === null) {
      const had = this.chosen;
      this.chosen = null;
      this.card.close();
      this.marks.set({ chosen: null, similar: [], hovered: null });
      if (had && write) this.write({ step: true });
      return;
    }
    if (this.chosen?.row === row) return;
    try {
      const galaxy = await this.galaxies.get(row);
      if (turn !== this.turn) return;
      this.chosen = galaxy;
      if (matchMedia("(max-width: 760px)").matches) closeTabs();
      this.card.show(galaxy);
      this.marks.set({ chosen: toVector(galaxy.lon, galaxy.lat), similar: [], hovered: null });
      announce(`${galaxy.id} opened`);
      if (move) this.#reveal(galaxy);
      if (focus) this.card.focus();
      if (write) this.write({ step: true });
      const others = await Promise.all(galaxy.neighbours.map((other) => this.galaxies.get(other).catch(() => null)));
      if (turn === this.turn) this.marks.set({ similar: others.filter(Boolean).map((g) => toVector(g.lon, g.lat)) });
    } catch (error) {
      complainOf(error);
    }
  }

  /** Move the map if the galaxy is not well in view. */
  #reveal({ lon, lat }) {
    const { camera } = this.sky;
    const pixel = camera?.pixel(toVector(lon, lat));
    const card = byId("card").getBoundingClientRect();
    const hidden = !pixel || pixel[0] < 40 || pixel[1] < 60 || pixel[0] > camera.width - 40 || pixel[1] > camera.height - 40 ||
      (pixel[0] > card.left && pixel[0] < card.right && pixel[1] > card.top && pixel[1] < card.bottom);
    const deep = pixel && Math.hypot(pixel[0] - camera.origin[0], pixel[1] - camera.origin[1]) * camera.degreesPerPixel > 50;
    if (hidden || deep) this.sky.glideTo(lon, lat);
  }

  async #point(row) {
    this.pointed = row;
    if (row === null) return this.marks.set({ hovered: null });
    const galaxy = await this.galaxies.get(row).catch(() => null);
    if (galaxy && this.pointed === row) this.marks.set({ hovered: toVector(galaxy.lon, galaxy.lat) });
  }

  #keys(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "") && document.activeElement.type !== "range";
    if (event.key === "Escape" && !byId("about").open) {
      if (this.selection.tool) this.selection.arm(null);
      else if (closeTabs()) return;
      else if (this.chosen) {
        this.choose(null);
        byId("map").focus();
      }
    } else if (event.key === "/" && !typing) {
      event.preventDefault();
      byId("search").focus();
    }
  }
}
