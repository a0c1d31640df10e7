// Film strips: frames of the library along the axis of a posterior.

import { slots } from "./chart.js";
import { el } from "./dom.js";
import { thumbnail } from "./pictures.js";
import { turnedBack } from "./turns.js";
import { PHASES, ratioText, valueText } from "./words.js";

/** The moments of one encounter: in each part of the axis the moment nearest to its middle. */
export function momentsAlong(library, label, rows, count) {
  const time = library.columns.get(label.name);
  return slots(label, count).map(({ low, middle, high }) => {
    const inside = rows.filter((r) => time[r] >= low && time[r] < high);
    return inside.reduce((best, r) => (best === null || Math.abs(time[r] - middle) < Math.abs(time[best] - middle) ? r : best), null);
  });
}

/** In each part of the axis the frame that looks most like the image. */
export function bestAlong(library, label, { distance }, own, count) {
  const value = library.columns.get(label.name);
  const best = new Array(count).fill(null);
  const edges = slots(label, count);
  for (let r = 0; r < library.frames; r++) {
    if (library.encounter[r] === own) continue;
    const v = value[r];
    const n = edges.findIndex(({ low, high }, k) => v >= low && (v < high || (k === count - 1 && v <= high)));
    if (n >= 0 && (best[n] === null || distance[r] < distance[best[n]])) best[n] = r;
  }
  return best;
}

/** The strip: one place for each row of `rows` (null is a gap). `turnOf` gives the turn of a row. */
export function film(library, posterior, rows, { turnOf, choose, text }) {
  const count = rows.length;
  const share = rows.map((_, n) => {
    const [a, b] = [n / count, (n + 1) / count].map((u) => posterior.below(posterior.value(u)));
    return b - a;
  });
  const peak = Math.max(...share.filter((_, n) => rows[n] !== null), 0);
  return el("div", { class: "film", role: "group", "aria-label": text }, rows.map((row, n) => {
    if (row === null) return el("span", { class: "slot" }, el("span", { class: "gap" }));
    const kind = share[n] === peak ? "most" : share[n] > 0.3 * peak ? "likely" : null;
    const button = el(
      "button",
      { type: "button", class: kind, title: frameText(library.get(row)), "aria-label": `${frameText(library.get(row))}: compare`, "data-row": row, click: () => choose(row) },
      thumbnail(library.folder, library.index, row, "", turnedBack(turnOf(row))),
    );
    return el("span", { class: "slot" }, button);
  }));
}

/** A frame in a line of text. */
export function frameText(frame) {
  const parts = [frame.encounter];
  if (frame.time_since_pericentre !== null) parts.push(valueText({ unit: "Myr" }, Math.round(frame.time_since_pericentre)));
  if (frame.mass_ratio !== null) parts.push(ratioText(frame.mass_ratio));
  if (PHASES[frame.phase]) parts.push(PHASES[frame.phase]);
  return parts.join(", ");
}

/** Phases along time, from the moments of an encounter: [name, low, high]. */
export function phasesOf(library, rows, low, high) {
  const time = library.columns.get("time_since_pericentre");
  const kinds = library.index.kinds.phase;
  const code = library.columns.get("phase");
  const spans = [];
  for (const r of rows) {
    const name = kinds[code[r]];
    if (spans.length && spans[spans.length - 1][0] === name) spans[spans.length - 1][2] = time[r];
    else {
      const border = spans.length ? (spans[spans.length - 1][2] + time[r]) / 2 : time[r];
      if (spans.length) spans[spans.length - 1][2] = border;
      spans.push([name, border, time[r]]);
    }
  }
  return spans.filter(([name]) => name in PHASES).map(([name, a, b]) => [PHASES[name], Math.max(a, low), Math.min(b, high)]);
}
