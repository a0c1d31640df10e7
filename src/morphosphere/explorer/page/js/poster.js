// The sky before Aladin Lite is there: the tiles of order 0, drawn once on a plain canvas.
//
// Aladin Lite has to be compiled, and its shaders with it, before it draws anything. Where its first
// view is one of tiles of order 0, the same picture is shown until then.

import { PROJECTIONS, wholeFov } from "./camera.js";
import { faceAt } from "./healpix.js";
import { loadJson } from "./load.js";
import { eastNorth, toVector } from "./sphere.js";
import { numberOf, readState } from "./state.js";

const SIDE = 512;
/** Pixels per degree up to which tiles of order 0 are what Aladin Lite shows. */
const FINEST = 12;
const PATIENCE = 2000;
const NIGHT = [7, 10, 18];

/** Pixels of the twelve tiles, one below the other. */
async function tilesOf(layer) {
  const extension = layer.formats.includes("png") ? "png" : "jpg";
  const pictures = await Promise.all(
    Array.from({ length: 12 }, async (_, face) => {
      const answer = await fetch(new URL(`${layer.url}/Norder0/Dir0/Npix${face}.${extension}`, document.baseURI));
      if (!answer.ok) throw new Error("no such tile");
      return createImageBitmap(await answer.blob());
    }),
  );
  const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: 12 * SIDE });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  pictures.forEach((picture, face) => context.drawImage(picture, 0, face * SIDE, SIDE, SIDE));
  return new Uint32Array(context.getImageData(0, 0, SIDE, 12 * SIDE).data.buffer);
}

/** Draw the sphere as it is seen from a place into pixels (width * height). */
export function drawSphere(pixels, tiles, { width, height, lon, lat, fov, projection }) {
  const scale = Math.min(width, height) / ((fov * Math.PI) / 180);
  const { sphere, halfWidth, halfHeight, bounded } = PROJECTIONS[projection];
  const f = toVector(lon, lat);
  const { east, north } = eastNorth(lon, lat);
  const ends = (size, half) => {
    const reach = bounded ? Math.ceil(half * scale) + 1 : size;
    return [Math.max(0, Math.floor(size / 2) - reach), Math.min(size, Math.ceil(size / 2) + reach)];
  };
  const [left, right] = ends(width, halfWidth);
  const [top, bottom] = ends(height, halfHeight);
  for (let row = top; row < bottom; row++) {
    const v = (height / 2 - row - 0.5) / scale;
    for (let column = left; column < right; column++) {
      const place = sphere((width / 2 - column - 0.5) / scale, v);
      if (!place) continue;
      const [x, y, z] = place;
      const [face, i, j] = faceAt(SIDE, x * f[0] + y * east[0] + z * north[0], x * f[1] + y * east[1] + z * north[1], x * f[2] + y * east[2] + z * north[2]);
      // Rows of a tile run along x, columns along y.
      pixels[row * width + column] = tiles[(face * SIDE + i) * SIDE + j];
    }
  }
}

async function show(canvas) {
  const config = await loadJson(new URL("config.json", document.baseURI));
  const state = readState();
  const layer = config.layers.find((l) => l.name === (state.map ?? config.base_layer));
  if (!layer || layer.tile_width !== SIDE) return;
  const { clientWidth: width, clientHeight: height } = canvas.parentElement;
  const projection = PROJECTIONS[state.view ?? config.projection] ? state.view ?? config.projection : "SIN";
  const view = {
    width, height, projection,
    lon: numberOf(state.lon, -360, 360, config.longitude), lat: numberOf(state.lat, -90, 90, config.latitude),
    fov: numberOf(state.fov, 0.01, 800, config.field_of_view ?? wholeFov(projection, width, height)),
  };
  if (Math.min(width, height) / view.fov > FINEST) return;
  const tiles = await tilesOf(layer);
  if (!canvas.isConnected) return;
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  pixels.fill((255 << 24) | (NIGHT[2] << 16) | (NIGHT[1] << 8) | NIGHT[0]);
  drawSphere(pixels, tiles, view);
  context.putImageData(image, 0, 0);
}

const canvas = document.getElementById("poster");
for (const kind of ["pointerdown", "wheel", "keydown"]) canvas.parentElement.addEventListener(kind, () => canvas.remove(), { once: true, passive: true });
// Without it the sky appears a moment later: nothing to tell.
const shown = show(canvas).then(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))), () => canvas.remove());

/** Resolves when the picture is there, or after PATIENCE: what comes next holds the browser for long. */
export const posted = Promise.race([shown, new Promise((done) => setTimeout(done, PATIENCE))]);
