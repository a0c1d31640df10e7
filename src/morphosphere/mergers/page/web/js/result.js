// What the network says of an image: words, curves, film strips, and the frames most like it.

import { chart } from "./chart.js";
import { el } from "./dom.js";
import { bestAlong, film, frameText, momentsFilm, momentsOn, phasesOf } from "./film.js";
import { number } from "./format.js";
import { drawn, thumbnail } from "./pictures.js";
import { turnedBack } from "./turns.js";
import { furtherText, intervalText, medianText, momentText, ratioText, stepOf, strangeness, titleOf, valueText } from "./words.js";

const TIME = "time_since_pericentre";
/** Widths of thumbnails in pixels: along an axis, and the least in a film strip. */
const THUMBNAIL = 76;
const SMALLEST = 50;
/** Of a panel with its border, left and right together. */
const PADDING = 30;

export class Result {
  /** In a node; `config` and `library` of the site. */
  constructor(node, config, library) {
    Object.assign(this, { node, config, library });
    let width = 0;
    new ResizeObserver(() => {
      if (this.reading && Math.abs(node.clientWidth - width) > 2) this.#draw();
      width = node.clientWidth;
    }).observe(node);
  }

  /** Show a reading of the network of a subject: name, seen, truth, encounter, faults. */
  show(subject, reading) {
    const started = performance.now();
    const found = this.library.distances(reading.z);
    const own = this.library.numberOf(subject.encounter);
    const nearest = this.library.nearest(found, this.config.nearest, own);
    Object.assign(this, { subject, reading, found, own, nearest, followed: "similar" });
    this.search = performance.now() - started;
    this.chosen = nearest[0]?.row ?? null;
    this.reasons = strangeness(reading, this.config.outlier);
    this.#draw();
  }

  #draw() {
    const focus = this.node.contains(document.activeElement) ? document.activeElement.dataset.row : null;
    this.width = Math.max(240, this.node.clientWidth - PADDING);
    const small = this.reading.posteriors.filter(({ label }) => ![TIME, "mass_ratio"].includes(label.name));
    const large = this.reading.posteriors.filter((posterior) => !small.includes(posterior));
    this.node.replaceChildren(
      this.#summary(),
      ...large.map((posterior) => (posterior.label.name === TIME ? this.#time(posterior) : this.#along(posterior))),
      ...small.map((posterior) => this.#half(posterior)),
      ...(this.nearest.length ? [this.#nearest()] : []),
    );
    if (focus) this.node.querySelector(`[data-row="${focus}"]`)?.focus();
  }

  #truth(label) {
    const value = this.subject.truth?.[label.name] ?? null;
    // The inclination is told without the sense in which the galaxies go round.
    return value !== null && label.name === "inclination" && label.high <= 90 && value > 90 ? 180 - value : value;
  }

  #summary() {
    const { reading, subject } = this;
    const of = (name) => reading.posteriors.find(({ label }) => label.name === name);
    const [time, ratio] = [of(TIME), of("mass_ratio")];
    const sentence = [];
    if (time) sentence.push(el("b", {}, medianText(time)));
    if (ratio) sentence.push(time ? ", masses about " : "Masses about ", el("b", {}, medianText(ratio)));
    const { network, drawing } = reading.milliseconds;
    return el("section", { class: "panel summary", "aria-label": "In short" },
      el("div", {},
        el("p", { class: "name" }, subject.name),
        el("h2", {}, time ? "Seen about " : "", sentence),
        this.#flag(),
        el("p", { class: "facts" },
          el("span", {}, `network ${number(network, 2)} ms for ${reading.z.length} views`),
          el("span", {}, `drawing ${number(drawing, 2)} ms`),
          el("span", {}, `search among ${this.library.frames.toLocaleString("en")} frames ${number(this.search, 2)} ms`),
        ),
      ),
      this.#pictures(),
    );
  }

  #flag() {
    const faults = this.subject.faults ?? [];
    if (this.reasons.length) {
      return el("div", { class: "flag strange", role: "note" }, el("ul", {},
        el("li", {}, el("b", {}, "Unlike the images of the training: do not trust the numbers.")),
        [...this.reasons, ...faults].map((text) => el("li", {}, text))));
    }
    if (faults.length) return el("div", { class: "flag careful", role: "note" }, el("ul", {}, faults.map((text) => el("li", {}, text))));
    const { encounter, error } = this.reading;
    const limit = this.config.outlier.reconstruction_error;
    const share = encounter > 0.995 ? "more than 99 %" : `${Math.round(100 * encounter)} %`;
    return el("div", { class: "flag", role: "note" }, el("span", {}, `Within the range of the training: an encounter with a probability of ${share}, drawn again with a difference of ${number(error, 2)}${limit === null ? "" : ` (at most ${number(limit, 2)} is usual)`}.`));
  }

  #pictures() {
    const { reading, subject } = this;
    const figure = (picture, ...caption) => el("figure", {}, picture, el("figcaption", {}, caption));
    const figures = [
      figure(drawn(reading.seen, `${subject.name} as the network sees it`), "As the network sees it"),
      figure(drawn(reading.drawn, "The same image drawn by the network from its summary"), "Drawn again by the network"),
    ];
    if (this.chosen !== null) {
      const frame = this.library.get(this.chosen);
      const which = this.chosen === this.nearest[0].row ? "Most similar frame" : "Chosen frame";
      figures.push(figure(this.#picture(this.chosen, `${which}: ${frameText(frame)}`), `${which}: ${frameText(frame)}`));
    }
    return el("div", { class: "pictures" }, figures);
  }

  /** A frame, turned as the image stands. */
  #picture(row, text) {
    const turn = turnedBack(this.found.version[row]);
    return el("span", { class: "frame" }, thumbnail(this.library.folder, this.library.index, row, text, turn));
  }

  #words(posterior) {
    const truth = this.#truth(posterior.label);
    const { label } = posterior;
    const step = stepOf(posterior.quantiles);
    const said = truth === null ? null : label.name === TIME ? momentText(label, truth, step) : valueText(label, truth, step);
    return el("div", {},
      el("h2", {}, titleOf(label.name)),
      el("p", { class: "words" }, el("b", {}, medianText(posterior)), said === null ? null : el("span", { class: "truth" }, `true: ${said}`)),
      el("p", {}, intervalText(posterior)),
      el("p", { class: "soft" }, furtherText(posterior)),
    );
  }

