// The map by keyboard.

const STEP = 0.12;

export function mapKeys(map, { sky, marks, fit, openCentre }) {
  map.addEventListener("keydown", (event) => {
    if (event.target !== map || event.ctrlKey || event.metaKey || event.altKey) return;
    const move = {
      ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
    }[event.key];
    if (move) {
      const [lon, lat] = sky.centre;
      const degrees = Math.min(sky.fov, 130) * STEP * (event.shiftKey ? 0.2 : 1);
      const stretch = Math.min(1 / Math.max(Math.cos((lat * Math.PI) / 180), 0.1), 6);
      sky.goTo(lon + move[0] * degrees * stretch, lat + move[1] * degrees);
    } else if (event.key === "+" || event.key === "=") sky.zoomBy(1.4);
    else if (event.key === "-" || event.key === "_") sky.zoomBy(1 / 1.4);
    else if (event.key === "0" || event.key === "Home") fit();
    else if (event.key === "Enter") openCentre();
    else return;
    event.preventDefault();
  });
  map.addEventListener("focus", () => marks.set({ crosshair: map.matches(":focus-visible") }));
  map.addEventListener("blur", () => marks.set({ crosshair: false }));
  map.addEventListener("pointerdown", () => marks.set({ crosshair: false }));
}
