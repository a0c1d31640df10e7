// From the sphere to the screen: the projection of the sky, calibrated against Aladin Lite.
//
// In the frame of the camera x points to the centre of the view, y to the left (east) and z up.
// Scale and roll are found from the pixels of three points beside the centre.

import { dot, eastNorth, toVector, unit } from "./sphere.js";

/**
 * plane: place (radians at the centre) of a vector in the frame of the camera; null if unseen.
 * sphere: the vector at a place, the reverse; null beside the sphere.
 * halfWidth, halfHeight: of the part that is worth showing; bounded: whether the sphere ends there.
 */
export const PROJECTIONS = {
  SIN: {
    number: 0, halfWidth: 1, halfHeight: 1, bounded: true,
    plane: (x, y, z) => (x < 0 ? null : [y, z]),
    sphere: (u, v) => (u * u + v * v > 1 ? null : [Math.sqrt(1 - u * u - v * v), u, v]),
  },
  TAN: {
    number: 1, halfWidth: 1.2, halfHeight: 1.2,
    plane: (x, y, z) => (x < 0.05 ? null : [y / x, z / x]),
    sphere: (u, v) => {
      const x = 1 / Math.sqrt(1 + u * u + v * v);
      return [x, u * x, v * x];
    },
  },
  ZEA: {
    number: 2, halfWidth: 2, halfHeight: 2, bounded: true,
    plane: (x, y, z) => {
      const k = Math.sqrt(2 / Math.max(1 + x, 1e-9));
      return [y * k, z * k];
    },
    sphere: (u, v) => {
      const half = (u * u + v * v) / 4;
      const k = Math.sqrt(1 - half);
      return half > 1 ? null : [1 - 2 * half, u * k, v * k];
    },
  },
  AIT: {
    number: 3, halfWidth: 2 * Math.SQRT2, halfHeight: Math.SQRT2, bounded: true,
    plane: (x, y, z) => {
      const half = Math.atan2(y, x) / 2;
      const c = Math.hypot(x, y);
      const k = Math.SQRT2 / Math.sqrt(Math.max(1 + c * Math.cos(half), 1e-9));
      return [2 * k * c * Math.sin(half), k * z];
    },
    sphere: (u, v) => {
      const square = 1 - (u / 4) ** 2 - (v / 2) ** 2;
      if (square < 0.5) return null;
      const s = Math.sqrt(square);
      const turn = 2 * Math.atan2((s * u) / 2, 2 * square - 1);
      const c = Math.sqrt(1 - (s * v) ** 2);
      return [c * Math.cos(turn), c * Math.sin(turn), s * v];
    },
  },
};

/** Degrees along the shorter side of a map that holds the whole sphere, or half of it on the globe. */
export function wholeFov(projection, width, height) {
  const { halfWidth, halfHeight } = PROJECTIONS[projection];
  // Beside the panels, where they stand at the side; with room for the glow above and below.
  const free = width > 760 ? width - 2 * Math.min(300, width / 4) : width / 1.12;
  const scale = Math.min(free / 1.04 / halfWidth, height / 1.2 / halfHeight) / 2;
  return ((Math.min(width, height) / scale) * 180) / Math.PI;
}

export class Camera {
  /**
   * @param {object} view lon, lat (degrees), projection, width, height, toPixel(lon, lat)
   */
  constructor({ lon, lat, projection, width, height, toPixel }) {
    this.projection = projection;
    this.width = width;
    this.height = height;
    const forward = toVector(lon, lat);
    const { east, north } = eastNorth(lon, lat);
    const step = 1e-3;
    const pixel = (v) => {
      const b = Math.asin(Math.max(-1, Math.min(1, v[2])));
      return toPixel((Math.atan2(v[1], v[0]) * 180) / Math.PI, (b * 180) / Math.PI);
    };
    const beside = (direction, sign) => pixel(unit(forward.map((f, i) => f + sign * step * direction[i])));
    const origin = pixel(forward);
    const up = beside(north, 1);
    const down = beside(north, -1);
    const left = beside(east, 1);
    if (![origin, up, down, left].every((p) => p && Number.isFinite(p[0]))) throw new Error("no view");
    const rise = [up[0] - down[0], up[1] - down[1]];
    this.scale = Math.hypot(...rise) / (2 * Math.tan(Math.atan(step)));
    // How far north is turned on the screen, from up towards the right.
    const roll = Math.atan2(rise[0], -rise[1]);
    this.mirrored = (left[0] - origin[0]) * rise[1] - (left[1] - origin[1]) * rise[0] < 0 ? -1 : 1;
    const [s, c] = [Math.sin(roll), Math.cos(roll)];
    this.forward = forward;
    this.left = east.map((e, i) => c * e - s * this.mirrored * north[i]);
    this.up = north.map((n, i) => c * n + s * this.mirrored * east[i]);
    this.origin = origin;
    this.plane = PROJECTIONS[projection].plane;
  }

  /** Pixel of a unit vector; null if it is behind the horizon. */
  pixel(v) {
    const p = this.plane(dot(v, this.forward), dot(v, this.left), dot(v, this.up));
    if (!p) return null;
    return [this.origin[0] - this.mirrored * this.scale * p[0], this.origin[1] - this.scale * p[1]];
  }

  /** Degrees that a pixel covers at the centre. */
  get degreesPerPixel() {
    return 180 / Math.PI / this.scale;
  }

  /** Radius in degrees of a cap around the centre that holds all that is seen. */
  get radius() {
    const corner = Math.hypot(this.width, this.height) / 2 / this.scale;
    const deg = 180 / Math.PI;
    if (this.projection === "SIN") return corner >= 1 ? 90 : Math.asin(corner) * deg;
    if (this.projection === "TAN") return Math.atan(corner) * deg;
    if (this.projection === "ZEA") return corner >= 2 ? 180 : 2 * Math.asin(corner / 2) * deg;
    return Math.min(180, corner * deg * 1.3);
  }

  sameAs(other) {
    return (
      other && this.projection === other.projection && this.width === other.width && this.height === other.height &&
      Math.abs(this.scale / other.scale - 1) < 1e-9 &&
      Math.abs(this.origin[0] - other.origin[0]) + Math.abs(this.origin[1] - other.origin[1]) < 1e-3 &&
      Math.abs(this.forward[0] - other.forward[0]) + Math.abs(this.forward[1] - other.forward[1]) + Math.abs(this.forward[2] - other.forward[2]) < 1e-12 &&
      Math.abs(this.up[0] - other.up[0]) + Math.abs(this.up[1] - other.up[1]) + Math.abs(this.up[2] - other.up[2]) < 1e-10
    );
  }
}
