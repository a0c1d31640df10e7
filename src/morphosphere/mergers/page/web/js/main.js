// The page: reads its configuration and connects the parts.

import { aboutBox } from "./about.js";
import { announce, bringIntoView, byId, el } from "./dom.js";
import { Gallery } from "./gallery.js";
import { Library } from "./library.js";
import { loadJson, remember } from "./load.js";
import { complainOf } from "./messages.js";
import { Network } from "./network.js";
import { Own } from "./own.js";
import { Result } from "./result.js";
import { medianText, titleOf } from "./words.js";

const page = { readings: 0 };
// For the console and for tests.
window.mergers = page;

const base = document.baseURI;

function fail(error) {
  clearMessages();
  complainOf(error);
  document.body.classList.remove("working");
}

function clearMessages() {
  for (const close of document.querySelectorAll("#messages .close")) close.click();
}

/** The parts that are loaded when the first image needs them; asked for again if that failed. */
const needed = remember(async () => {
  if (!page.result) byId("empty-text").textContent = "Loading the network …";
  const [network, library] = await Promise.all([Network.open(page.config, base), Library.open(base)]);
  Object.assign(page, { network, library, result: new Result(byId("shown"), page.config, library) });
});

let turn = 0;

/** Read an image, unless another is asked for meanwhile, and show the result. */
async function read(subjectOf) {
  const mine = ++turn;
  document.body.classList.add("working");
  try {
    const subject = await subjectOf();
    await needed("all");
    if (mine !== turn) return;
    const reading = await page.network.read(subject.seen);
    if (mine !== turn) return;
    clearMessages();
    byId("empty").hidden = true;
    byId("shown").hidden = false;
    page.result.show(subject, reading);
    page.readings++;
    announce(`${subject.name}: ${reading.posteriors.map((p) => `${titleOf(p.label.name)} ${medianText(p)}`).join(", ")}`);
  } catch (error) {
    if (mine === turn) fail(error);
  } finally {
    if (mine === turn) document.body.classList.remove("working");
  }
}

function pick(one) {
  page.gallery.mark(one);
  history.replaceState(null, "", `#image=${encodeURIComponent(one.image_id)}`);
  const narrow = window.matchMedia("(max-width: 860px)").matches;
  return read(() => page.gallery.subject(one)).then(() => {
    if (narrow) bringIntoView(byId("result"));
  });
}

function choice() {
  const show = (from) => {
    byId("gallery").hidden = from !== "gallery";
    byId("own").hidden = from !== "own";
    document.querySelector(`input[name=from][value=${from}]`).checked = true;
  };
  for (const input of document.querySelectorAll("input[name=from]")) input.addEventListener("change", () => show(input.value));
  const own = new Own(page.config, {
    read: (subject) => {
      page.gallery?.mark(null);
      history.replaceState(null, "", location.pathname);
      read(async () => subject);
    },
    fail: (error) => {
      turn++;
      fail(error);
    },
  });
  page.own = own;
  const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    show("own");
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    document.body.classList.remove("dropping");
    if (event.dataTransfer.files[0]) own.open(event.dataTransfer.files[0]);
  });
}

async function start() {
  page.config = await loadJson(new URL("config.json", base));
  if (page.config.map_page) byId("links").append(el("a", { href: page.config.map_page }, "Map of morphology"));
  aboutBox(page.config);
  choice();
  page.gallery = await Gallery.open(base, page.config, pick);
  byId("empty-text").textContent = "Pick an image, or drop in your own.";
  window.addEventListener("hashchange", () => fromAddress().catch(fail));
  await fromAddress();
}

/** Show the image of the gallery that the address names. */
async function fromAddress() {
  const wanted = /^#image=(.+)$/.exec(location.hash);
  if (!wanted) return;
  const name = decodeURIComponent(wanted[1]);
  const one = page.gallery.byName(name);
  if (!one) throw new Error(`There is no image ${name} in the gallery.`);
  await pick(one);
}

start()
  .then(() => (document.body.dataset.ready = "true"))
  .catch((error) => {
    fail(error);
    document.body.dataset.ready = "failed";
  });
