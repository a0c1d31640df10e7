// The reliability diagram: how often predictions of a confidence are right.

import { el } from "./dom.js";
import { grouped } from "./format.js";
import { svg } from "./svg.js";

const SIZE = 260;
const LEFT = 42;
const BELOW = 38;
/** A share of fewer galaxies than this says little: it is faint, and no line leads to it. */
const FEW = 5;

export function reliabilityChart({ n, bins }, classes) {
  const title = el("h3", {}, "Reliability");
  if (!n) return el("section", { class: "panel" }, title, el("p", { class: "soft" }, "Not measured: no galaxy of the test set has a label."));
  const low = Math.min(1 / classes, ...bins.map((b) => b.confidence));
  const x = (c) => LEFT + (SIZE * (c - low)) / (1 - low || 1);
  const y = (share) => SIZE * (1 - share) + 6;
  const ticks = [low, (1 + low) / 2, 1];
  const most = Math.max(...bins.map((b) => b.n));
  const chart = svg("svg", { viewBox: `0 0 ${LEFT + SIZE + 10} ${SIZE + BELOW + 6}`, class: "reliability", role: "img", "aria-label": `Of ${n} test galaxies: ${bins.map((b) => `at confidence ${b.confidence.toFixed(2)}, ${Math.round(100 * b.right)} % right`).join("; ")}` },
    [0, 0.25, 0.5, 0.75, 1].map((v) => [
      svg("line", { x1: LEFT, x2: LEFT + SIZE, y1: y(v), y2: y(v), class: "grid" }),
      svg("text", { x: LEFT - 7, y: y(v) + 4, "text-anchor": "end" }, `${100 * v} %`),
    ]),
    ticks.map((v, k) => svg("text", { x: x(v), y: SIZE + 24, "text-anchor": k === 2 ? "end" : k ? "middle" : "start" }, `${Math.round(100 * v)} %`)),
    svg("text", { x: LEFT + SIZE / 2, y: SIZE + 40, "text-anchor": "middle" }, "confidence"),
    svg("line", { x1: x(low), y1: y(low), x2: x(1), y2: y(1), class: "ideal" }),
    svg("polyline", { points: bins.filter((b) => b.n >= FEW).map((b) => `${x(b.confidence)},${y(b.right)}`).join(" "), class: "course" }),
    bins.map((b) => svg("g", { class: b.n < FEW ? "few" : null },
      svg("line", { x1: x(b.confidence), x2: x(b.confidence), y1: y(b.low), y2: y(b.high), class: "error" }),
      svg("circle", { cx: x(b.confidence), cy: y(b.right), r: 3 + 3 * Math.sqrt(b.n / most) }),
      svg("title", {}, `${b.n} galaxies: mean confidence ${(100 * b.confidence).toFixed(1)} %, right ${(100 * b.right).toFixed(1)} %`),
    )),
  );
  return el("section", { class: "panel" }, title, chart, el("p", { class: "soft note" }, `Share of right predictions among ${grouped(n)} galaxies that have a label and no part in any choice, with 95 % intervals; the dashed line is perfect.${bins.some((b) => b.n < FEW) ? ` Faint: fewer than ${FEW} galaxies.` : ""}`));
}
