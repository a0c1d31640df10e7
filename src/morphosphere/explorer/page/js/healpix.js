// HEALPix, nested: the cell that holds a place on the sphere (Górski et al. 2005, ApJ 622, 759).

import { toVector } from "./sphere.js";

const TWO_THIRDS = 2 / 3;

/** Base cell, x and y of the cell that holds a unit vector; `side` cells lie along a base cell. */
export function faceAt(side, vx, vy, z) {
  const turns = (Math.atan2(vy, vx) * (2 / Math.PI) + 4) % 4; // longitude in quarters of a turn
  let face;
  let x;
  let y;
  if (Math.abs(z) <= TWO_THIRDS) {
    const up = side * (0.5 + turns);
    const across = side * z * 0.75;
    const ascending = Math.floor(up - across);
    const descending = Math.floor(up + across);
    const a = Math.floor(ascending / side);
    const d = Math.floor(descending / side);
    face = a === d ? (a % 4) + 4 : a < d ? a % 4 : (d % 4) + 8;
    x = descending & (side - 1);
    y = side - (ascending & (side - 1)) - 1;
  } else {
    const quarter = Math.min(Math.floor(turns), 3);
    const within = turns - quarter;
    // 1 - |z| without loss of digits near the poles.
    const reach = side * Math.sqrt((3 * (vx * vx + vy * vy)) / (1 + Math.abs(z)));
    const first = Math.min(Math.floor(within * reach), side - 1);
    const second = Math.min(Math.floor((1 - within) * reach), side - 1);
    if (z >= 0) [face, x, y] = [quarter, side - second - 1, side - first - 1];
    else [face, x, y] = [quarter + 8, first, second];
  }
  return [face, x, y];
}

/** Cell of order `order` (at most 15, so that bits are safe) at longitude and latitude in degrees. */
export function cellAt(order, lon, lat) {
  const side = 2 ** order;
  const [face, x, y] = faceAt(side, ...toVector(lon, lat));
  let cell = 0;
  for (let bit = 0; bit < order; bit++) {
    cell += ((x >> bit) & 1) * 4 ** bit + ((y >> bit) & 1) * 2 * 4 ** bit;
  }
  return face * side * side + cell;
}
