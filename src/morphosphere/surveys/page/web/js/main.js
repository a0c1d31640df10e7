// The page: reads its data and connects the parts.

import { aboutBox } from "./about.js";
import { Card } from "./card.js";
import { Scale } from "./colours.js";
import { announce, bringIntoView, byId, el } from "./dom.js";
import { Dots } from "./dots.js";
import { colourable, Filters } from "./filters.js";
import { grouped } from "./format.js";
import { Grid } from "./grid.js";
import { drawLegend } from "./legend.js";
import { fillLists } from "./lists.js";
import { loadJson } from "./load.js";
import { Marks } from "./marks.js";
import { complainOf } from "./messages.js";
import { fillNumbers } from "./numbers.js";
import { Plane } from "./plane.js";
import { searchBox } from "./search.js";
import { NONE, Survey } from "./survey.js";

const page = {};
// For the console and for tests.
window.survey = page;

/** How far from a point it is still meant, in pixels. */
const NEAR = { mouse: 12, pen: 14, touch: 22, key: Infinity };

async function colour(name) {
  const { survey, dots, filters } = page;
  const column = survey.columns.get(name);
  const values = await survey.values(name);
  if (byId("colour").value !== name) return; // another was chosen meanwhile
  const scale = new Scale(column, { log: false, map: "viridis" });
  dots.colour(scale, values);
  page.marks.draw();
  legend(name, scale, values, filters.mask);
}

/** What the colours mean, and how many of the galaxies that are shown have which value. */
function legend(name, scale, values, mask) {
  const figure = byId("legend");
  byId("classes").classList.toggle("plain", !["predicted", "label", "component"].includes(name));
  if (name === "predicted") {
    figure.hidden = true; // the filters say it
    return;
  }
  const sample = values.filter((_, i) => mask[i]);
  const column = { ...scale.column, name: page.words.get(name) };
  const counts = new Map();
  if (scale.categorical) {
    for (const code of sample) counts.set(code, (counts.get(code) ?? 0) + 1);
    column.categories = column.categories.map((text, k) => `${text} (${grouped(counts.get(k) ?? 0)})`);
  }
  const told = Object.assign(Object.create(Object.getPrototypeOf(scale)), scale, { column });
  drawLegend(figure, told, sample, { total: sample.length, shown: sample.length });
  if (counts.get(NONE)) {
    figure.querySelector("ul").append(el("li", {}, el("i", { class: "missing" }), `${name === "label" ? "no label" : "none"} (${grouped(counts.get(NONE))})`));
  }
}

/** The galaxy that a pixel means: {row}, or null. */
function meant([px, py], by = "mouse") {
  const { plane, grid, filters, marks } = page;
  const pictured = by === "key" ? null : marks.at(px, py);
  if (pictured !== null) return { row: pictured };
  const radius = Math.min(NEAR[by] ?? NEAR.mouse, Math.hypot(plane.width, plane.height)) / plane.scale;
  return grid.nearest(...plane.toPlane(px, py), radius, { mask: filters.mask })[0] ?? null;
}

let hovered = -1;

async function hover(detail) {
  const { survey, marks } = page;
  const found = detail && meant(detail.at);
  const tip = byId("tip");
  byId("plane").classList.toggle("over", Boolean(found));
  if (!found) {
    hovered = -1;
    tip.hidden = true;
    marks.ring("hovered", null);
    return;
  }
  if (found.row !== hovered) {
    hovered = found.row;
    marks.ring("hovered", found.row);
    const galaxy = await survey.galaxy(found.row);
    if (hovered !== found.row) return;
    tip.replaceChildren(survey.picture(found.row), el("div", {}, el("b", {}, galaxy.id),
      el("span", {}, `${galaxy.predicted}, ${galaxy.confidence === null ? "confidence not known" : `${(100 * galaxy.confidence).toFixed(1)} %`}`),
      galaxy.label ? el("span", {}, `label: ${galaxy.label}`) : null));
    tip.hidden = false;
  }
  const { clientX: x, clientY: y } = detail.event;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16}px`;
  tip.style.top = `${Math.min(y + 14, innerHeight - box.height - 8)}px`;
}

/** Show a galaxy on the card and on the plane. */
async function choose(row, { fly = false, focus = false } = {}) {
  const { survey, card, marks, plane } = page;
  const galaxy = await survey.galaxy(row);
  card.show(galaxy);
  marks.ring("picked", row);
  if (fly) plane.show(galaxy.place, 3);
  history.replaceState(null, "", `#galaxy=${encodeURIComponent(galaxy.id)}`);
  announce(`${galaxy.id}: ${galaxy.predicted}`);
  if (focus) byId("card-title").focus();
}

