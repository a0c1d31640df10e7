// Vectors on the unit sphere, and regions of it.

const RAD = Math.PI / 180;

export function toVector(lon, lat) {
  const c = Math.cos(lat * RAD);
  return [c * Math.cos(lon * RAD), c * Math.sin(lon * RAD), Math.sin(lat * RAD)];
}

export function toLonLat([x, y, z]) {
  return [(Math.atan2(y, x) / RAD + 360) % 360, Math.atan2(z, Math.hypot(x, y)) / RAD];
}

export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** Angle between two unit vectors in degrees. */
export function separation(a, b) {
  const cross = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  return Math.atan2(Math.hypot(...cross), dot(a, b)) / RAD;
}

export function unit(v) {
  const length = Math.hypot(...v) || 1;
  return v.map((x) => x / length);
}

/** Vectors towards east and north at a point of the sphere. */
export function eastNorth(lon, lat) {
  const [sl, cl, sb, cb] = [Math.sin(lon * RAD), Math.cos(lon * RAD), Math.sin(lat * RAD), Math.cos(lat * RAD)];
  return { east: [-sl, cl, 0], north: [-sb * cl, -sb * sl, cb] };
}

/** The point at an angle (degrees) from `centre` towards a position angle (degrees, east of north). */
export function offset(centre, angle, towards) {
  const { east, north } = eastNorth(...toLonLat(centre));
  const [s, c] = [Math.sin(angle * RAD), Math.cos(angle * RAD)];
  const [se, ce] = [Math.sin(towards * RAD), Math.cos(towards * RAD)];
  return unit(centre.map((x, i) => c * x + s * (ce * north[i] + se * east[i])));
}

/** A circle on the sphere: centre (unit vector) and radius in degrees. */
export function circle(centre, radius) {
  const limit = Math.cos(radius * RAD);
  return {
    kind: "circle", centre, radius,
    contains: (x, y, z) => x * centre[0] + y * centre[1] + z * centre[2] >= limit,
    outline: Array.from({ length: 97 }, (_, i) => offset(centre, radius, (i * 360) / 96)),
  };
}

/**
 * A polygon with great circles as edges, on less than a hemisphere. Points are compared on the
 * gnomonic plane of its centre, where great circles are straight lines.
 */
export function polygon(corners) {
  const centre = unit([0, 1, 2].map((i) => corners.reduce((sum, c) => sum + c[i], 0)));
  const { east, north } = eastNorth(...toLonLat(centre));
  const radius = Math.max(...corners.map((c) => separation(centre, c)));
  if (!(radius < 85)) throw new Error("This region is too large: zoom in, or use the circle.");
  const plane = (v) => {
    const depth = dot(v, centre);
    return [dot(v, east) / depth, dot(v, north) / depth];
  };
  const flat = corners.map(plane);
  const least = Math.cos(radius * RAD) - 1e-9;
  const contains = (x, y, z) => {
    if (x * centre[0] + y * centre[1] + z * centre[2] < least) return false;
    const [px, py] = plane([x, y, z]);
    let inside = false;
    for (let i = 0, j = flat.length - 1; i < flat.length; j = i++) {
      const [ax, ay] = flat[i];
      const [bx, by] = flat[j];
      if (ay > py !== by > py && px < ((bx - ax) * (py - ay)) / (by - ay) + ax) inside = !inside;
    }
    return inside;
  };
  const outline = [];
  corners.forEach((a, i) => {
    const b = corners[(i + 1) % corners.length];
    const steps = Math.max(1, Math.ceil(separation(a, b) / 3));
    for (let k = 0; k < steps; k++) outline.push(unit(a.map((x, n) => x + ((b[n] - x) * k) / steps)));
  });
  outline.push(corners[0]);
  return { kind: "polygon", corners, centre, radius, contains, outline };
}

const round = (x) => Number(x.toFixed(4));

/** A region as a short text for the address, and back. */
export function regionText(region) {
  if (region.kind === "circle") return ["c", ...toLonLat(region.centre), region.radius].map((x) => (x === "c" ? x : round(x))).join("_");
  return ["p", ...region.corners.flatMap((c) => toLonLat(c).map(round))].join("_");
}

export function regionOf(text) {
  const [kind, ...rest] = (text ?? "").split("_");
  const numbers = rest.map(Number);
  if (!numbers.every(Number.isFinite)) return null;
  try {
    if (kind === "c" && numbers.length === 3) return circle(toVector(numbers[0], numbers[1]), numbers[2]);
    if (kind === "p" && numbers.length >= 6 && numbers.length % 2 === 0) {
      return polygon(Array.from({ length: numbers.length / 2 }, (_, i) => toVector(numbers[2 * i], numbers[2 * i + 1])));
    }
  } catch {
    // A region that cannot be: as if there were none.
  }
  return null;
}
