// What lies outside of the sphere: night, and a faint glow along its edge.

import { PROJECTIONS } from "./camera.js";

const NIGHT = "#070a12";

/** Keep `node` as a ring around the sphere; its style changes only when the scale does. */
export function surround(node, sky) {
  let last = "";
  const follow = () => {
    const { camera } = sky;
    if (!camera) return;
    const { halfWidth, halfHeight, bounded } = PROJECTIONS[camera.projection];
    const [a, b] = [halfWidth * camera.scale, halfHeight * camera.scale];
    const seen = bounded && Math.min(a, b) < Math.hypot(camera.width, camera.height) / 2;
    const [x, y] = camera.origin;
    const ellipse = [1.1 * a, 1.1 * b, x, y].map((v) => `${v.toFixed(2)}px`);
    const style = seen
      ? `radial-gradient(${ellipse[0]} ${ellipse[1]} at ${ellipse[2]} ${ellipse[3]}, transparent 90.8%, #2c3c62 91%, #141d33 92.4%, ${NIGHT} 100%)`
      : "none";
    if (style === last) return;
    last = style;
    node.style.backgroundImage = style;
  };
  sky.addEventListener("view", follow);
  follow();
}
