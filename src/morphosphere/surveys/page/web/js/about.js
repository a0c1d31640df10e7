// The About box: what is shown, the keys, what it is made with.

import { byId, el } from "./dom.js";
import { grouped } from "./format.js";

const KEYS = [
  ["Arrow keys", "move the plane"], ["+ and −", "zoom"], ["0", "all galaxies"],
  ["Enter", "the galaxy at the centre"], ["/", "search"], ["Escape", "close the card"],
];

export function aboutBox(config, survey) {
  const { rows, total, unplaced } = survey.index;
  const embedding = config.clusters?.embedding;
  const left = total - rows - unplaced;
  byId("about-body").replaceChildren(
    el("h3", {}, "What is shown"),
    el("p", {}, `${grouped(rows)} of ${grouped(total)} galaxies of the target survey${left > 0 ? `; ${grouped(left)} are left out at random, and none of those in the lists` : ""}${unplaced ? `; ${grouped(unplaced)} have no finite features and no place` : ""}.`),
    el("p", {}, `The plane is ${embedding ? `an embedding by ${embedding.method === "umap" ? "UMAP" : "t-SNE"}` : "an embedding"} of what the network computes last before it decides. Neighbours are alike; distances between groups mean little.`),
    el("h3", {}, "Keys"),
    el("dl", { class: "keys" }, KEYS.flatMap(([key, does]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, does)])),
    el("h3", {}, "Made with"),
    el("p", {}, `morphosphere ${config.version} (BSD 3-Clause). Nothing is sent anywhere.`),
  );
  byId("about-open").addEventListener("click", () => byId("about").showModal());
  byId("about").addEventListener("click", (event) => {
    if (event.target === byId("about")) byId("about").close();
  });
}
