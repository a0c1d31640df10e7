// All galaxies as points over the sky, drawn by WebGL from the chunks that are there.

import { PROJECTIONS } from "./camera.js";
import { MISSING } from "./colours.js";
import { separation } from "./sphere.js";

/** Points drawn while the view moves; at rest all are. */
const MOVING = 200_000;
/** Points that are loaded whether or not the view needs them. */
const BACKGROUND = 131_072;
/** Chunks at most that a view may ask for. */
const NEAR = 10;
const ABSENT = 3e38;

const VERTEX = `#version 300 es
layout(location = 0) in vec3 place;
layout(location = 1) in float value;
uniform vec3 forward, left, up;
uniform vec2 size, origin;
uniform float scale, mirrored, point, low, high;
uniform int projection;
uniform bool logarithmic, categorical;
out float hue;
void main() {
  float x = dot(place, forward), y = dot(place, left), z = dot(place, up);
  vec2 p = vec2(9.0);
  if (projection == 0) { if (x > 0.0) p = vec2(y, z); }
  else if (projection == 1) { if (x > 0.05) p = vec2(y, z) / x; }
  else if (projection == 2) { p = vec2(y, z) * sqrt(2.0 / max(1.0 + x, 1e-6)); }
  else {
    float h = 0.5 * atan(y, x), c = length(vec2(x, y));
    float k = sqrt(2.0 / max(1.0 + c * cos(h), 1e-6));
    p = vec2(2.0 * k * c * sin(h), k * z);
  }
  bool seen = projection > 1 || p.x < 8.9;
  vec2 pixel = origin - scale * vec2(mirrored * p.x, p.y);
  gl_Position = seen ? vec4(pixel.x / size.x * 2.0 - 1.0, 1.0 - pixel.y / size.y * 2.0, 0.0, 1.0) : vec4(2.0, 2.0, 0.0, 1.0);
  gl_PointSize = point;
  if (value > 1e38 || (logarithmic && value <= 0.0)) hue = -1.0;
  else if (categorical) hue = (value + 0.5) / 256.0;
  else {
    float t = logarithmic ? log(value / low) / log(high / low) : (value - low) / (high - low);
    hue = (clamp(t, 0.0, 1.0) * 255.0 + 0.5) / 256.0;
  }
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in float hue;
uniform sampler2D colours;
uniform vec3 missing;
uniform float point, strength, rim;
out vec4 colour;
void main() {
  float r = length(gl_PointCoord - 0.5) * point;
  float edge = 0.5 * point - r;
  if (edge < 0.0) discard;
  float alpha = clamp(edge, 0.0, 1.0) * strength;
  vec3 c = hue < 0.0 ? missing : texture(colours, vec2(hue, 0.5)).rgb;
  // A light rim inside a dark edge, so that dark colours are seen on the night and light ones on pictures.
  if (rim > 0.5) {
    float width = clamp(point / 9.0, 0.7, 1.6);
    float inner = clamp(edge - 0.6 - width, 0.0, 1.0);
    float outer = clamp(edge - 0.5, 0.0, 1.0);
    c = mix(mix(vec3(0.02, 0.03, 0.06), mix(c, vec3(1.0), 0.72), outer), c, inner);
  } else if (point > 4.5) c = mix(vec3(0.02, 0.03, 0.06), c, clamp(edge - 0.4, 0.0, 1.0));
  colour = vec4(c * alpha, alpha);
}`;

export class Points extends EventTarget {
  constructor(canvas, sky, table) {
    super();
    this.canvas = canvas;
    this.sky = sky;
    this.table = table;
    this.parts = new Map();
    this.visible = true;
    this.size = 5;
    this.scale = null;
    this.gl = canvas.getContext("webgl2", { alpha: true, premultipliedAlpha: true, antialias: false });
    if (!this.gl) throw new Error("This browser cannot draw the galaxies: WebGL 2 is switched off.");
    this.#build();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => this.#restore());
    sky.addEventListener("view", () => this.moved());
  }

