// The About box: how it is done, how good it is, what it is made with.

import { byId, el } from "./dom.js";
import { number } from "./format.js";

const at = (value, path) => path.split(".").reduce((v, key) => v?.[key], value);

/** [path in metrics.json, words, how the number is written] */
const QUOTED = [
  ["time_error_myr.median", "Error of the time, median", (v) => `${number(v, 2)} Myr`],
  ["mass_ratio_error_dex.median", "Error of the mass ratio, median", (v) => `${number(v, 2)} dex`],
  ["coverage.68", "Truth within the 68 % intervals", (v) => `${number(100 * v, 3)} %`],
  ["coverage.95", "Truth within the 95 % intervals", (v) => `${number(100 * v, 3)} %`],
  ["speedup_over_nbody", "Faster than an N-body run by", (v) => `× ${number(v, 2)}`],
];

export function aboutBox(config) {
  const rows = QUOTED.map(([path, words, write]) => [words, at(config.metrics, path), write]).filter(([, value]) => Number.isFinite(value));
  byId("about-body").replaceChildren(
    el("h3", {}, "How it is done"),
    el("p", {}, `The image is cut to ${number(config.field_of_view, 3)} kpc, resampled to ${config.transform.size} pixels and stretched. A network, trained on images of simulated encounters, gives a posterior for each quantity and a short summary vector; the posteriors are the mean over the eight turned and mirrored versions of the image. A decoder draws the image again from its summary: where that fails, the image is unlike those of the training.`),
    el("p", {}, `The nearest frames are those with the least Euclidean distance of the summary, among ${config.library.frames.toLocaleString("en")} frames of ${config.library.encounters.toLocaleString("en")} encounters. For an image of the gallery, its own encounter is left out.`),
    ...(rows.length
      ? [el("h3", {}, "On encounters held out of the training"), el("table", {}, rows.map(([words, value, write]) => el("tr", {}, el("th", { scope: "row" }, words), el("td", {}, write(value)))))]
      : []),
    el("h3", {}, "Made with"),
    el("p", {}, `morphosphere ${config.version} (BSD 3-Clause), ONNX Runtime Web ${config.runtime_version} (MIT). Nothing is sent anywhere.`),
  );
  byId("about-open").addEventListener("click", () => byId("about").showModal());
  byId("about").addEventListener("click", (event) => {
    if (event.target === byId("about")) byId("about").close();
  });
}
