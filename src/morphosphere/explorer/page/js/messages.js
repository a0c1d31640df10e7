// What went wrong, said on the page: one message for each fault, until it is closed.

import { byId, el } from "./dom.js";

const shown = new Map();

/** Show a message; the same one only once. */
export function complain(text, { kind = "error" } = {}) {
  if (shown.has(text)) return;
  const close = () => {
    node.remove();
    shown.delete(text);
  };
  const node = el(
    "div",
    { class: `message ${kind}` },
    el("p", {}, text),
    el("button", { type: "button", class: "close", "aria-label": "Close the message", click: close }, "×"),
  );
  shown.set(text, node);
  byId("messages").append(node);
  while (byId("messages").children.length > 4) byId("messages").firstChild.remove();
  if (kind === "notice") setTimeout(close, 5000);
}

/** Show an error of any kind. */
export function complainOf(error) {
  console.warn(error);
  complain(error?.message ?? String(error));
}