  #build() {
    const { gl } = this;
    const shader = (kind, source) => {
      const out = gl.createShader(kind);
      gl.shaderSource(out, source);
      gl.compileShader(out);
      if (!gl.getShaderParameter(out, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(out));
      return out;
    };
    this.program = gl.createProgram();
    gl.attachShader(this.program, shader(gl.VERTEX_SHADER, VERTEX));
    gl.attachShader(this.program, shader(gl.FRAGMENT_SHADER, FRAGMENT));
    gl.linkProgram(this.program);
    if (!gl.getProgramParameter(this.program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(this.program));
    gl.useProgram(this.program);
    const places = new Map();
    this.uniform = (name) => {
      if (!places.has(name)) places.set(name, gl.getUniformLocation(this.program, name));
      return places.get(name);
    };
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    for (const [key, value] of [["MIN_FILTER", "NEAREST"], ["MAG_FILTER", "NEAREST"], ["WRAP_S", "CLAMP_TO_EDGE"], ["WRAP_T", "CLAMP_TO_EDGE"]]) {
      gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${key}`], gl[value]);
    }
  }

  #restore() {
    const old = [...this.parts.values()];
    this.parts.clear();
    this.#build();
    if (this.scale) this.#upload();
    for (const part of old) this.#add(part.number);
  }

  /** Colour by a column; loads it for the chunks that are there. */
  async colourBy(scale) {
    this.scale = scale;
    this.#upload();
    await Promise.all([...this.parts.keys()].map((number) => this.#values(number)));
    if (this.scale === scale) this.coloured = scale.column.name;
    this.draw();
  }

  #upload() {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, this.scale.colours);
  }

  /** Load what the view needs: the sample, then the chunks under it, if they are few. */
  async load() {
    if (!this.parts.has(0)) await this.#add(0);
    const wanted = [];
    let rows = this.table.chunks[0].count;
    for (const chunk of this.table.chunks.slice(1)) {
      rows += chunk.count;
      if (rows <= BACKGROUND) wanted.push(chunk.number);
    }
    const near = this.#near();
    if (near.length <= NEAR) wanted.push(...near.map((chunk) => chunk.number));
    for (const number of wanted) if (!this.parts.has(number)) await this.#add(number);
  }

  #near() {
    const { camera } = this.sky;
    if (!camera) return [];
    return this.table.chunks.slice(1).filter((c) => separation(c.centre, camera.forward) <= c.radius + camera.radius);
  }

  async #add(number) {
    if (this.parts.has(number)) return;
    const part = { number, count: this.table.chunks[number].count, ready: false };
    this.parts.set(number, part);
    try {
      part.vectors = await this.table.vectors(number);
      const { gl } = this;
      part.array = gl.createVertexArray();
      gl.bindVertexArray(part.array);
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ARRAY_BUFFER, part.vectors, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(0);
      gl.vertexAttribPointer(0, 3, gl.FLOAT, false, 0, 0);
      part.buffer = gl.createBuffer();
      await this.#values(number);
    } catch (error) {
      this.parts.delete(number);
      throw error;
    }
    this.draw();
    this.dispatchEvent(new Event("loaded"));
  }

  async #values(number) {
    const part = this.parts.get(number);
    const { scale } = this;
    const values = scale ? await this.table.values(scale.column.name, number) : null;
    if (this.scale !== scale || !part.array) return;
    const numbers = new Float32Array(part.count).fill(values ? 0 : ABSENT);
    if (values) for (let i = 0; i < part.count; i++) numbers[i] = Number.isFinite(values[i]) ? values[i] : ABSENT;
    const { gl } = this;
    gl.bindVertexArray(part.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, part.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, numbers, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 1, gl.FLOAT, false, 0, 0);
    part.ready = true;
  }

  /** Chunks to draw: the sample alone, or with all that the view touches once they are there. */
  drawn() {
    const out = this.parts.get(0)?.ready ? [this.parts.get(0)] : [];
    const near = this.#near();
    if (near.every((chunk) => this.parts.get(chunk.number)?.ready)) out.push(...near.map((c) => this.parts.get(c.number)));
    return out;
  }

  get complete() {
    return this.drawn().length > 0 && this.#near().every((chunk) => this.parts.get(chunk.number)?.ready);
  }

  moved() {
    this.moving = true;
    this.draw();
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      this.moving = false;
      this.draw();
      this.load().catch((error) => this.dispatchEvent(Object.assign(new Event("fault"), { error })));
    }, 160);
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.#paint());
    if (this.moving) {
      cancelAnimationFrame(this.frame);
      this.#paint();
    }
  }

  #paint() {
    const { gl, sky, canvas } = this;
    const { camera } = sky;
    if (!camera) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [Math.round(camera.width * ratio), Math.round(camera.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!this.visible) return;
    gl.useProgram(this.program);
    const set = (name, ...values) => gl[`uniform${values.length}f`](this.uniform(name), ...values);
    set("forward", ...camera.forward);
    set("left", ...camera.left);
    set("up", ...camera.up);
    set("size", camera.width, camera.height);
    set("origin", ...camera.origin);
    set("scale", camera.scale);
    set("mirrored", camera.mirrored);
    // Points grow where there is room for them: by half at 30 degrees, twofold at 15.
    const growth = 1 + 0.5 * Math.min(3, Math.max(0, Math.log2(60 / sky.fov)));
    const size = this.size * growth;
    set("point", size * ratio);
    set("rim", size > 8 ? 1 : 0);
    set("strength", size > 4 ? 0.97 : 0.85);
    set("missing", ...MISSING.map((c) => c / 255));
    const { scale } = this;
    set("low", scale?.low ?? 0);
    set("high", scale?.high ?? 1);
    gl.uniform1i(this.uniform("projection"), PROJECTIONS[camera.projection].number);
    gl.uniform1i(this.uniform("logarithmic"), scale?.log ? 1 : 0);
    gl.uniform1i(this.uniform("categorical"), scale?.categorical ? 1 : 0);
    let budget = this.moving ? MOVING : Infinity;
    for (const part of this.drawn()) {
      const count = Math.min(part.count, budget);
      if (count <= 0) break;
      gl.bindVertexArray(part.array);
      gl.drawArrays(gl.POINTS, 0, count);
      budget -= count;
    }
  }

  /** The loaded galaxy nearest to a direction: {chunk, index, vector, angle}, or null. */
  nearest(direction) {
    let best = -2;
    let found = null;
    for (const part of this.parts.values()) {
      const v = part.vectors;
      if (!v) continue;
      for (let i = 0, n = v.length; i < n; i += 3) {
        const d = v[i] * direction[0] + v[i + 1] * direction[1] + v[i + 2] * direction[2];
        if (d > best) [best, found] = [d, [part, i]];
      }
    }
    if (!found) return null;
    const [part, i] = found;
    const vector = [...part.vectors.subarray(i, i + 3)];
    return { chunk: part.number, index: i / 3, vector, angle: separation(vector, direction) };
  }
}
