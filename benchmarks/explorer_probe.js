// Runs in the page before its own scripts: when the first picture stands in a canvas of the map, when
// in that of Aladin Lite, how long the main thread was held, and how long an action takes.
//
// A canvas has a picture when a tenth of the pixels in its middle are neither transparent nor of the
// colour of the night. It is read in the frame in which it was drawn, after the drawing; reading waits
// for the graphics, so it begins when tiles have come.
(() => {
  const probe = (window.probe = { picture: null, sky: null, tasks: [] });
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) probe.tasks.push([task.startTime, task.duration]);
  }).observe({ type: "longtask", buffered: true });
  performance.setResourceTimingBufferSize(10_000);
  let tiles = false;
  new PerformanceObserver((list) => {
    if (list.getEntries().some((entry) => /\/(Npix\d+|Allsky)\./.test(entry.name))) tiles = true;
  }).observe({ type: "resource", buffered: true });
  const SIDE = 24;
  let small = null;
  const seen = (canvas) => {
    if (!canvas?.width) return false;
    small ??= Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE }).getContext("2d", { willReadFrequently: true });
    small.clearRect(0, 0, SIDE, SIDE);
    const side = Math.min(canvas.width, canvas.height) / 2;
    small.drawImage(canvas, (canvas.width - side) / 2, (canvas.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
    const { data } = small.getImageData(0, 0, SIDE, SIDE);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200 && Math.max(data[i], data[i + 1], data[i + 2]) > 60) count++;
    return count > 0.1 * SIDE * SIDE;
  };
  const look = () => {
    const poster = document.getElementById("poster");
    if (tiles && probe.picture === null && poster && seen(poster)) probe.picture = performance.now();
    const sky = document.querySelector("#sky canvas");
    if (tiles && sky && seen(sky)) {
      probe.sky = performance.now();
      probe.picture ??= probe.sky;
      return;
    }
    setTimeout(() => requestAnimationFrame(look), 0);
  };
  requestAnimationFrame(look);

  const byId = (id) => document.getElementById(id);
  const title = () => byId("card-title")?.textContent ?? null;
  const actions = {
    search: ({ id }) => {
      byId("search").value = id;
      byId("search").dispatchEvent(new Event("input", { bubbles: true }));
    },
    pick: () => document.querySelector("#suggestions li").dispatchEvent(new PointerEvent("pointerdown", { bubbles: true, cancelable: true })),
    colour: ({ name }) => {
      byId("colour").value = name;
      byId("colour").dispatchEvent(new Event("change", { bubbles: true }));
    },
    similar: () => document.querySelector("#card .similar button").click(),
    clicked: () => {},
  };
  const results = {
    found: ({ id }) => [...document.querySelectorAll("#suggestions li span")].some((node) => node.textContent === id),
    card: ({ id, before }) => {
      if (!title() || (id && title() !== id) || title() === before) return false;
      const loaded = new Set(performance.getEntriesByType("resource").map((entry) => entry.name));
      const shown = [...document.querySelectorAll("#card .pair .picture")].map((node) => node.style.backgroundImage.slice(5, -2));
      return shown.length === 2 && shown.every((url) => loaded.has(url));
    },
    coloured: ({ name }) => {
      const { scale, coloured } = morphosphere.points;
      return scale?.column.name === name && coloured === name && document.querySelector("#legend strong");
    },
  };
  window.addEventListener("pointerup", () => (probe.pressed = performance.now()), true);

  /** Seconds from an action to a result in a drawn frame, and the longest block meanwhile. */
  probe.ask = async ([action, result, words]) => {
    const start = action === "clicked" ? probe.pressed : performance.now();
    actions[action](words);
    while (!results[result](words)) {
      await new Promise((next) => requestAnimationFrame(next));
      if (performance.now() - start > 30_000) throw new Error(`${result} has not come: ${JSON.stringify(words)}`);
    }
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
    const end = performance.now();
    await new Promise((next) => setTimeout(next, 50)); // blocks are told a moment later
    const blocks = probe.tasks.filter(([at, took]) => at + took > start && at < end).map(([, took]) => took);
    return [(end - start) / 1000, Math.max(0, ...blocks) / 1000, title()];
  };
})();