  #chart(posterior, width, height, phases) {
    const { label } = posterior;
    const text = `Posterior of ${titleOf(label.name).toLowerCase()}: median ${medianText(posterior)}; ${intervalText(posterior)}`;
    return chart(posterior, { width, height, truth: this.#truth(label), text, phases });
  }

  #slots() {
    return Math.max(5, Math.floor(this.width / THUMBNAIL));
  }

  #time(posterior) {
    const { label } = posterior;
    const row = this.#followedRow();
    const rows = row === null ? [] : this.library.strip(row);
    const phases = phasesOf(this.library, rows, label.low, label.high);
    const parts = [el("div", { class: "head" }, this.#words(posterior), this.#follow()), this.#chart(posterior, this.width, 150, phases)];
    if (row !== null) {
      const { encounter, mass_ratio } = this.library.get(row);
      const version = this.#stripVersion(rows);
      parts.push(
        ...momentsFilm(this.library, posterior, momentsOn(this.library, label, rows, Math.floor(this.width / SMALLEST)), this.width, {
          turn: version, choose: (r) => this.#choose(r), text: `Film strip of encounter ${encounter}`,
        }),
        el("p", { class: "caption" }, `Film strip: encounter ${encounter}${mass_ratio === null ? "" : `, masses ${ratioText(mass_ratio)}`}, each moment as near below its time as there is room. ${this.followed === "own" ? "This is the encounter that the image shows." : "The grey bar names its phases."}`),
      );
    }
    return el("section", { class: "panel label", "data-label": label.name }, parts);
  }

  #followedRow() {
    if (this.followed === "own" && this.own >= 0) return this.library.index.starts[this.own];
    return this.chosen;
  }

  /** The turn of the moment that is most like the image: the whole strip is turned by it. */
  #stripVersion(rows) {
    const { distance, version } = this.found;
    return version[rows.reduce((best, r) => (distance[r] < distance[best] ? r : best), rows[0])];
  }

  #follow() {
    if (this.own < 0) return null;
    const option = (value, text) =>
      el("label", {}, el("input", { type: "radio", name: "follow", value, checked: this.followed === value, change: () => { this.followed = value; this.#draw(); this.node.querySelector(`input[value="${value}"]`)?.focus(); } }), el("span", {}, text));
    return el("div", { class: "segments", role: "radiogroup", "aria-label": "Film strip" }, option("similar", "similar encounter"), option("own", "its own encounter"));
  }

  #along(posterior) {
    const { label } = posterior;
    const rows = bestAlong(this.library, label, this.found, this.own, this.#slots());
    return el("section", { class: "panel label", "data-label": label.name },
      el("div", { class: "head" }, this.#words(posterior)),
      this.#chart(posterior, this.width, 120, []),
      film(this.library, posterior, rows, { turnOf: (r) => this.found.version[r], choose: (r) => this.#choose(r), text: `The most similar frames along ${titleOf(label.name).toLowerCase()}` }),
      el("p", { class: "caption" }, "Below each part of the axis: the simulated frame with such a value that looks most like the image."),
    );
  }

  #half(posterior) {
    const wide = window.matchMedia("(min-width: 861px)").matches;
    const width = wide ? Math.max(200, (this.node.clientWidth - 14) / 2 - PADDING) : this.width;
    return el("section", { class: "panel label half", "data-label": posterior.label.name }, el("div", { class: "head" }, this.#words(posterior)), this.#chart(posterior, width, 90, []));
  }

  #nearest() {
    const items = this.nearest.map((frame) => {
      const button = el("button", { type: "button", "data-row": frame.row, "aria-pressed": String(frame.row === this.chosen), "aria-label": `${frameText(frame)}, distance ${number(frame.distance, 3)}: compare`, click: () => this.#choose(frame.row) },
        this.#picture(frame.row, ""),
        el("span", { class: "text" },
          el("b", {}, frame.time_since_pericentre === null ? "" : valueText({ unit: "Myr" }, Math.round(frame.time_since_pericentre))),
          [frame.mass_ratio === null ? null : `masses ${ratioText(frame.mass_ratio)}`, `distance ${number(frame.distance, 3)}`, frame.encounter].filter(Boolean).map((text) => el("span", {}, text, el("br", {}))),
        ));
      return el("li", {}, button);
    });
    const other = this.own >= 0 ? " of other encounters" : "";
    return el("section", { class: "panel nearest", "aria-label": "Most similar simulated frames" },
      el("h2", {}, `Most similar simulated frames${other}`),
      el("p", { class: "soft" }, "One of each encounter, turned as the image stands, with its true values. Choose one to see its film strip."),
      el("ul", {}, items));
  }

  #choose(row) {
    this.chosen = row;
    if (this.library.encounter[row] !== this.own) this.followed = "similar";
    this.#draw();
  }
}
