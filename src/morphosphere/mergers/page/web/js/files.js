// Images that a visitor gives: PNG, JPEG and what else the browser knows, and FITS.

import { looksLikeFits, readFits } from "./fits.js";

const LARGEST_FILE = 300e6;
const LARGEST_PIXELS = 40e6;
export const SMALLEST_SIDE = 16;

/** Width, height and planes (Float32Array each, row 0 at the top) of a file. */
export async function readFile(file) {
  const name = file.name || "The file";
  if (!file.size) throw new Error(`${name} is empty.`);
  if (file.size > LARGEST_FILE) throw new Error(`${name} is too large (${Math.round(file.size / 1e6)} MB): cut out the galaxies first.`);
  const picture = await decode(file, name);
  const { width, height } = picture;
  if (width * height > LARGEST_PIXELS) throw new Error(`${name} is too large (${width} × ${height} pixels): cut out the galaxies first.`);
  if (Math.min(width, height) < SMALLEST_SIDE) {
    throw new Error(`${name} is much too small (${width} × ${height} pixels): at least ${SMALLEST_SIDE} × ${SMALLEST_SIDE} are needed.`);
  }
  return { name, ...picture };
}

async function decode(file, name) {
  let data = file;
  const head = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  if (head[0] === 0x1f && head[1] === 0x8b) data = await unpacked(file, name);
  const start = new Uint8Array(await data.slice(0, 16).arrayBuffer());
  if (looksLikeFits(start)) {
    try {
      return { kind: "fits", ...readFits(await data.arrayBuffer()) };
    } catch (error) {
      throw new Error(`${name}: ${error.message}`);
    }
  }
  return { kind: "picture", ...(await decodePicture(data, name)) };
}

async function unpacked(file, name) {
  try {
    return await new Response(file.stream().pipeThrough(new DecompressionStream("gzip"))).blob();
  } catch {
    throw new Error(`${name} is damaged: it cannot be unpacked.`);
  }
}

async function decodePicture(data, name) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(data, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw new Error(`${name} is not an image that can be read here: give a PNG, JPEG or FITS file.`);
  }
  const { width, height } = bitmap;
  if (width * height > LARGEST_PIXELS) return { width, height };
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, planes: split(context.getImageData(0, 0, width, height).data), arcsec: null, redshift: null };
}

/** Red, green and blue; one plane if they are the same everywhere. */
function split(pixels) {
  const count = pixels.length / 4;
  const planes = [0, 1, 2].map(() => new Float32Array(count));
  let grey = true;
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 3; c++) planes[c][i] = pixels[4 * i + c];
    grey &&= planes[0][i] === planes[1][i] && planes[1][i] === planes[2][i];
  }
  return grey ? planes.slice(0, 1) : planes;
}

/** Light of a colour picture that was stretched by the asinh of its mean (Lupton et al. 2004). */
export function unstretched(planes, q = 8, white = 255) {
  const out = planes.map((plane) => new Float32Array(plane.length));
  for (let i = 0; i < planes[0].length; i++) {
    const bent = (q * planes.reduce((sum, plane) => sum + plane[i], 0)) / planes.length / white;
    const factor = bent > 0 ? Math.sinh(bent) / bent : 1;
    planes.forEach((plane, c) => (out[c][i] = plane[i] * factor));
  }
  return out;
}

/** The planes as the network's channels: their mean for one channel, else one for each. */
export function channelsOf({ name, planes }, wanted) {
  if (planes.length === wanted) return planes;
  if (wanted === 1 && planes.length === 3) {
    return [planes[0].map((v, i) => (v + planes[1][i] + planes[2][i]) / 3)];
  }
  const has = `${planes.length} channel${planes.length === 1 ? "" : "s"}`;
  const needs = wanted === 1 ? "one channel, or red, green and blue" : `${wanted} channels`;
  throw new Error(`${name} has ${has}; the network needs ${needs}.`);
}
