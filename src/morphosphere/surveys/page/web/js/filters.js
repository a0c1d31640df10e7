// Filters: classes, confidence, and which galaxies; and the columns to colour by.

import { byId, debounce, el } from "./dom.js";
import { categoryColour } from "./colours.js";
import { grouped } from "./format.js";
import { NONE } from "./survey.js";

/** [value, words, whether a galaxy is one of them, columns that this needs] */
const SUBSETS = [
  ["all", "all", () => true, []],
  ["labelled", "with a label", (c, i) => c.label[i] !== NONE, ["label"]],
  ["wrong", "told wrongly", (c, i) => c.label[i] !== NONE && c.label[i] !== c.predicted[i], ["label"]],
  ["unlabelled", "without a label", (c, i) => c.label[i] === NONE, ["label"]],
  ["strange", "unlike the training images", (c, i) => c.domain_outlier[i] === 1, ["domain_outlier"]],
];

const COLOURS = [
  ["predicted", "predicted class"], ["label", "label"], ["confidence", "confidence"],
  ["spread", "spread"], ["domain_distance", "domain distance"], ["cluster", "cluster"],
  ["component", "mixture (no labels)"], ["type_median", "type (median)"], ["split", "split"],
];

export class Filters extends EventTarget {
  /** Loads what the filters look at. Events: change. */
  static async open(survey) {
    const names = ["predicted", "confidence", "label", "domain_outlier"].filter((name) => survey.has(name));
    const values = await Promise.all(names.map((name) => survey.values(name)));
    return new Filters(survey, Object.fromEntries(names.map((name, n) => [name, values[n]])));
  }

  constructor(survey, columns) {
    super();
    Object.assign(this, { survey, columns });
    const counts = new Array(survey.classes.length).fill(0);
    for (const code of columns.predicted) counts[code]++;
    byId("classes").append(...survey.classes.map((name, k) => el("label", {},
      el("input", { type: "checkbox", checked: true, value: k, "data-class": name }),
      el("i", { style: { background: `rgb(${categoryColour(k)})` } }), el("span", {}, name), el("output", {}, grouped(counts[k])),
    )));
    const known = SUBSETS.filter(([, , , needs]) => needs.every((name) => survey.has(name)));
    byId("subset").append(...known.map(([value, words]) => el("option", { value }, words)));
    // Confidence runs from that of a coin to 1.
    this.least = Math.min(1 / survey.classes.length, survey.columns.get("confidence").minimum ?? 0);
    const change = debounce(() => this.apply(), 40);
    for (const id of ["classes", "subset", "from", "to"]) byId(id).addEventListener("input", change);
    byId("reset").addEventListener("click", () => this.reset());
  }

  confidence(id) {
    return this.least + (1 - this.least) * (Number(byId(id).value) / 1000);
  }

  reset() {
    for (const box of document.querySelectorAll("#classes input")) box.checked = true;
    byId("subset").value = "all";
    byId("from").value = 0;
    byId("to").value = 1000;
    this.apply();
  }

  /** Work out which galaxies are shown, and tell. */
  apply() {
    const { survey, columns } = this;
    const classes = survey.classes.map((_, k) => document.querySelector(`#classes input[value="${k}"]`).checked);
    const test = SUBSETS.find(([value]) => value === byId("subset").value)[2];
    const [from, to] = [Number(byId("from").value), Number(byId("to").value)];
    const low = from === 0 ? -Infinity : this.confidence("from");
    const high = to === 1000 ? Infinity : this.confidence("to");
    const mask = new Uint8Array(survey.rows);
    let count = 0;
    for (let i = 0; i < survey.rows; i++) {
      const c = columns.confidence[i];
      // A galaxy whose confidence is not known is shown while that does not matter.
      const certain = Number.isNaN(c) ? from === 0 && to === 1000 : c >= low && c <= high;
      if (certain && classes[columns.predicted[i]] && test(columns, i)) {
        mask[i] = 1;
        count++;
      }
    }
    byId("from-text").textContent = this.confidence("from").toFixed(2);
    byId("to-text").textContent = this.confidence("to").toFixed(2);
    byId("count").textContent = `${grouped(count)} of ${grouped(survey.rows)} galaxies`;
    byId("reset").hidden = count === survey.rows;
    Object.assign(this, { mask, count });
    this.dispatchEvent(new Event("change"));
  }
}

/** Columns that galaxies can be coloured by: [name, words], as far as the survey has them. */
export function colourable(survey) {
  return COLOURS.filter(([name]) => {
    const column = survey.columns.get(name);
    if (!column) return false;
    return column.kind === "category" ? column.categories.length > 0 : Boolean(column.quantiles);
  });
}
