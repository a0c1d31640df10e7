// Numbers, units and names as a reader wants them.

const UNITS = { solMass: "M☉", solLum: "L☉", solRad: "R☉", deg: "°", arcsec: "″", arcmin: "′" };
const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

export function unitText(unit) {
  if (!unit) return "";
  return unit
    .replace(/solMass|solLum|solRad|arcsec|arcmin|deg/g, (u) => UNITS[u])
    .replace(/\*\*\(?(-?\d+)\)?/g, (_, n) => superscript(n))
    .replace(/\./g, " ");
}

const superscript = (n) => [...String(n)].map((c) => SUPERSCRIPT[c] ?? c).join("");

/** A number in at most four digits, with powers of ten where they are needed. */
export function number(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) {
    const power = Math.floor(Math.log10(size) + 1e-12);
    const front = Number((value / 10 ** power).toPrecision(Math.max(digits - 1, 2)));
    return front === 1 ? `10${superscript(power)}` : `${front}×10${superscript(power)}`.replace("-", "−");
  }
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}

export function quantity(value, column) {
  if (value === null || value === undefined || value === "") return "–";
  if (column?.kind === "category" && typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value;
  if (Number.isInteger(value) && column?.kind !== "float32") return String(value);
  const unit = unitText(column?.unit);
  return number(value) + (unit === "°" ? "°" : unit ? ` ${unit}` : "");
}

/** "stellar_mass" -> "stellar mass", common abbreviations in capitals. */
export function label(name) {
  return name
    .replace(/_/g, " ")
    .replace(/\b(sfr|id|psf|t)\b/gi, (w) => w.toUpperCase())
    .replace(/\b(lon)\b/, "longitude").replace(/\b(lat)\b/, "latitude");
}

export const title = (name) => {
  const text = label(name);
  return text[0].toUpperCase() + text.slice(1);
};

export const grouped = (n) => n.toLocaleString("en");

/** Round values for the ticks of an axis between two values. */
export function ticks(low, high, log, most = 5) {
  if (log) {
    const [a, b] = [Math.log10(low), Math.log10(high)];
    const decades = [];
    for (let p = Math.ceil(a - 1e-9); p <= b + 1e-9; p++) decades.push(10 ** p);
    if (decades.length >= 2) {
      const every = Math.ceil(decades.length / most);
      return decades.filter((_, i) => i % every === 0);
    }
  }
  const rough = (high - low) / (most - 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((s) => s * power).find((s) => s >= rough * 0.999);
  const out = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) out.push(Number((k * step).toPrecision(10)));
  return out;
}
