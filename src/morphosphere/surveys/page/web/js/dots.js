// All galaxies as points, drawn by WebGL: those that the filters leave out are faint.

import { MISSING } from "./colours.js";

const ABSENT = 3e38;

const VERTEX = `#version 300 es
layout(location = 0) in vec2 place;
layout(location = 1) in float value;
layout(location = 2) in float kept;
uniform vec2 centre, half_size;
uniform float scale, point, low, high, turn;
uniform bool categorical;
out float hue;
void main() {
  bool known = value < 1e38;
  float layer = kept < 0.5 ? 0.0 : known ? 2.0 : 1.0;
  gl_Position = layer == turn ? vec4((place - centre) * scale / half_size, 0.0, 1.0) : vec4(2.0, 2.0, 0.0, 1.0);
  gl_PointSize = turn < 0.5 ? 0.7 * point : point;
  float t = categorical ? (value + 0.5) / 256.0 : (clamp((value - low) / (high - low), 0.0, 1.0) * 255.0 + 0.5) / 256.0;
  hue = known ? t : -1.0;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in float hue;
uniform sampler2D colours;
uniform vec3 missing;
uniform float point, turn;
out vec4 colour;
void main() {
  float width = turn < 0.5 ? 0.7 * point : point;
  float edge = (0.5 - length(gl_PointCoord - 0.5)) * width;
  if (edge < 0.0) discard;
  float alpha = clamp(edge + 0.35, 0.0, 1.0) * (turn < 0.5 ? 0.13 : turn < 1.5 ? 0.42 : 0.9);
  vec3 c = turn < 0.5 || hue < 0.0 ? missing : texture(colours, vec2(hue, 0.5)).rgb;
  if (width > 6.0 && turn > 1.5) c = mix(vec3(0.02, 0.03, 0.06), c, clamp(edge - 0.5, 0.0, 1.0));
  colour = vec4(c * alpha, alpha);
}`;

export class Dots {
  constructor(canvas, plane, places) {
    Object.assign(this, { canvas, plane, places, rows: places.length / 2, scale: null, values: null });
    this.mask = new Uint8Array(this.rows).fill(1);
    this.gl = canvas.getContext("webgl2", { alpha: true, premultipliedAlpha: true, antialias: false });
    if (!this.gl) throw new Error("This browser cannot draw the galaxies: WebGL 2 is switched off.");
    this.#build();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.#build();
      this.draw();
    });
    plane.addEventListener("view", () => this.draw());
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
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
    const buffer = (location, size, type, data, use) => {
      const out = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, out);
      gl.bufferData(gl.ARRAY_BUFFER, data, use);
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, size, type, false, 0, 0);
      return out;
    };
    buffer(0, 2, gl.FLOAT, this.places, gl.STATIC_DRAW);
    this.valueBuffer = buffer(1, 1, gl.FLOAT, new Float32Array(this.rows).fill(ABSENT), gl.DYNAMIC_DRAW);
    this.maskBuffer = buffer(2, 1, gl.UNSIGNED_BYTE, this.mask, gl.DYNAMIC_DRAW);
    if (this.scale) this.colour(this.scale, this.values);
  }

  /** Colour by values of a column; a category's code 255, and what is not finite, is not known. */
  colour(scale, values) {
    const { gl } = this;
    Object.assign(this, { scale, values });
    const numbers = new Float32Array(this.rows);
    for (let i = 0; i < this.rows; i++) {
      const known = scale.categorical ? values[i] !== 255 : Number.isFinite(values[i]);
      numbers[i] = known ? values[i] : ABSENT;
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.valueBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, numbers, gl.DYNAMIC_DRAW);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, scale.colours);
    this.draw();
  }

  /** Show these galaxies: 1 for each that is kept. */
  keep(mask) {
    const { gl } = this;
    this.mask = mask;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.maskBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, mask, gl.DYNAMIC_DRAW);
    this.draw();
  }

  /** Width of a point in pixels of the screen: larger where there are few, and nearby. */
  get size() {
    const { plane } = this;
    const room = Math.sqrt((plane.width * plane.height) / this.rows);
    return Math.min(Math.max(0.42 * room, 2.2), 7) * Math.min(2.4, Math.max(0.8, 1 + 0.3 * Math.log2(plane.zoom)));
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    const { gl, plane, canvas } = this;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [Math.round(plane.width * ratio), Math.round(plane.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const set = (name, ...values) => gl[`uniform${values.length}f`](this.uniform(name), ...values);
    set("centre", ...plane.centre);
    set("half_size", plane.width / 2, plane.height / 2);
    set("scale", plane.scale);
    set("point", this.size * ratio);
    set("missing", ...MISSING.map((c) => c / 255));
    set("low", this.scale?.low ?? 0);
    set("high", this.scale?.high ?? 1);
    gl.uniform1i(this.uniform("categorical"), this.scale?.categorical ? 1 : 0);
    for (const turn of [0, 1, 2]) {
      set("turn", turn);
      gl.drawArrays(gl.POINTS, 0, this.rows);
    }
    this.painted = (this.painted ?? 0) + 1;
  }
}
