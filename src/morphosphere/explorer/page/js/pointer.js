// Mouse and touch on the map: hovering shows which galaxy lies there, a click opens it.
//
// A marked galaxy right under the pointer comes first, then the one whose picture is there, then the
// nearest marked one within reach.

import { complainOf } from "./messages.js";
import { toVector } from "./sphere.js";

/** Pixels between the pointer and a marked galaxy: right under it, and at most. */
const UNDER = { mouse: 7, pen: 7, touch: 12 };
const REACH = { mouse: 16, pen: 16, touch: 28 };
/** Where galaxies are not marked, something larger is pointed at. */
const UNMARKED_REACH = 40;

export function mapPointer(map, { sky, points, pictured, hover, open, busy }) {
  let pressed = null;
  let turn = 0;
  let waiting = false;
  let last = null;

  const place = (event) => {
    const box = map.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  const under = async (pixel, kind) => {
    const world = sky.world(...pixel);
    if (!world || !sky.camera) return null;
    const found = points.nearest(toVector(...world));
    const there = found && sky.camera.pixel(found.vector);
    const distance = there ? Math.hypot(there[0] - pixel[0], there[1] - pixel[1]) : Infinity;
    if (points.visible && distance <= Math.max(UNDER[kind] ?? UNDER.mouse, points.size / 2)) return found;
    const row = await pictured(world);
    if (row >= 0) return { row, vector: null };
    return distance <= (points.visible ? REACH[kind] ?? REACH.mouse : UNMARKED_REACH) ? found : null;
  };

  const look = async () => {
    waiting = false;
    if (!last) return;
    const mine = ++turn;
    const pixel = place(last);
    const found = await under(pixel, "mouse").catch(() => null);
    if (mine === turn && last) hover(found, pixel);
  };
  const leave = () => {
    last = null;
    turn++;
    hover(null);
  };

  map.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" || event.buttons || busy()) return leave();
    last = event;
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(look);
  }, true);
  map.addEventListener("pointerleave", leave);
  map.addEventListener("pointerdown", (event) => {
    pressed = event.isPrimary && event.button === 0 ? { pixel: place(event), at: performance.now() } : null;
    leave();
  }, true);
  // Aladin captures the pointer, so the release is listened for everywhere.
  window.addEventListener("pointerup", async (event) => {
    if (!pressed || busy() || !event.isPrimary) return;
    const pixel = place(event);
    const still = Math.hypot(pixel[0] - pressed.pixel[0], pixel[1] - pressed.pixel[1]) < 6;
    const quick = performance.now() - pressed.at < 700;
    pressed = null;
    if (still && quick) open(await under(pixel, event.pointerType).catch(complainOf));
  }, true);
}
