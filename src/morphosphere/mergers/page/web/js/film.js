// Film strips: frames of the library along the axis of a posterior.

import { slots } from "./chart.js";
import { el } from "./dom.js";
import { thumbnail } from "./pictures.js";
import { placeOf } from "./posterior.js";
import { svg } from "./svg.js";
import { turnedBack } from "./turns.js";
import { PHASES, ratioText, valueText } from "./words.js";

/** Width of a moment in pixels, where there is room. */
const LARGEST = 84;

/** Moments on the axis of a label: at most `count` of them, evenly taken: [row, place 0 to 1]. */
export function momentsOn(library, label, rows, count) {
  const time = library.columns.get(label.name);
  const inside = rows.map((r) => [r, placeOf(label, time[r])]).filter(([, place]) => place >= 0 && place <= 1);
  if (inside.length <= count) return inside;
  return Array.from({ length: count }, (_, n) => inside[Math.round((n * (inside.length - 1)) / (count - 1))]);
}

/** Centres as near as can be to `wanted` (in order), at least `apart` from each other, in [0, width]. */
export function spread(wanted, apart, width) {
  const blocks = [];
  wanted.forEach((x, n) => {
    blocks.push({ sum: x - n * apart, count: 1 });
    while (blocks.length > 1) {
      const [a, b] = blocks.slice(-2);
      if (a.sum / a.count < b.sum / b.count) break;
      blocks.splice(-2, 2, { sum: a.sum + b.sum, count: a.count + b.count });
    }
  });
  const free = blocks.flatMap(({ sum, count }) => new Array(count).fill(sum / count));
  const most = width - apart / 2 - (wanted.length - 1) * apart;
  return free.map((x, n) => Math.max(apart / 2, Math.min(most, x)) + n * apart);
}

/** The moments of one encounter, each as near below its time as there is room, with a line to it. */
export function momentsFilm(library, posterior, moments, width, { turn, choose, text }) {
  const side = Math.min(LARGEST, width / Math.max(1, moments.length));
  const centres = spread(moments.map(([, place]) => place * width), side, width);
  const density = moments.map(([, place]) => posterior.density(Math.min(posterior.bins - 1, Math.floor(place * posterior.bins))));
  const peak = Math.max(...density, 0);
  const lines = moments.map(([, place], n) => svg("path", { class: density[n] === peak ? "lead most" : "lead", d: `M${place * width},0 L${centres[n]},12` }));
  const film = el("div", { class: "film free", role: "group", "aria-label": text, style: { height: `${side + 8}px` } }, moments.map(([row], n) =>
    el("span", { class: "moment", style: { left: `${(100 * (centres[n] - side / 2)) / width}%`, width: `${(100 * side) / width}%` } },
      frameButton(library, row, kindOf(density[n], peak), turn, choose))));
  return [svg("svg", { class: "leads", viewBox: `0 0 ${width} 12`, width, height: 12, "aria-hidden": "true" }, lines), film];
}

const kindOf = (share, peak) => (share === peak ? "most" : share > 0.3 * peak ? "likely" : null);

function frameButton(library, row, kind, turn, choose) {
  const text = frameText(library.get(row));
  return el("button", { type: "button", class: kind, title: text, "aria-label": `${text}: compare`, "data-row": row, click: () => choose(row) },
    thumbnail(library.folder, library.index, row, "", turnedBack(turn)));
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
    return el("span", { class: "slot" }, frameButton(library, row, kindOf(share[n], peak), turnOf(row), choose));
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
