// The eight versions of an image: turned by quarters, and the same of its mirror image.

export const VERSIONS = 8;

/** Version `k`: mirrored left to right if k is 4 or more, then turned counter-clockwise k % 4 times. */
export function turned({ channels, height: size, data }, k) {
  const out = new Float32Array(data.length);
  for (let c = 0; c < channels; c++) {
    const plane = c * size * size;
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const [sy, sx] = source(y, x, size, k);
        out[plane + y * size + x] = data[plane + sy * size + sx];
      }
    }
  }
  return out;
}

function source(y, x, size, k) {
  let [sy, sx] = [y, x];
  for (let n = 0; n < k % 4; n++) [sy, sx] = [sx, size - 1 - sy];
  return k >= 4 ? [sy, size - 1 - sx] : [sy, sx];
}

/** All eight, one after the other. */
export function allTurned(given) {
  const out = new Float32Array(VERSIONS * given.data.length);
  for (let k = 0; k < VERSIONS; k++) out.set(turned(given, k), k * given.data.length);
  return out;
}

/** CSS that turns a picture which is like version `k` back to how the image itself stands. */
export function turnedBack(k) {
  return `${k >= 4 ? "scaleX(-1) " : ""}rotate(${90 * (k % 4)}deg)`;
}
