// A posterior as a curve over its axis, with intervals, median and true value.

import { ticks } from "./format.js";
import { placeOf, valueAt } from "./posterior.js";
import { svg } from "./svg.js";
import { ratioText, valueText } from "./words.js";

const ABOVE = 22;
const BELOW = 26;
const PHASE = 16;
const DEGREES = [0, 30, 60, 90, 120, 150, 180];
const RATIOS = [1 / 50, 1 / 20, 1 / 10, 1 / 5, 1 / 3, 1 / 2, 1];

/** A drawing `width` pixels wide; `truth` may be null. `phases` are [name, low, high] on the axis. */
export function chart(posterior, { width, height, truth = null, text, phases = [] }) {
  const { label, quantiles: q } = posterior;
  const x = (value) => width * Math.max(0, Math.min(1, placeOf(label, value)));
  const peak = Math.max(...Array.from({ length: posterior.bins }, (_, i) => posterior.density(i)));
  const base = ABOVE + height;
  const bottom = base + BELOW + (phases.length ? PHASE + 4 : 0);
  const y = (density) => base - (height * density) / (peak || 1);
  const top = curve(posterior);
  const line = (points) => points.map(([u, d]) => `${(u * width).toFixed(1)},${y(d).toFixed(1)}`).join(" ");
  const area = (low, high) => `${x(low)},${base} ${line(between(top, placeOf(label, low), placeOf(label, high)))} ${x(high)},${base}`;
  const mark = (value, kind) => svg("line", { class: kind, x1: x(value), x2: x(value), y1: ABOVE - 2, y2: base });
  // Two names side by side turn away from each other.
  const side = (value, apart) => {
    if (Math.abs(gap) < 60) return apart > 0 ? "start" : "end";
    return x(value) < 24 ? "start" : x(value) > width - 24 ? "end" : "middle";
  };
  const tag = (value, apart, words, kind) => svg("text", { class: kind, x: x(value), y: ABOVE - 8, "text-anchor": side(value, apart) }, words);
  const known = truth !== null && placeOf(label, truth) >= 0 && placeOf(label, truth) <= 1;
  const gap = known ? x(truth) - x(q.median) : Infinity;
  return svg(
    "svg",
    { class: "chart", viewBox: `0 0 ${width} ${bottom}`, width, height: bottom, role: "img", "aria-label": text },
    phases.map(([name, low, high], n) => phase(name, x(low), x(high), n, bottom - PHASE - 3)),
    svg("polygon", { class: "band95", points: area(q.low95, q.high95) }),
    svg("polygon", { class: "band68", points: area(q.low68, q.high68) }),
    label.low < 0 && label.high > 0 ? svg("line", { class: "zero", x1: x(0), x2: x(0), y1: ABOVE, y2: base }) : null,
    svg("polyline", { class: "line", points: line(top) }),
    mark(q.median, "median"),
    known ? mark(truth, "true") : null,
    tag(q.median, -gap, "median", "strong"),
    known ? tag(truth, gap || 1, "true", "of-true") : null,
    axis(label, width, base, x),
  );
}

function phase(name, from, to, n, top) {
  if (to - from < 2) return null;
  return [
    svg("rect", { class: n % 2 ? "phase odd" : "phase", x: from, y: top, width: to - from - 1, height: PHASE, rx: 3 }),
    to - from > 7 * name.length ? svg("text", { x: (from + to) / 2, y: top + 12, "text-anchor": "middle" }, name) : null,
  ];
}

/** The curve's corners: place on the axis and density, held at the ends. */
function curve(posterior) {
  const points = [[0, posterior.density(0)]];
  for (let i = 0; i < posterior.bins; i++) points.push([(i + 0.5) / posterior.bins, posterior.density(i)]);
  points.push([1, posterior.density(posterior.bins - 1)]);
  return points;
}

function between(points, low, high) {
  const at = (u) => {
    const n = Math.max(1, points.findIndex(([v]) => v >= u));
    const [[u0, d0], [u1, d1]] = [points[n - 1], points[n]];
    return [u, d0 + ((d1 - d0) * (u - u0)) / (u1 - u0 || 1)];
  };
  return [at(low), ...points.filter(([u]) => u > low && u < high), at(high)];
}

function axis(label, width, base, x) {
  const inside = (v) => v >= label.low * (1 - 1e-9) && v <= label.high * (1 + 1e-9);
  const most = Math.max(4, Math.min(9, Math.floor(width / 60)));
  const ratio = label.name === "mass_ratio";
  const places = ratio ? RATIOS.filter(inside) : label.unit === "deg" ? DEGREES.filter(inside) : label.scale === "log10" ? logTicks(label).filter(inside) : ticks(label.low, label.high, false, most);
  return [
    svg("line", { class: "axis", x1: 0, x2: width, y1: base, y2: base }),
    places.map((v, n) => {
      const last = n === places.length - 1;
      const anchor = x(v) < 14 ? "start" : x(v) > width - 30 ? "end" : "middle";
      return [
        svg("line", { class: "axis", x1: x(v), x2: x(v), y1: base, y2: base + 5 }),
        svg("text", { x: x(v), y: base + 18, "text-anchor": anchor }, ratio ? ratioText(v) : valueText(last || label.unit === "deg" ? label : {}, v)),
      ];
    }),
  ];
}

function logTicks({ low, high }) {
  const out = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.log10(high); p++) for (const m of [1, 2, 5]) out.push(Number((m * 10 ** p).toPrecision(6)));
  return out;
}

/** Middle and ends of `count` equal parts of an axis. */
export function slots(label, count) {
  return Array.from({ length: count }, (_, n) => ({
    low: valueAt(label, n / count),
    middle: valueAt(label, (n + 0.5) / count),
    high: valueAt(label, (n + 1) / count),
  }));
}
