// Pictures: thumbnails from sheets, and arrays of the network on canvases.

import { el } from "./dom.js";

/** A thumbnail: place `n` of the sheets of a library or gallery. */
export function thumbnail(folder, { sheet_side: side }, n, text, turn = "none") {
  const sheet = String(Math.floor(n / side ** 2)).padStart(5, "0");
  const place = n % side ** 2;
  const at = (k) => (side > 1 ? `${(100 * k) / (side - 1)}%` : "0");
  return el("span", {
    class: "picture",
    role: text ? "img" : null,
    "aria-label": text || null,
    "aria-hidden": text ? null : "true",
    style: {
      backgroundImage: `url("${new URL(`sheets/${sheet}.jpg`, folder)}")`,
      backgroundSize: `${100 * side}%`,
      backgroundPosition: `${at(place % side)} ${at(Math.floor(place / side))}`,
      transform: turn,
    },
  });
}

/** A canvas with an image in [0, 1]: grey, or its first three channels. */
export function drawn({ channels, height, width, data }, text) {
  const canvas = el("canvas", { class: "picture", role: "img", "aria-label": text });
  canvas.width = width;
  canvas.height = height;
  const pixels = new ImageData(width, height);
  const plane = height * width;
  const from = channels === 1 ? [0, 0, 0] : channels === 2 ? [0, null, 1] : [0, 1, 2];
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) {
      const v = from[c] === null ? (data[i] + data[plane + i]) / 2 : data[from[c] * plane + i];
      pixels.data[4 * i + c] = 255 * v + 0.5;
    }
    pixels.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}
