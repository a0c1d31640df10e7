// A reader of simple FITS images (FITS Standard 4.0): planes of integers or floats, row 0 at the top.

const BLOCK = 2880;
const CARD = 80;
const READERS = {
  8: (view, at) => view.getUint8(at),
  16: (view, at) => view.getInt16(at),
  32: (view, at) => view.getInt32(at),
  64: (view, at) => Number(view.getBigInt64(at)),
  "-32": (view, at) => view.getFloat32(at),
  "-64": (view, at) => view.getFloat64(at),
};

export const looksLikeFits = (bytes) => String.fromCharCode(...bytes.subarray(0, 9)) === "SIMPLE  =";

/** The first image of a FITS file: width, height, planes, and arcseconds and redshift if it says. */
export function readFits(buffer) {
  let compressed = false;
  for (let at = 0; at + BLOCK <= buffer.byteLength; ) {
    const { cards, end } = header(buffer, at);
    const axes = Array.from({ length: cards.NAXIS ?? 0 }, (_, n) => cards[`NAXIS${n + 1}`] ?? 0);
    const count = axes.length ? axes.reduce((a, b) => a * b, 1) : 0;
    const size = (Math.abs(cards.BITPIX) / 8) * (cards.GCOUNT ?? 1) * ((cards.PCOUNT ?? 0) + count);
    compressed ||= cards.ZIMAGE === true;
    const picture = at === 0 || cards.XTENSION === "IMAGE";
    if (picture && axes.length >= 2 && count > 0) return planesOf(buffer, end, cards, axes);
    at = end + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw new Error(
    compressed
      ? "This FITS file holds a tile-compressed image: unpack it first (funpack)."
      : "This FITS file holds no image.",
  );
}

function header(buffer, start) {
  const bytes = new Uint8Array(buffer);
  const cards = {};
  for (let at = start; at + CARD <= buffer.byteLength; at += CARD) {
    const card = String.fromCharCode(...bytes.subarray(at, at + CARD));
    const key = card.slice(0, 8).trimEnd();
    if (key === "END") {
      if (!Number.isFinite(cards.BITPIX)) break;
      return { cards, end: start + Math.ceil((at + CARD - start) / BLOCK) * BLOCK };
    }
    if (card.slice(8, 10) === "= " && !(key in cards)) cards[key] = valueOf(card.slice(10));
  }
  throw new Error("This FITS file is damaged: a header has no end.");
}

function valueOf(text) {
  const quoted = /^\s*'((?:[^']|'')*)'/.exec(text);
  if (quoted) return quoted[1].replace(/''/g, "'").trimEnd();
  const bare = text.split("/")[0].trim();
  if (bare === "T" || bare === "F") return bare === "T";
  return Number(bare.replace(/D/i, "E"));
}

function planesOf(buffer, start, cards, axes) {
  const [width, height, ...more] = axes;
  const depth = more.reduce((a, b) => a * b, 1);
  const read = READERS[cards.BITPIX];
  if (!read) throw new Error(`This FITS file is damaged: BITPIX is ${cards.BITPIX}.`);
  if (depth > 16) throw new Error(`This FITS file holds a cube of ${depth} planes: give a single image, or three colours.`);
  const step = Math.abs(cards.BITPIX) / 8;
  if (start + width * height * depth * step > buffer.byteLength) {
    throw new Error("This FITS file is cut short: it ends before its last pixel.");
  }
  const view = new DataView(buffer, start);
  const scale = cards.BSCALE ?? 1;
  const zero = cards.BZERO ?? 0;
  const blank = cards.BITPIX > 0 && "BLANK" in cards ? cards.BLANK : null;
  const planes = [];
  for (let p = 0, at = 0; p < depth; p++) {
    const plane = new Float32Array(width * height);
    for (let y = height - 1; y >= 0; y--) {
      for (let x = 0; x < width; x++, at += step) {
        const v = read(view, at);
        plane[y * width + x] = v === blank ? NaN : zero + scale * v;
      }
    }
    planes.push(plane);
  }
  return { width, height, planes, arcsec: pixelOf(cards), redshift: positive(cards.REDSHIFT) };
}

const positive = (x) => (Number.isFinite(x) && x > 0 ? x : null);

/** Width of a pixel in arcseconds, from the celestial coordinates of the header. */
function pixelOf(cards) {
  if (!/^(RA|DEC|.LON|.LAT)/.test(cards.CTYPE1 ?? "")) return null;
  const cd = [cards.CD1_1, cards.CD1_2 ?? 0, cards.CD2_1 ?? 0, cards.CD2_2];
  const area = Number.isFinite(cd[0]) && Number.isFinite(cd[3]) ? cd[0] * cd[3] - cd[1] * cd[2] : (cards.CDELT1 ?? NaN) * (cards.CDELT2 ?? NaN);
  return positive(3600 * Math.sqrt(Math.abs(area)));
}
