// The page: reads its configuration, starts the map, and connects the parts.

import { aboutBox } from "./about.js";
import { byId } from "./dom.js";
import { Explorer } from "./explorer.js";
import { Layers } from "./layers.js";
import { loadJson } from "./load.js";
import { complain, complainOf } from "./messages.js";
import { posted } from "./poster.js";
import { Sky } from "./sky.js";
import { numberOf, readState } from "./state.js";
import { surround } from "./surround.js";
import { tabs } from "./tabs.js";
import { Table } from "./table.js";

const explorer = {};
// For the console and for tests.
window.morphosphere = explorer;

async function start() {
  const config = await loadJson(new URL("config.json", document.baseURI));
  const tableOpened = Table.open(new URL(config.data, document.baseURI)).catch((error) => {
    complainOf(error);
    return null;
  });
  const state = readState();
  Sky.ask(config.layers.find((layer) => layer.name === (state.map ?? config.base_layer)));
  await posted;
  const { default: A } = await import("../../aladin.js");
  const sky = await Sky.start(A, "#sky", config.layers, {
    projection: ["SIN", "AIT", "ZEA", "TAN"].includes(state.view) ? state.view : config.projection,
  });
  byId("loading").remove();
  surround(byId("surround"), sky);
  Object.assign(explorer, { config, sky, aladin: sky.aladin });
  const layers = new Layers(config, sky);
  explorer.layers = layers;
  if (!config.layers.length) complain("This site has no image layer: make at least one HiPS and the page again.");
  const view = {
    lon: numberOf(state.lon, -360, 360, config.longitude),
    lat: numberOf(state.lat, -90, 90, config.latitude),
    fov: numberOf(state.fov, 0.01, 800, config.field_of_view ?? sky.wholeFov),
  };
  sky.goTo(view.lon, view.lat);
  sky.fov = view.fov;
  layers.restore(state);
  const fit = () => (sky.fov = sky.wholeFov);
  byId("zoom-in").addEventListener("click", () => sky.zoomBy(1.5));
  byId("zoom-out").addEventListener("click", () => sky.zoomBy(1 / 1.5));
  byId("zoom-fit").addEventListener("click", fit);
  tabs();
  // The galaxies take as long as the sky: it comes first.
  await sky.pictured();
  byId("poster")?.remove();
  const table = await tableOpened;
  explorer.table = table;
  aboutBox(config, table);
  if (table) await new Explorer(config, sky, layers, table, fit, explorer).start(state);
  else document.body.classList.add("without-data");
  document.body.dataset.ready = "true";
}

start().catch((error) => {
  const loading = byId("loading");
  if (loading) loading.hidden = true;
  complainOf(error);
  document.body.dataset.ready = "failed";
});
