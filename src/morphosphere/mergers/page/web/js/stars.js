// What stands apart from the galaxies in the square: stars and other galaxies, as circles.

import { resampled } from "./transform.js";

const SIDE = 160;
/** An object apart is kept if it has this share of the brightest one's light, and of its area. */
const KEPT_LIGHT = 0.1;
const KEPT_AREA = 0.15;

/** Circles {x, y, r} around objects apart, in pixels of an image (square, without sky). */
export function apart(given) {
  const size = Math.min(SIDE, given.width);
  const small = resampled(given, size);
  const light = smooth(mean(small), size);
  const limit = 5 * scatter(light, size);
  const found = objects(light, size, limit);
  if (!found.length) return [];
  const centred = ({ x, y, sum }) => sum / (1 + ((x / size - 0.5) ** 2 + (y / size - 0.5) ** 2) / 0.04);
  const main = found.reduce((best, one) => (centred(one) > centred(best) ? one : best));
  const scale = given.width / size;
  return found
    .filter((one) => one !== main && !(one.sum > KEPT_LIGHT * main.sum && one.area > KEPT_AREA * main.area))
    .map(({ x, y, r }) => ({ x: x * scale, y: y * scale, r: (r + 1.5) * scale }));
}

function mean({ channels, data, width }) {
  const count = width * width;
  return Float32Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += data[c * count + i];
    return sum / channels;
  });
}

/** Mean of three by three pixels. */
function smooth(values, size) {
  return values.map((_, i) => {
    const [x, y] = [i % size, Math.floor(i / size)];
    let [sum, count] = [0, 0];
    for (let v = Math.max(0, y - 1); v <= Math.min(size - 1, y + 1); v++) {
      for (let u = Math.max(0, x - 1); u <= Math.min(size - 1, x + 1); u++, count++) sum += values[v * size + u];
    }
    return sum / count;
  });
}

/** Standard deviation of the border, from the median of absolute values. */
function scatter(values, size) {
  const thick = Math.max(2, Math.round(0.06 * size));
  const border = values.filter((_, i) => {
    const [x, y] = [i % size, Math.floor(i / size)];
    return Math.min(x, y, size - 1 - x, size - 1 - y) < thick;
  });
  const sorted = border.map(Math.abs).sort();
  return 1.4826 * sorted[sorted.length >> 1];
}

/** Connected pixels above a limit: centre, light, area and radius of each. */
function objects(light, size, limit) {
  const seen = new Uint8Array(light.length);
  const out = [];
  for (let start = 0; start < light.length; start++) {
    if (seen[start] || !(light[start] > limit)) continue;
    const pixels = [start];
    seen[start] = 1;
    for (let n = 0; n < pixels.length; n++) {
      const [x, y] = [pixels[n] % size, Math.floor(pixels[n] / size)];
      for (const [u, v] of [[x - 1, y], [x + 1, y], [x, y - 1], [x, y + 1]]) {
        const next = v * size + u;
        if (u < 0 || v < 0 || u >= size || v >= size || seen[next] || !(light[next] > limit)) continue;
        seen[next] = 1;
        pixels.push(next);
      }
    }
    if (pixels.length > 4) out.push(shape(pixels, light, size));
  }
  return out;
}

function shape(pixels, light, size) {
  let [sum, x, y] = [0, 0, 0];
  for (const i of pixels) {
    sum += light[i];
    x += light[i] * ((i % size) + 0.5);
    y += light[i] * (Math.floor(i / size) + 0.5);
  }
  [x, y] = [x / sum, y / sum];
  const r = Math.max(...pixels.map((i) => Math.hypot((i % size) + 0.5 - x, Math.floor(i / size) + 0.5 - y)));
  return { x, y, sum, area: pixels.length, r };
}
