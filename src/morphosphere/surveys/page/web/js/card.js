// The card of a galaxy: picture, probabilities, type, where it is and what else is known.

import { byId, el } from "./dom.js";
import { categoryColour } from "./colours.js";
import { number } from "./format.js";

const percent = (p) => (p === null || p === undefined ? "not known" : p > 0.9995 && p < 1 ? "> 99.9 %" : `${(100 * p).toFixed(1)} %`);
const SPLITS = { train: "had a part in training, if labelled", validation: "used to choose and calibrate", test: "no part in any choice" };
const ORIGINS = { survey: "of this survey", match: "carried over by position", pseudo: "a confident prediction" };

export class Card {
  /** `choose` is called with the row of a galaxy that is picked on the card. */
  constructor(survey, grid, { choose, close }) {
    Object.assign(this, { survey, grid, choose, close, node: byId("card") });
    this.empty();
  }

  empty() {
    this.row = null;
    this.node.replaceChildren(
      el("p", { class: "soft empty" }, "Point at a galaxy to see its picture; click for all that is known of it."),
    );
  }

  show(galaxy) {
    this.row = galaxy.row;
    this.node.replaceChildren(
      el("header", {},
        el("h2", { id: "card-title", tabindex: "-1" }, galaxy.id),
        el("button", { type: "button", class: "close", "aria-label": "Close the card", click: this.close }, "×"),
      ),
      el("div", { class: "face" }, this.survey.picture(galaxy.row, `Picture of ${galaxy.id}`), this.#verdict(galaxy)),
      el("div", { class: "body" }, this.#probabilities(galaxy), ...this.#type(galaxy), this.#facts(galaxy), this.#similar(galaxy)),
    );
    this.node.scrollTop = 0;
  }

  #verdict({ predicted, confidence, label, label_origin: origin, domain_outlier: outlier }) {
    const known = label !== null && origin !== "pseudo";
    return el("div", { class: "verdict" },
      el("p", {}, el("b", {}, predicted), el("span", { class: "soft" }, `confidence ${percent(confidence)}`)),
      known ? el("p", { class: label === predicted ? "agrees" : "differs" }, label === predicted ? "✓ " : "✗ ", `label: ${label}`) : el("p", { class: "soft" }, "no label"),
      outlier === "yes" ? el("p", { class: "differs" }, "unlike the training images") : null,
    );
  }

  #probabilities(galaxy) {
    const lines = this.survey.classes.map((name, k) => {
      const [p, std] = [galaxy[`p_${name}`] ?? null, galaxy[`p_${name}_std`] ?? null];
      const clip = (v) => 100 * Math.min(1, Math.max(0, v));
      return el("li", {},
        el("span", { class: "name" }, name),
        el("span", { class: "bar", "aria-hidden": "true" },
          p === null ? null : el("i", { style: { width: `${clip(p)}%`, background: `rgb(${categoryColour(k)})` } }),
          p === null || std === null ? null : el("u", { style: { left: `${clip(p - std)}%`, width: `${clip(p + std) - clip(p - std)}%` } }),
        ),
        el("span", { class: "value" }, percent(p), std === null ? null : el("small", {}, ` ± ${(100 * std).toFixed(1)}`)),
      );
    });
    return el("section", {}, el("h3", {}, "Probabilities"), el("ul", { class: "shares" }, lines),
      el("p", { class: "soft note" }, "± is how much the networks differ."));
  }

  #type({ type_median: median, type_low68: low, type_high68: high, type_low95: least, type_high95: most }) {
    if (!this.survey.has("type_median")) return [];
    if (median === null) return [el("section", {}, el("h3", {}, "Type"), el("p", { class: "soft" }, "not known"))];
    const say = (value) => value.toFixed(1).replace("-", "−");
    return [el("section", {}, el("h3", {}, "Type"),
      el("p", { class: "type" }, el("b", {}, say(median)), el("span", { class: "soft" }, `68 %: ${say(low)} to ${say(high)}; 95 %: ${say(least)} to ${say(most)}`)))];
  }

  #facts(galaxy) {
    const { ra, dec, split, label_origin: origin } = galaxy;
    const said = (value, digits = 3) => (value === null || value === undefined ? "not known" : number(value, digits));
    const rows = [
      ["Position", ra === null || ra === undefined ? "not known" : el("span", { title: `${sexagesimal(ra / 15, "h")} ${sexagesimal(dec, "°")}` }, `${ra.toFixed(5)}° ${dec >= 0 ? "+" : "−"}${Math.abs(dec).toFixed(5)}°`)],
      ["Spread", said(galaxy.spread)],
      ["Domain distance", said(galaxy.domain_distance)],
      ["Cluster", galaxy.cluster ?? "none"],
      ["Without labels", galaxy.component ?? "not known"],
      ["Split", split === null ? "not known" : el("span", { title: SPLITS[split] ?? "" }, split)],
      ...(origin ? [["Label", ORIGINS[origin] ?? origin]] : []),
      ...(galaxy.model_version ? [["Model", galaxy.model_version]] : []),
    ];
    return el("section", {}, el("h3", {}, "Known"), el("table", {}, rows.map(([name, value]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value)))));
  }

  /** The galaxies beside it in the embedding. */
  #similar({ row, place }) {
    let radius = this.grid.step;
    let found = [];
    for (let turn = 0; found.length < 8 && turn < 10; turn++, radius *= 2) found = this.grid.nearest(...place, radius, { count: 8, without: row });
    return el("section", {}, el("h3", {}, "Beside it"), el("ul", { class: "beside" }, found.map(({ row: other }) => el("li", {},
      el("button", { type: "button", "aria-label": `Galaxy ${other + 1} of the page`, click: () => this.choose(other) }, this.survey.picture(other))))));
  }
}

/** 12.5 as 12h 30m 00.0s, or 12° 30′ 00.0″. */
export function sexagesimal(value, unit) {
  const tenths = Math.round(Math.abs(value) * 36000);
  const [a, b, c] = [Math.floor(tenths / 36000), Math.floor(tenths / 600) % 60, (tenths % 600) / 10];
  const marks = unit === "h" ? ["h", "m", "s"] : ["°", "′", "″"];
  const sign = unit === "h" ? "" : value < 0 ? "−" : "+";
  return `${sign}${String(a).padStart(2, "0")}${marks[0]} ${String(b).padStart(2, "0")}${marks[1]} ${c.toFixed(1).padStart(4, "0")}${marks[2]}`;
}
