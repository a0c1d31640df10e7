// The measurements: of the classes, of recursion, of the check without labels.

import { byId, el } from "./dom.js";
import { grouped, number } from "./format.js";
import { reliabilityChart } from "./reliability.js";

const NONE = "not measured";
const at = (value, path) => path.split(".").reduce((v, key) => v?.[key], value);
const share = (v) => `${(100 * v).toFixed(1)} %`;
const plain = (v) => v.toFixed(3);

/** [name in metrics.json, words, how it is written] */
const MEASURES = [
  ["accuracy", "Accuracy", share],
  ["balanced_accuracy", "Balanced accuracy", share],
  ["precision", "Precision, mean of classes", share],
  ["recall", "Recall, mean of classes", share],
  ["f1", "F1, mean of classes", plain],
  ["roc_auc", "ROC AUC", (v) => v.toFixed(4)],
  ["ece", "Calibration error (ECE)", share],
  ["log_loss", "Log loss", plain],
];
const PARTS = [
  ["", "all"],
  ["confident_half.", "more confident half"],
  ["high_confidence.", "confident labels"],
  ["first_model.", "before adapting"],
];
const OF_CLASS = [["n", "galaxies", grouped], ["precision", "precision", share], ["recall", "recall", share], ["f1", "F1", plain]];

const say = (value, write) => (Number.isFinite(value) ? write(value) : NONE);
const cell = (value, write) => el("td", { class: Number.isFinite(value) ? null : "soft" }, say(value, write));
const table = (head, rows) => el("div", { class: "scroll" }, el("table", {}, head ? el("thead", {}, el("tr", {}, head.map((text) => el("th", { scope: "col" }, text)))) : null, el("tbody", {}, rows)));
const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
const row = (name, ...cells) => el("tr", {}, el("th", { scope: "row" }, name), cells.flat());
const panel = (title, ...content) => el("section", { class: "panel" }, el("h3", {}, title), content);
const absent = (title, file) => panel(title, el("p", { class: "soft" }, `Not measured: there is no ${file}.`));

function interval(metrics, part, name, write) {
  const known = at(metrics, `intervals.${part}${name}`) ?? at(metrics, `${part}intervals.${name}`);
  if (!Array.isArray(known) || !known.every(Number.isFinite)) return null;
  return el("small", { class: "soft" }, ` ${write(known[0]).replace(" %", "")}–${write(known[1])}`);
}

function classes(metrics) {
  if (!metrics) return absent("Classes", "metrics.json");
  const parts = PARTS.filter(([prefix]) => !prefix || at(metrics, prefix.slice(0, -1)));
  const head = ["", ...parts.map(([prefix, words]) => {
    const n = at(metrics, `${prefix}n`);
    return Number.isFinite(n) ? `${words} (${grouped(n)})` : words;
  })];
  const rows = MEASURES.map(([name, words, write]) => row(words, parts.map(([prefix]) => {
    const value = at(metrics, prefix + name);
    return el("td", { class: Number.isFinite(value) ? null : "soft" }, say(value, write), Number.isFinite(value) ? interval(metrics, prefix, name, write) : null);
  })));
  const more = [
    ["ece_before_temperature", "Calibration error before calibration", share],
    ["type_mae", "Type, mean absolute error", plain],
    ["type_mae_median_of_training", "Type, always saying the median", plain],
    ["train_seconds", "Training", (v) => `${grouped(Math.round(v))} s`],
  ].map(([name, words, write]) => row(words, el("td", { colspan: parts.length, class: Number.isFinite(metrics[name]) ? null : "soft" }, say(metrics[name], write))));
  return panel("Classes", table(head, [...rows, ...more]), el("p", { class: "soft note" }, `On galaxies that had no part in any choice; small numbers are 95 % intervals by bootstrap.${metrics.first_model ? " Before adapting: the model of the labelled survey as it is." : ""}`));
}

function perClass(metrics) {
  const known = metrics?.per_class;
  if (!known) return null;
  const rows = Object.entries(known).map(([name, values]) => row(name, OF_CLASS.map(([key, , write]) => cell(values?.[key], write))));
  return panel("Each class", table(["", ...OF_CLASS.map(([, words]) => words)], rows));
}

function recursion(found) {
  if (!found) return absent("Recursive training", "recursion.json");
  const shown = [["accuracy", "Accuracy", share], ["balanced_accuracy", "Balanced accuracy", share], ["roc_auc", "ROC AUC", (v) => v.toFixed(4)], ["log_loss", "Log loss", plain], ["n", "Test galaxies", grouped]];
  const kept = Array.isArray(found.rounds) ? found.rounds.find((round) => round.round === found.kept) : null;
  const added = Object.entries(kept?.labels_added ?? {}).map(([name, n]) => `${grouped(n)} ${name}`).join(", ");
  const labels = row("Confident labels added", el("td", { class: "soft" }, "–"), el("td", { class: "long" }, kept ? added || "none" : NONE));
  return panel("Recursive training",
    el("p", {}, found.said ? sentence(found.said) : (Number.isFinite(found.kept) ? `Round ${found.kept} is kept.` : "It is not said which round is kept.")),
    table(["", "before", "after"], [...shown.map(([key, words, write]) => row(words, cell(found.before?.[key], write), cell(found.after?.[key], write))), labels]),
  );
}

function clusters(found) {
  if (!found) return absent("Without labels", "clusters.json");
  const names = [["test_labels", "held-out labels"], ["labels", "all labels"], ["predicted", "predicted classes"]];
  const without = found.without_labels ?? {};
  const rows = [
    row("Mixture: agrees", names.map(([key]) => cell(without[key]?.accuracy, share))),
    row("Mixture: balanced", names.map(([key]) => cell(without[key]?.balanced_accuracy, share))),
    row("Always the largest class", names.map(([key]) => cell(without[key]?.majority_share, share))),
    row("Clusters: purity", names.map(([key]) => cell(found.agreement?.[key]?.purity, share))),
    row("Clusters: adjusted Rand", names.map(([key]) => cell(found.agreement?.[key]?.adjusted_rand, plain))),
  ];
  const { number: count, noise_share: noise } = found.clusters ?? {};
  return panel("Without labels",
    el("p", {}, found.said ? sentence(found.said) : "It is not said how the mixture agrees with the classes."),
    table(["", ...names.map(([, words]) => words)], rows),
    el("p", { class: "soft note" }, `${Number.isFinite(count) ? `${count} clusters` : "Clusters"} on ${Number.isFinite(found.used) ? grouped(found.used) : "the"} galaxies, ${say(noise, share)} in none${Number.isFinite(found.mixing?.ratio) ? `; mixing with the labelled survey ${number(found.mixing.ratio, 2)} (1: alike, 0: apart)` : ""}.`),
  );
}

/** Fill the part of the page on measurements. */
export function fillNumbers({ metrics, recursion: rounds, clusters: groups }, survey) {
  byId("numbers-body").replaceChildren(...[
    classes(metrics), reliabilityChart(survey.index.reliability, survey.classes.length),
    clusters(groups), recursion(rounds), perClass(metrics),
  ].filter(Boolean));
}
