// Files of the site: fetched once, and named in the error if they are missing or broken.

async function get(url) {
  let answer;
  try {
    answer = await fetch(url);
  } catch {
    throw new Error(`${shortName(url)} could not be loaded: the server does not answer.`);
  }
  if (!answer.ok) {
    const reason = answer.status === 404 ? "it is missing from the site" : `the server says ${answer.status}`;
    throw new Error(`${shortName(url)} could not be loaded: ${reason}.`);
  }
  return answer;
}

/** The part of an address that tells a reader which file it is. */
export function shortName(url) {
  return String(url).replace(/^.*?\/(?=(site|hips|data)\/)/, "").replace(/[?#].*$/, "");
}

export async function loadJson(url) {
  const answer = await get(url);
  try {
    return await answer.json();
  } catch {
    throw new Error(`${shortName(url)} is damaged: it is not valid JSON.`);
  }
}

export async function loadText(url) {
  return (await get(url)).text();
}

/** A typed array of exactly `count` values. */
export async function loadArray(url, Type, count) {
  const buffer = await (await get(url)).arrayBuffer();
  const expected = count * Type.BYTES_PER_ELEMENT;
  if (buffer.byteLength !== expected) {
    throw new Error(`${shortName(url)} is damaged: ${buffer.byteLength} bytes instead of ${expected}.`);
  }
  return new Type(buffer);
}

/** A function that remembers its promises by key; failures are forgotten, so they can be retried. */
export function remember(action, limit = Infinity) {
  const known = new Map();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) {
      value = action(key);
      known.set(key, value);
      value.catch(() => known.delete(key));
      if (known.size > limit) known.delete(known.keys().next().value);
    }
    return value;
  };
}
