// The colour bar: the scale of the colours and how many galaxies have which value.

import { el } from "./dom.js";
import { categoryColour } from "./colours.js";
import { grouped, label, number, ticks, unitText } from "./format.js";

const BINS = 48;

/** Counts of a sample's values in even steps of the scale. */
function histogram(values, scale) {
  const bins = new Array(BINS).fill(0);
  for (const value of values) {
    const place = scale.place(value);
    if (place >= 0 && place <= 1) bins[Math.min(BINS - 1, Math.floor(place * BINS))]++;
  }
  return bins;
}

export function drawLegend(figure, scale, sample, { total, shown }) {
  const { column } = scale;
  const unit = unitText(column.unit);
  const caption = el(
    "figcaption",
    { title: column.description ?? "" },
    el("strong", {}, label(column.name)),
    unit && unit !== "°" ? ` [${unit}]` : unit ? " [°]" : "",
    scale.log ? el("span", { class: "soft" }, " log") : "",
  );
  const note = shown < total ? el("p", { class: "soft" }, `A sample of ${grouped(shown)} of ${grouped(total)} galaxies; zoom in for all`) : null;
  if (scale.categorical) {
    const chips = column.categories.map((name, code) =>
      el("li", {}, el("i", { style: { background: `rgb(${categoryColour(code)})` } }), name || "(none)"),
    );
    figure.replaceChildren(caption, el("ul", { class: "chips" }, chips), note ?? "");
    figure.hidden = false;
    return;
  }
  const bins = histogram(sample, scale);
  const top = Math.max(...bins, 1);
  const colour = (place) => `rgb(${scale.colour(scale.valueAt(place))})`;
  const bars = bins.map((n, i) =>
    el("i", { style: { height: `${Math.max(n ? 3 : 0, (100 * n) / top)}%`, background: colour((i + 0.5) / BINS) } }),
  );
  const stops = Array.from({ length: 17 }, (_, i) => `${colour(i / 16)} ${(i / 16) * 100}%`).join(", ");
  const marks = ticks(scale.low, scale.high, scale.log).map((value) => {
    const place = scale.place(value);
    const side = place < 0.04 ? " first" : place > 0.96 ? " last" : "";
    return el("span", { class: `tick${side}`, style: { left: `${100 * place}%` } }, number(value));
  });
  figure.replaceChildren(
    caption,
    el("div", { class: "bars", "aria-hidden": "true" }, bars),
    el("div", { class: "gradient", role: "img", "aria-label": `Colours from ${number(scale.low)} to ${number(scale.high)} ${unit}`, style: { background: `linear-gradient(90deg, ${stops})` } }),
    el("div", { class: "ticks" }, marks),
    note ?? "",
  );
  figure.hidden = false;
}
