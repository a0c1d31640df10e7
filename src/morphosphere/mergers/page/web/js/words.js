// Results in words.

import { label as spaced, number } from "./format.js";

const TITLES = {
  time_since_pericentre: "Time since the first pericentre",
  mass_ratio: "Mass ratio",
  size_ratio: "Ratio of the discs' sizes",
  inclination: "Inclination of the orbit",
  separation: "Separation of the nuclei",
};
const HINTS = {
  separation: "in space, not only on the image",
  inclination: "0° is face-on: the plane of the orbit is the plane of the sky",
  size_ratio: "scale length of the less massive galaxy's disc over the other's",
  mass_ratio: "the less massive galaxy to the other, with their haloes",
};
export const PHASES = {
  approach: "approach",
  passage: "after the first passage",
  final: "final approach",
  remnant: "remnant",
  none: "single galaxy",
};

export const titleOf = (name) => TITLES[name] ?? spaced(name)[0].toUpperCase() + spaced(name).slice(1);
export const hintOf = (name) => HINTS[name] ?? "";

const UNITS = { deg: "°" };

/** A value as short as its posterior's width `step` allows. */
export function valueText(label, value, step = 0) {
  if (value === null || value === undefined || Number.isNaN(value)) return "not known";
  if (label.name === "mass_ratio") return ratioText(value);
  const unit = UNITS[label.unit] ?? (label.unit ? ` ${label.unit}` : "");
  return `${rounded(value, step)}${unit}`;
}

function rounded(value, step) {
  if (!(step > 0)) return number(value, 3);
  const power = Math.min(1, Math.floor(Math.log10(step / 3)));
  const unit = 10 ** power;
  return String(Number((Math.round(value / unit) * unit).toFixed(Math.max(0, -power)))).replace("-", "−");
}

/** 0.25 as "1:4". */
export function ratioText(value) {
  const other = 1 / value;
  return `1:${other >= 9.95 ? Math.round(other) : Number(other.toFixed(1))}`;
}

/** A time as a reader says it: 120 Myr before, 340 Myr after. */
export function momentText(label, value, step) {
  const size = valueText(label, Math.abs(value), step);
  return value < 0 ? `${size} before the first pericentre` : `${size} after the first pericentre`;
}

/** Half the width of the 68 % interval: digits beyond it say nothing. */
export const stepOf = (quantiles) => (quantiles.high68 - quantiles.low68) / 2;

/** Median and intervals. */
export function intervalText({ label, quantiles: q }) {
  const step = stepOf(q);
  const say = (x) => valueText(label, x, step);
  return `68 % between ${say(q.low68)} and ${say(q.high68)}, 95 % between ${say(q.low95)} and ${say(q.high95)}`;
}

/** The most likely value, as a phrase. */
export function medianText({ label, quantiles: q }) {
  const step = stepOf(q);
  return label.name === "time_since_pericentre" ? momentText(label, q.median, step) : valueText(label, q.median, step);
}

/** What else the posterior says, or nothing. */
export function furtherText(posterior) {
  const { name } = posterior.label;
  const share = (p) => (p > 0.995 ? "more than 99 %" : p < 0.005 ? "less than 1 %" : `${Math.round(100 * p)} %`);
  if (name === "time_since_pericentre" && posterior.label.low < 0) return `Probability that the first pericentre is still to come: ${share(posterior.below(0))}.`;
  if (name === "mass_ratio") return `Probability of a major merger (1:4 or closer): ${share(1 - posterior.below(0.25))}.`;
  return hintOf(name) ? `${hintOf(name)[0].toUpperCase()}${hintOf(name).slice(1)}.` : "";
}

/** Why an image is unlike those that the network knows; empty if it is not. */
export function strangeness({ error, encounter }, limits) {
  const reasons = [];
  if (limits.reconstruction_error !== null && error > limits.reconstruction_error) {
    reasons.push(
      `The network cannot draw this image again: the pictures differ by ${number(error, 2)} on average; ${number(limits.reconstruction_error, 2)} is the most for images like those of its training.`,
    );
  }
  if (limits.encounter_probability !== null && encounter < limits.encounter_probability) {
    reasons.push(
      `It looks like a single galaxy, or none: the probability of an encounter is ${number(encounter, 2)}, the least accepted is ${number(limits.encounter_probability, 2)}.`,
    );
  }
  return reasons;
}
