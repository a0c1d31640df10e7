// The whole view in the address, so that a link restores it and back and forward work.

const FIELDS = ["lon", "lat", "fov", "view", "map", "blend", "opacity", "marks", "colour", "scale", "colours", "size", "id", "region"];

export function readState() {
  const given = new URLSearchParams(location.hash.slice(1));
  const out = {};
  for (const name of FIELDS) if (given.has(name)) out[name] = given.get(name);
  return out;
}

/** A number of the address, or `otherwise` if it is not one between `low` and `high`. */
export function numberOf(text, low, high, otherwise) {
  const value = text === undefined || text === "" ? NaN : Number(text);
  return value >= low && value <= high ? value : otherwise;
}

/** Write the view; `step` makes it one that the back button returns to. */
export function writeState(state, { step = false } = {}) {
  const given = new URLSearchParams();
  for (const name of FIELDS) if (state[name] !== undefined && state[name] !== null && state[name] !== "") given.set(name, state[name]);
  const hash = `#${given}`;
  if (hash === location.hash) return;
  history[step ? "pushState" : "replaceState"](null, "", hash);
}
