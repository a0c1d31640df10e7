// Small helpers for elements.

export const byId = (id) => document.getElementById(id);

/** An element with attributes (functions become listeners) and children; text is never markup. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else if (name === "style") Object.assign(node.style, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** Whether the visitor wants no motion: then what would glide or scroll smoothly jumps. */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Bring an element into view; `block` as in Element.scrollIntoView. */
export function bringIntoView(node, block = "start") {
  node.scrollIntoView({ block, behavior: still() ? "instant" : "smooth" });
}

/** Say something to screen readers without showing it. */
export function announce(text) {
  byId("status").textContent = text;
}

/** Call `action` once the calls have stopped for `wait` ms. */
export function debounce(action, wait) {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...args), wait);
  };
}
