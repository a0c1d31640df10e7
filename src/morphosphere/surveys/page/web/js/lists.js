// The most and the least certain galaxies of each class.

import { byId, el } from "./dom.js";
import { categoryColour } from "./colours.js";

const written = (p) => (p > 0.9995 && p < 1 ? "> 0.999" : p.toFixed(3));

/** Fill the lists; `choose` is called with the row of a galaxy that is picked. */
export async function fillLists(survey, choose) {
  const [confidence, ids] = await Promise.all([survey.values("confidence"), survey.ids()]);
  const strip = (rows) =>
    rows.length
      ? el("ul", { class: "strip" }, rows.map((row) => el("li", {}, el("button", { type: "button", title: ids[row], "aria-label": `${ids[row]}, confidence ${written(confidence[row])}`, click: () => choose(row) }, survey.picture(row), el("span", {}, written(confidence[row]))))))
      : el("p", { class: "soft" }, "No galaxy is told to be of this class.");
  byId("lists-body").replaceChildren(...survey.index.lists.map((list, k) => el("section", { class: "panel" },
    el("h3", {}, el("i", { class: "chip", style: { background: `rgb(${categoryColour(k)})` } }), list.class),
    el("div", { class: "two" },
      el("div", {}, el("h4", {}, "most certain"), strip(list.most)),
      el("div", {}, el("h4", {}, "least certain"), strip(list.least)),
    ),
  )));
}
