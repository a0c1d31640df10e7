// The square that the network sees, cut from a larger image: sky taken off, and what is wrong with it.

import { SMALLEST_SIDE } from "./files.js";
import { image } from "./transform.js";

const BORDER = 0.05;

/** What is cut: `side` pixels around the centre (x, y), by whole pixels. */
export function corner({ x, y, side }) {
  const whole = Math.max(1, Math.round(side));
  return { left: Math.round(x - whole / 2), top: Math.round(y - whole / 2), side: whole };
}

/** Image of a box; planes less their sky, and 0 where there is no pixel or a circle {x, y, r} hides it. */
export function cut({ width, height }, planes, box, size, hidden = []) {
  const { left, top, side } = corner(box);
  if (side < SMALLEST_SIDE) {
    throw new Error(`The field that the network needs is only ${side} pixels wide here: at least ${SMALLEST_SIDE} are needed.`);
  }
  if (side > 20000) throw new Error("The field that the network needs is far wider than the image: check the scale.");
  const out = image(planes.length, side, side);
  const seen = inside({ width, height }, { left, top, side });
  if (seen.area < 0.05 * side * side) throw new Error("The square lies outside the image, or the image is far smaller: move it, or check the scale.");
  const faults = [];
  planes.forEach((plane, c) => {
    const sky = skyOf(plane, width, seen, side);
    for (let y = seen.top; y < seen.bottom; y++) {
      for (let x = seen.left; x < seen.right; x++) {
        const v = plane[y * width + x] - sky;
        out.data[(c * side + y - top) * side + x - left] = Number.isFinite(v) ? v : 0;
      }
    }
    faults.push(...faultsOf(plane, width, seen, sky));
  });
  for (const circle of hidden) hide(out, left, top, circle);
  if (seen.area < 0.75 * side * side) faults.push(`${percent(1 - seen.area / side ** 2)} of the square lies outside the image and is taken for empty sky.`);
  if (side < size / 2) faults.push(`The square is only ${side} pixels wide; the network was trained on ${size}: fine structure is missing.`);
  return { image: out, faults: [...new Set(faults)] };
}

function hide({ channels, width: side, data }, left, top, { x, y, r }) {
  for (let v = Math.max(0, Math.floor(y - r) - top); v < Math.min(side, y + r - top); v++) {
    for (let u = Math.max(0, Math.floor(x - r) - left); u < Math.min(side, x + r - left); u++) {
      if (Math.hypot(u + 0.5 + left - x, v + 0.5 + top - y) > r) continue;
      for (let c = 0; c < channels; c++) data[(c * side + v) * side + u] = 0;
    }
  }
}

function inside({ width, height }, { left, top, side }) {
  const seen = { left: Math.max(0, left), top: Math.max(0, top), right: Math.min(width, left + side), bottom: Math.min(height, top + side) };
  const area = Math.max(0, seen.right - seen.left) * Math.max(0, seen.bottom - seen.top);
  return { ...seen, area };
}

/** Median of a frame of pixels along the border. */
export function skyOf(plane, width, { left, top, right, bottom }, side) {
  const thick = Math.max(1, Math.round(BORDER * side));
  const values = [];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const border = y - top < thick || bottom - 1 - y < thick || x - left < thick || right - 1 - x < thick;
      if (border && Number.isFinite(plane[y * width + x])) values.push(plane[y * width + x]);
    }
  }
  if (!values.length) return 0;
  const sorted = Float32Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function faultsOf(plane, width, { left, top, right, bottom, area }, sky) {
  let [known, lowest, highest, above, below] = [0, Infinity, -Infinity, 0, 0];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const v = plane[y * width + x];
      if (!Number.isFinite(v)) continue;
      known++;
      lowest = Math.min(lowest, v);
      highest = Math.max(highest, v);
      if (v > sky) above += v - sky;
      else below += sky - v;
    }
  }
  if (!known) throw new Error("No pixel of the square has a value: all are NaN.");
  if (known < 0.5 * area) throw new Error(`${percent(1 - known / area)} of the pixels of the square have no value (NaN).`);
  if (lowest === highest) throw new Error(`Every pixel of the square has the same value (${highest}): there is nothing to see.`);
  if (below > 2 * above) throw new Error("The sky is brighter than what lies on it: give an image with bright galaxies on a dark sky.");
  let full = 0;
  for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) full += plane[y * width + x] === highest;
  const faults = [];
  if (full > 0.25 * area) throw new Error(`${percent(full / area)} of the square is saturated: nothing can be told from it.`);
  if (full > Math.max(8, 0.004 * area)) faults.push(`${percent(full / area)} of the square is saturated: the brightest parts are lost.`);
  if (known < 0.98 * area) faults.push(`${percent(1 - known / area)} of the pixels of the square have no value (NaN) and are taken for sky.`);
  return faults;
}

const percent = (share) => `${100 * share < 1 ? (100 * share).toFixed(1) : Math.round(100 * share)} %`;

/** Centre of the light above the sky within a box. */
export function centreOfLight({ width, height }, plane, box) {
  let { x, y } = box;
  for (let step = 0; step < 3; step++) {
    const { left, top, side } = corner({ x, y, side: box.side });
    const seen = inside({ width, height }, { left, top, side });
    const sky = skyOf(plane, width, seen, side);
    let [sum, sx, sy] = [0, 0, 0];
    for (let v = seen.top; v < seen.bottom; v++) {
      for (let u = seen.left; u < seen.right; u++) {
        const light = plane[v * width + u] - sky;
        if (!(light > 0)) continue;
        sum += light;
        sx += light * (u + 0.5);
        sy += light * (v + 0.5);
      }
    }
    if (!(sum > 0)) break;
    [x, y] = [sx / sum, sy / sum];
  }
  return { ...box, x, y };
}
