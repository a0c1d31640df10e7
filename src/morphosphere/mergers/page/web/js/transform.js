// The transform between images and the network: the same as artefacts/transform.py, step by step.

const LARGEST = 1e30;
const SMALLEST = 1e-30;

/** An image: values of `channels` planes one after the other, row 0 at the top. */
export function image(channels, height, width, data = new Float32Array(channels * height * width)) {
  return { channels, height, width, data };
}

/** What the network sees of an image: in [0, 1], as wide and high as `transform.size`. */
export function transformed(transform, given) {
  if (given.channels !== transform.channels.length) {
    throw new Error(
      `The image has ${given.channels} channel${given.channels === 1 ? "" : "s"}, the network was trained on ${transform.channels.length} (${transform.channels.join(", ")}).`,
    );
  }
  const x = resampled(centralCrop(finite(given), transform.crop), transform.size);
  const mean = channelMean(x);
  const scale = transform.scale === "fixed" ? Math.fround(transform.value) : brightness(mean, transform.percentile);
  for (let i = 0; i < x.data.length; i++) x.data[i] /= scale;
  return stretched(x, transform);
}

function finite(given) {
  const data = Float32Array.from(given.data, (v) =>
    Number.isFinite(Math.fround(v)) ? Math.max(-LARGEST, Math.min(LARGEST, v)) : 0,
  );
  return { ...given, data };
}

/** The central square that spans a fraction of the smaller side. */
export function centralCrop({ channels, height, width, data }, fraction) {
  const side = Math.max(1, roundHalfEven(Math.min(height, width) * fraction));
  const top = Math.floor((height - side) / 2);
  const left = Math.floor((width - side) / 2);
  const out = image(channels, side, side);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < side; y++) {
      const from = (c * height + top + y) * width + left;
      out.data.set(data.subarray(from, from + side), (c * side + y) * side);
    }
  }
  return out;
}

function roundHalfEven(x) {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/** A square image at another size; shrinking averages over area, enlarging interpolates linearly. */
export function resampled(given, size) {
  const old = given.width;
  if (old === size) return given;
  const rows = weights(old, size);
  const across = image(given.channels, old, size);
  for (let line = 0; line < given.channels * old; line++) {
    for (let x = 0; x < size; x++) {
      across.data[line * size + x] = weighted(rows[x], (i) => given.data[line * old + i]);
    }
  }
  const out = image(given.channels, size, size);
  for (let c = 0; c < given.channels; c++) {
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        out.data[(c * size + y) * size + x] = weighted(rows[y], (i) => across.data[(c * old + i) * size + x]);
      }
    }
  }
  return out;
}

function weighted({ first, values }, at) {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k] * at(first + k);
  return sum;
}

/** For each new pixel the old ones that it is made of: a triangle as wide as a pixel of either. */
function weights(old, size) {
  const ratio = old / size;
  const width = Math.max(ratio, 1);
  return Array.from({ length: size }, (_, n) => {
    const centre = (n + 0.5) * ratio - 0.5;
    const first = Math.max(0, Math.ceil(centre - width));
    const last = Math.min(old - 1, Math.floor(centre + width));
    const values = [];
    for (let i = first; i <= last; i++) values.push(1 - Math.abs(i - centre) / width);
    const total = values.reduce((a, b) => a + b, 0);
    return { first, values: values.map((v) => Math.fround(v / total)) };
  });
}

function channelMean({ channels, height, width, data }) {
  const count = height * width;
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += data[c * count + i];
    out[i] = sum / channels;
  }
  return out;
}

/** What becomes 1: a percentile, or the maximum where that is zero; 1 for a dark image. */
function brightness(mean, percent) {
  const sorted = Float32Array.from(mean).sort();
  const place = (percent / 100) * (sorted.length - 1);
  const low = Math.floor(place);
  const above = sorted[Math.min(low + 1, sorted.length - 1)];
  let top = sorted[low] + (above - sorted[low]) * (place - low);
  if (!(top > SMALLEST)) top = sorted[sorted.length - 1];
  return top > SMALLEST ? Math.fround(top) : 1;
}

const BENDS = {
  sqrt: () => Math.sqrt,
  asinh: (soft) => (v) => Math.asinh(v / soft) / Math.asinh(1 / soft),
  log: (soft) => (v) => Math.log1p(v / soft) / Math.log1p(1 / soft),
};

function stretched(x, { stretch, softening }) {
  const { channels, data } = x;
  if (stretch !== "linear") {
    const bend = BENDS[stretch](softening);
    for (let i = 0; i < data.length; i++) data[i] = Math.max(data[i], 0);
    const mean = channelMean(x);
    const count = data.length / channels;
    for (let i = 0; i < count; i++) {
      const ratio = mean[i] > 0 ? bend(mean[i]) / mean[i] : 0;
      for (let c = 0; c < channels; c++) data[c * count + i] *= ratio;
    }
  }
  for (let i = 0; i < data.length; i++) data[i] = Math.max(0, Math.min(1, data[i]));
  return x;
}
