// Mouse and touch on the map: hovering shows which galaxy lies there, a click opens it.

import { toVector } from "./sphere.js";

/** Pixels between the pointer and a galaxy at most. */
const REACH = { mouse: 16, pen: 16, touch: 28 };
/** Where galaxies are not marked, their pictures are what is clicked: these are wider. */
const PICTURE_REACH = 60;

export function mapPointer(map, { sky, points, hover, open, busy }) {
  let pressed = null;
  let waiting = false;
  let last = null;

  const place = (event) => {
    const box = map.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const under = (pixel, kind) => {
    const world = sky.world(...pixel);
    if (!world || !sky.camera) return null;
    const found = points.nearest(toVector(...world));
    const there = found && sky.camera.pixel(found.vector);
    if (!there) return null;
    const reach = points.visible ? REACH[kind] ?? REACH.mouse : PICTURE_REACH;
    return Math.hypot(there[0] - pixel[0], there[1] - pixel[1]) <= reach ? found : null;
  };

  map.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" || event.buttons || busy()) return hover(null);
    last = event;
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const pixel = place(last);
      hover(under(pixel, "mouse"), pixel);
    });
  }, true);
  map.addEventListener("pointerleave", () => {
    last = null;
    hover(null);
  });
  map.addEventListener("pointerdown", (event) => {
    pressed = event.isPrimary && event.button === 0 ? { pixel: place(event), at: performance.now() } : null;
    hover(null);
  }, true);
  // Aladin captures the pointer, so the release is listened for everywhere.
  window.addEventListener("pointerup", (event) => {
    if (!pressed || busy() || !event.isPrimary) return;
    const pixel = place(event);
    const still = Math.hypot(pixel[0] - pressed.pixel[0], pixel[1] - pressed.pixel[1]) < 6;
    const quick = performance.now() - pressed.at < 700;
    pressed = null;
    if (still && quick) open(under(pixel, event.pointerType));
  }, true);
}
