// The card of a galaxy: pictures, properties with units, and the galaxies most like it.

import { byId, el } from "./dom.js";
import { quantity, title } from "./format.js";

// Told in the head of the card or of no interest to a reader.
const UNTOLD = new Set(["image_id", "camera", "file", "angle", "flip", "outlier_score"]);
const OF_THE_MAP = ["lon", "lat", "concentration", "reconstruction_error", "split"];

/** Fraction of all galaxies below a value, from a column's quantiles. */
export function rank(value, quantiles) {
  const at = [0, 0.02, 0.25, 0.5, 0.75, 0.98, 1];
  if (value === null || value === undefined || !quantiles) return null;
  if (value <= quantiles[0]) return 0;
  for (let i = 1; i < at.length; i++) {
    if (value <= quantiles[i]) {
      const span = quantiles[i] - quantiles[i - 1];
      return at[i - 1] + (at[i] - at[i - 1]) * (span ? (value - quantiles[i - 1]) / span : 1);
    }
  }
  return 1;
}

export class Card {
  constructor(node, table, galaxies, actions) {
    Object.assign(this, { node, table, galaxies, actions });
  }

  close() {
    this.node.hidden = true;
    this.node.replaceChildren();
    document.body.classList.remove("with-card");
    this.row = null;
  }

  show(galaxy) {
    this.row = galaxy.row;
    const fresh = this.node.hidden;
    this.node.replaceChildren(
      this.#head(galaxy),
      el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "About this galaxy" },
        this.#pictures(galaxy),
        this.#strangeness(galaxy),
        this.#similar(galaxy),
        this.#properties("Properties", galaxy, (name) => !OF_THE_MAP.includes(name)),
        this.#properties("Place on the map", galaxy, (name) => OF_THE_MAP.includes(name)),
      ),
    );
    this.node.hidden = false;
    document.body.classList.add("with-card");
    if (!fresh) this.node.querySelector(".scroll").scrollTop = 0;
  }

  #head({ id, values, lon, lat }) {
    const { actions } = this;
    return el(
      "header", {},
      el("div", { class: "names" },
        el("h2", { id: "card-title", tabindex: "-1" }, id),
        values.source ? el("p", { class: "soft" }, values.galaxy_id && values.galaxy_id !== id ? `${values.source} · ${values.galaxy_id}` : values.source) : null,
      ),
      el("button", { type: "button", class: "quiet", title: "Centre the map on this galaxy", click: () => actions.centre(lon, lat) }, "Centre"),
      el("button", { type: "button", class: "close", "aria-label": "Close the card of this galaxy", click: actions.close }, "×"),
    );
  }

  #pictures({ row, id }) {
    const figure = (kind, caption, text) =>
      el("figure", {}, this.galaxies.picture(row, { kind, label: text }), el("figcaption", {}, caption));
    return el("div", { class: "pair" },
      figure("original", "Picture", `Picture of ${id}`),
      figure("reconstruction", "Reconstruction", `Reconstruction of ${id} by the network from its place on the sphere`),
    );
  }

  #strangeness({ values }) {
    const column = this.table.byName.get("outlier_score");
    const score = values.outlier_score;
    if (!column || score === null || score === undefined) return null;
    const place = rank(score, column.quantiles);
    const percent = place === null ? null : Math.min(99, Math.floor(100 * place));
    return el("div", { class: "strange", title: column.description ?? "" },
      el("span", {}, "Outlier score ", el("b", {}, quantity(score, column))),
      percent === null ? null : el("span", { class: "soft" }, `stranger than ${percent}%`),
      percent === null ? null : el("span", { class: "meter", "aria-hidden": "true" }, el("i", { style: { width: `${Math.max(1, 100 * place)}%` } })),
    );
  }

  #similar({ neighbours, distances }) {
    if (!neighbours.length) return null;
    const buttons = neighbours.filter((row) => row >= 0 && row < this.table.rows).map((row, i) => {
      const button = el("button", {
        type: "button", "data-row": row, "aria-label": `Similar galaxy ${i + 1}`,
        click: () => this.actions.open(row),
        pointerenter: () => this.actions.hint(row), pointerleave: () => this.actions.hint(null),
        focus: () => this.actions.hint(row), blur: () => this.actions.hint(null),
      }, this.galaxies.picture(row));
      const distance = distances[i];
      this.galaxies.get(row).then((other) => {
        button.title = `${other.id}${distance === undefined ? "" : `, distance ${quantity(distance, { kind: "float32" })}`}`;
        button.setAttribute("aria-label", `Similar galaxy ${i + 1}: ${other.id}`);
      }, () => {});
      return el("li", {}, button);
    });
    return el("section", { class: "similar" }, el("h3", {}, "Most similar"), el("ul", {}, buttons));
  }

  #properties(heading, { values }, wanted) {
    const rows = this.table.columns.filter((c) => wanted(c.name) && !UNTOLD.has(c.name) && values[c.name] !== undefined).map((column) => {
      const value = values[column.name];
      const place = column.kind === "category" || column.kind === "string" ? null : rank(value, column.quantiles);
      const name = this.actions.canColour(column)
        ? el("button", { type: "button", class: "link", title: `${column.description ?? ""} Colour the map by this.`.trim(), click: () => this.actions.colour(column.name) }, title(column.name))
        : el("span", { title: column.description ?? null }, title(column.name));
      return el("tr", {},
        el("th", { scope: "row" }, name),
        el("td", {}, quantity(value, column),
          place === null ? null : el("span", { class: "strip", title: `above ${Math.floor(100 * place)}% of all`, "aria-hidden": "true" }, el("i", { style: { left: `${100 * place}%` } }))),
      );
    });
    if (!rows.length) return null;
    return el("section", { class: "properties" }, el("h3", {}, heading), el("table", {}, el("tbody", {}, rows)));
  }

  focus() {
    byId("card-title")?.focus();
  }
}