function close() {
  if (page.card.row === null) return;
  page.card.empty();
  page.marks.ring("picked", null);
  history.replaceState(null, "", location.pathname + location.search);
  byId("plane").focus();
}

const guarded = (action) => (...args) => action(...args).catch(complainOf);
const pick = guarded(choose);

/** From a list below: the plane comes into view. */
const pickBelow = (row) => {
  bringIntoView(byId("stage"), "nearest");
  pick(row, { fly: true });
};

async function drawing() {
  const { survey } = page;
  page.grid = new Grid(survey.places);
  page.plane = new Plane(byId("plane"), page.grid);
  page.dots = new Dots(byId("dots"), page.plane, survey.places);
  page.marks = new Marks(byId("marks"), page.plane, survey, page.grid, page.dots);
  page.filters = await Filters.open(survey);
  page.card = new Card(survey, page.grid, { choose: (row) => pick(row, { fly: true }), close });
  page.filters.addEventListener("change", () => {
    page.dots.keep(page.filters.mask);
    page.marks.show(byId("pictures").checked);
    if (page.dots.scale) legend(byId("colour").value, page.dots.scale, page.dots.values, page.filters.mask);
  });
  page.filters.apply();
  page.words = new Map(colourable(survey));
  byId("colour").append(...[...page.words].map(([value, words]) => el("option", { value }, words)));
  byId("colour").addEventListener("change", () => guarded(colour)(byId("colour").value));
  byId("pictures").addEventListener("change", () => page.marks.show(byId("pictures").checked));
  await colour(byId("colour").value);
  page.plane.addEventListener("hover", ({ detail }) => guarded(hover)(detail));
  page.plane.addEventListener("view", () => guarded(hover)(null));
  page.plane.addEventListener("pick", ({ detail }) => {
    const found = meant(detail.at, detail.by);
    if (found) pick(found.row, { focus: detail.by === "key" });
  });
  for (const [id, action] of [["nearer", () => page.plane.zoomBy(1.6)], ["farther", () => page.plane.zoomBy(1 / 1.6)], ["whole", () => page.plane.home()]]) byId(id).addEventListener("click", action);
  searchBox(byId("search"), byId("suggestions"), survey, survey, { choose: (row) => pick(row, { fly: true }), fault: complainOf });
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select, dialog *")) return;
    if (event.key === "/") {
      event.preventDefault();
      byId("search").focus();
    } else if (event.key === "Escape") close();
  });
}

/** Show the galaxy that the address names. */
async function fromAddress() {
  const wanted = /^#galaxy=(.+)$/.exec(location.hash);
  if (!wanted) return;
  const id = decodeURIComponent(wanted[1]);
  const row = await page.survey.rowOf(id);
  if (row < 0) throw new Error(`There is no galaxy ${id} on this page.`);
  await choose(row, { fly: true });
}

async function start() {
  const base = document.baseURI;
  [page.config, page.survey] = await Promise.all([loadJson(new URL("config.json", base)), Survey.open(base)]);
  if (page.config.map_page) byId("links").append(el("a", { href: page.config.map_page }, "Map of morphology"));
  aboutBox(page.config, page.survey);
  fillNumbers(page.config, page.survey);
  await fillLists(page.survey, pickBelow);
  await drawing();
  byId("loading").hidden = true;
  window.addEventListener("hashchange", guarded(fromAddress));
  await fromAddress();
}

start()
  .then(() => (document.body.dataset.ready = "true"))
  .catch((error) => {
    complainOf(error);
    document.body.dataset.ready = "failed";
  });
