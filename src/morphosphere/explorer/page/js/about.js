// The About box: what this is, how to use it, where the files are, and licences.

import { byId, el } from "./dom.js";
import { grouped, number } from "./format.js";

const KEYS = [
  ["Arrow keys", "move the map"], ["+ and −", "zoom"], ["0", "the whole sphere"],
  ["Enter", "open the galaxy at the centre"], ["/", "search"], ["Escape", "close what is open"],
];

const MEASURES = [
  ["rotation_scatter_deg.median", "A galaxy moves by (median) when its picture is turned", "°"],
  ["sphere_entropy", "How evenly the sphere is filled (1 is perfect)", ""],
  ["reconstruction.l1", "Mean error of a reconstructed pixel (pixels are 0 to 1)", ""],
];

const pathOf = (object, path) => path.split(".").reduce((value, key) => value?.[key], object);

export function aboutBox(config, table) {
  const dialog = byId("about");
  let filled = false;
  byId("about-open").addEventListener("click", async () => {
    dialog.showModal();
    if (filled) return;
    filled = true;
    byId("about-body").replaceChildren(...sections(config, table));
    if (config.metrics) {
      try {
        const answer = await fetch(config.metrics);
        if (answer.ok) byId("about-body").prepend(...measures(await answer.json(), config.metrics));
      } catch {
        // A map without measurements is a map all the same.
      }
    }
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}

function measures(metrics, url) {
  const rows = MEASURES.map(([path, text, unit]) => [text, pathOf(metrics, path), unit]).filter(([, value]) => Number.isFinite(value));
  if (!rows.length) return [];
  return [
    el("h3", {}, "How good it is"),
    el("table", {}, el("tbody", {}, rows.map(([text, value, unit]) => el("tr", {}, el("th", { scope: "row" }, text), el("td", {}, number(value, 3) + unit))))),
    el("p", { class: "soft" }, "Measured on galaxies that the network has never seen. ", el("a", { href: url }, "All measurements")),
  ];
}

function sections(config, table) {
  const layers = [...config.layers, ...config.catalogues];
  return [
    table ? el("p", {}, `${grouped(table.rows)} galaxies with ${table.columns.length} properties each. Click one to see its picture, what the network makes of it, and the galaxies most like it.`) : "",
    el("h3", {}, "Keys"),
    el("dl", { class: "keys" }, KEYS.flatMap(([key, text]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, text)])),
    el("h3", {}, "Files"),
    el("p", {}, "Each layer is a HiPS that any Aladin can open by its address:"),
    el("ul", {}, layers.map((layer) => {
      const address = new URL(layer.url, document.baseURI).href;
      return el("li", {}, `${layer.title} – `, el("a", { href: `${layer.url}/properties` }, address));
    })),
    el("h3", {}, "Made with"),
    el("p", {}, `morphosphere ${config.version} (BSD 3-clause) and `,
      el("a", { href: "https://aladin.cds.unistra.fr/AladinLite/", rel: "noopener", target: "_blank" }, `Aladin Lite ${config.aladin_version}`),
      " by CDS, Strasbourg (GPL 3), which draws the sky. In research, cite Aladin Lite as Boch and Fernique (2014, ASPC 485, 277) and Baumann et al. (2022, ASPC 532, 7)."),
  ];
}
