// Search by identifier: blocks of sorted keys, found by bisection, with suggestions while typing.

import { announce, debounce, el } from "./dom.js";
import { loadText, remember } from "./load.js";

const MOST = 12;

export class Ids {
  constructor(table) {
    this.first = table.index.ids.first_keys;
    this.block = remember(async (number) => {
      const text = await loadText(new URL(`ids/${String(number).padStart(5, "0")}.txt`, table.base));
      return text.split("\n").map((line) => {
        const [key, row, id] = line.split("\t");
        return { key, row: Number(row), id };
      });
    }, 200);
  }

  /** Galaxies whose identifier, or a part of it, begins with `text`: [{row, id}], at most `most`. */
  async find(text, most = MOST) {
    const key = text.trim().toLowerCase();
    if (!key) return [];
    let [low, high] = [0, this.first.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.first[middle] < key) low = middle + 1;
      else high = middle;
    }
    const found = new Map();
    for (let number = Math.max(0, low - 1); number < this.first.length; number++) {
      if (number > low && !this.first[number].startsWith(key)) break;
      const block = await this.block(number);
      let [a, b] = [0, block.length];
      while (a < b) {
        const middle = (a + b) >> 1;
        if (block[middle].key < key) a = middle + 1;
        else b = middle;
      }
      for (; a < block.length && block[a].key.startsWith(key); a++) {
        found.set(block[a].row, block[a]);
        if (found.size >= most) return [...found.values()];
      }
      if (a < block.length) break;
    }
    return [...found.values()];
  }

  /** The row of exactly this identifier, or null. */
  async row(id) {
    const found = await this.find(id, 1000);
    return (found.find((f) => f.id === id) ?? found.find((f) => f.key === id.toLowerCase()))?.row ?? null;
  }
}

/** Wire the search box: a combobox with suggestions. */
export function searchBox(input, list, ids, galaxies, { choose, fault }) {
  let found = [];
  let active = -1;
  let asked = 0;

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    active = -1;
  };
  const mark = (index) => {
    active = index;
    [...list.children].forEach((node, i) => node.setAttribute("aria-selected", String(i === index)));
    const node = list.children[index];
    if (node) {
      input.setAttribute("aria-activedescendant", node.id);
      node.scrollIntoView({ block: "nearest" });
    }
  };
  const pick = (item) => {
    close();
    input.value = item.id;
    input.blur();
    choose(item.row);
  };
  const show = () => {
    list.replaceChildren(
      ...found.map((item, i) =>
        el(
          "li",
          { role: "option", id: `suggestion-${i}`, "aria-selected": "false", pointerdown: (event) => { event.preventDefault(); pick(item); } },
          galaxies.picture(item.row),
          el("span", {}, item.id),
        ),
      ),
    );
    if (!found.length) list.append(el("li", { class: "none", role: "option", "aria-disabled": "true" }, "No galaxy has an identifier like this."));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    announce(found.length ? `${found.length} found` : "No galaxy found");
  };
  const ask = async () => {
    const turn = ++asked;
    if (!input.value.trim()) return close();
    try {
      const answer = await ids.find(input.value);
      if (turn !== asked) return;
      found = answer;
      show();
    } catch (error) {
      fault(error);
    }
  };
  input.addEventListener("input", debounce(ask, 90));
  input.addEventListener("focus", () => input.select());
  input.addEventListener("blur", () => setTimeout(close, 150));
  input.addEventListener("keydown", async (event) => {
    if (event.key === "Escape") {
      if (list.hidden) input.blur();
      close();
      event.stopPropagation();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) await ask();
      if (found.length) mark((active + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (active < 0) await ask();
      const item = found[Math.max(active, 0)];
      if (item) pick(item);
    }
  });
}
