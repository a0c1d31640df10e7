// Posteriors of labels on bins: probabilities, quantiles, and their calibration (as posterior.py).

export const QUANTILES = { median: 0.5, low68: 0.16, high68: 0.84, low95: 0.025, high95: 0.975 };

/** Linear interpolation as numpy.interp: `xs` do not decrease, ends are held. */
export function interpolated(x, xs, ys) {
  const last = xs.length - 1;
  if (x < xs[0]) return ys[0];
  if (x >= xs[last]) return ys[last];
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle;
    else high = middle;
  }
  return ys[low] + ((ys[high] - ys[low]) * (x - xs[low])) / (xs[high] - xs[low]);
}

/** Mean over views of the softmax of logits divided by the temperature; one array a view. */
export function probabilities(views, temperature) {
  const total = new Float64Array(views[0].length);
  for (const view of views) {
    const top = view.reduce((a, b) => Math.max(a, b), -Infinity);
    const e = Float64Array.from(view, (v) => Math.exp((v - top) / temperature));
    const sum = e.reduce((a, b) => a + b, 0);
    for (let i = 0; i < e.length; i++) total[i] += e[i] / sum / views.length;
  }
  return total;
}

export class Posterior {
  /** Of a label of config.json and the probabilities of its bins. */
  constructor(label, probability) {
    this.label = label;
    this.probability = probability;
    this.bins = probability.length;
    this.edges = Float64Array.from({ length: this.bins + 1 }, (_, i) => i / this.bins);
    const raw = new Float64Array(this.bins + 1);
    for (let i = 0; i < this.bins; i++) raw[i + 1] = raw[i] + probability[i];
    this.raw = raw.map((v) => v / raw[this.bins]);
    const [said, true_] = label.recalibration;
    this.cumulative = this.raw.map((v) => interpolated(v, said, true_));
    this.quantiles = {};
    for (const [name, p] of Object.entries(QUANTILES)) this.quantiles[name] = this.quantile(p);
  }

  quantile(p) {
    const [said, true_] = this.label.recalibration;
    return this.value(interpolated(interpolated(p, true_, said), this.raw, this.edges));
  }

  /** Probability that the value is below `x`. */
  below(x) {
    return interpolated(interpolated(this.scaled(x), this.edges, this.raw), ...this.label.recalibration);
  }

  /** Calibrated probability of a bin, in units of a flat posterior. */
  density(i) {
    return (this.cumulative[i + 1] - this.cumulative[i]) * this.bins;
  }

  value(place) {
    return valueAt(this.label, place);
  }

  scaled(x) {
    return placeOf(this.label, x);
  }
}

const bent = (label, x) => (label.scale === "log10" ? Math.log10(x) : x);

/** Place of a value in the range of a label, 0 to 1. */
export function placeOf(label, x) {
  const low = bent(label, label.low);
  return (bent(label, x) - low) / (bent(label, label.high) - low);
}

/** The inverse of `placeOf`. */
export function valueAt(label, place) {
  const low = bent(label, label.low);
  const x = low + place * (bent(label, label.high) - low);
  return label.scale === "log10" ? 10 ** x : x;
}
