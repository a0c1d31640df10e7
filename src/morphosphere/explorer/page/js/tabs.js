// On a narrow screen panels are opened one at a time, by the tabs at the bottom.

import { byId } from "./dom.js";

export function tabs() {
  for (const button of document.querySelectorAll(".tabs button")) {
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-expanded") === "true";
      closeTabs();
      if (open) return;
      button.setAttribute("aria-expanded", "true");
      byId(button.dataset.panel).classList.add("open");
    });
  }
  byId("map").addEventListener("pointerdown", () => closeTabs());
  for (const tool of document.querySelectorAll("[data-tool]")) tool.addEventListener("click", () => closeTabs());
}

/** Close the panel that is open; return whether there was one. */
export function closeTabs() {
  let any = false;
  for (const button of document.querySelectorAll(".tabs [aria-expanded=true]")) {
    button.setAttribute("aria-expanded", "false");
    byId(button.dataset.panel).classList.remove("open");
    any = true;
  }
  return any;
}
