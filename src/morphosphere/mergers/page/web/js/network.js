// The network in the browser: ONNX Runtime Web, loaded when the first image needs it.

import { shortName } from "./load.js";
import { Posterior, probabilities } from "./posterior.js";
import { allTurned, VERSIONS } from "./turns.js";

async function bytes(url) {
  const answer = await fetch(url).catch(() => null);
  if (!answer?.ok) throw new Error(`${shortName(url)} could not be loaded: the network does not run without it.`);
  return new Uint8Array(await answer.arrayBuffer());
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

export class Network {
  /** Load runtime and model from the site at `base`. */
  static async open(config, base) {
    let ort;
    try {
      ort = await import(new URL("runtime/ort.wasm.min.mjs", base));
    } catch {
      throw new Error("runtime/ort.wasm.min.mjs could not be loaded: the network does not run without it.");
    }
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = new URL("runtime/", base).href;
    ort.env.logLevel = "error";
    const network = new Network();
    const options = { executionProviders: ["wasm"], graphOptimizationLevel: "all" };
    const [encoder, decoder] = await Promise.all(["encoder", "decoder"].map((part) => bytes(new URL(`model/${part}.onnx`, base))));
    network.encoder = await ort.InferenceSession.create(encoder, options);
    network.decoder = await ort.InferenceSession.create(decoder, options);
    Object.assign(network, { ort, config });
    const { channels, size } = config.transform;
    // The first run of a session is slower than all others.
    await network.read({ channels: channels.length, height: size, width: size, data: new Float32Array(channels.length * size * size) });
    return network;
  }

  /** All that the network says of a transformed image. */
  async read(seen) {
    const { channels, height: size } = seen;
    const started = performance.now();
    const out = await this.encoder.run({ images: new this.ort.Tensor("float32", allTurned(seen), [VERSIONS, channels, size, size]) });
    const dimensions = out.z.dims[1];
    const z = out.z.data;
    const encoded = performance.now();
    const drawn = await this.decoder.run({ z: new this.ort.Tensor("float32", z.slice(0, dimensions), [1, dimensions]) });
    const ended = performance.now();
    const bins = out.logits.dims[2];
    const { labels } = this.config;
    const posteriors = labels.map((label, l) => {
      const views = Array.from({ length: VERSIONS }, (_, v) => out.logits.data.subarray((v * labels.length + l) * bins, (v * labels.length + l + 1) * bins));
      return new Posterior(label, probabilities(views, label.temperature));
    });
    const picture = { channels, height: size, width: size, data: drawn.images.data };
    return {
      seen,
      drawn: picture,
      z: Array.from({ length: VERSIONS }, (_, v) => z.slice(v * dimensions, (v + 1) * dimensions)),
      posteriors,
      encounter: out.encounter.data.reduce((sum, x) => sum + sigmoid(x), 0) / VERSIONS,
      error: difference(seen.data, picture.data),
      milliseconds: { network: encoded - started, drawing: ended - encoded },
    };
  }
}

function difference(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum / a.length;
}
