// The selected galaxies as files: CSV and VOTable, with every column of the page.

const DATATYPES = { float32: ["float"], float64: ["double"], int32: ["int"], category: ["char", "*"], string: ["char", "*"] };

/** Rows of the region as columns: {name: array}; `hits` are [chunk, indices]. */
export async function gather(table, hits, advance = () => {}) {
  const out = {};
  let done = 0;
  for (const column of table.columns) {
    const values = [];
    for (const [chunk, indices] of hits) {
      const part = await table.values(column.name, chunk);
      for (const i of indices) values.push(column.kind === "category" ? column.categories[part[i]] : part[i]);
    }
    out[column.name] = values;
    advance(++done / table.columns.length);
  }
  return out;
}

// float32 as the shortest decimal that is still the same float32.
function plain(value, column) {
  if (typeof value === "string") return value;
  if (!Number.isFinite(value)) return "";
  if (column.kind !== "float32") return String(value);
  for (let digits = 6; digits < 10; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(value);
}

const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);

export function csv(table, data) {
  const { columns } = table;
  const lines = [columns.map((c) => quoted(c.name)).join(",")];
  const rows = data[columns[0].name].length;
  for (let i = 0; i < rows; i++) lines.push(columns.map((c) => quoted(plain(data[c.name][i], c))).join(","));
  return new Blob([lines.join("\n") + "\n"], { type: "text/csv" });
}

const escaped = (text) =>
  String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]).replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "");

export function votable(table, data, about) {
  const fields = table.columns.map((c) => {
    const [type, size] = DATATYPES[c.kind];
    const unit = c.unit ? ` unit="${escaped(c.unit)}"` : "";
    const ucd = c.ucd ? ` ucd="${escaped(c.ucd)}"` : "";
    const description = c.description ? `<DESCRIPTION>${escaped(c.description)}</DESCRIPTION>` : "";
    return `<FIELD name="${escaped(c.name)}" datatype="${type}"${size ? ` arraysize="${size}"` : ""}${unit}${ucd}>${description}</FIELD>`;
  });
  const rows = data[table.columns[0].name].map(
    (_, i) => `<TR>${table.columns.map((c) => `<TD>${escaped(plain(data[c.name][i], c))}</TD>`).join("")}</TR>`,
  );
  const text = `<?xml version="1.0" encoding="UTF-8"?>
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">
<RESOURCE type="results">
<DESCRIPTION>${escaped(about)}</DESCRIPTION>
<COOSYS ID="sphere" system="ICRS"/>
<TABLE name="selection" nrows="${rows.length}">
${fields.join("\n")}
<DATA><TABLEDATA>
${rows.join("\n")}
</TABLEDATA></DATA>
</TABLE>
</RESOURCE>
</VOTABLE>
`;
  return new Blob([text], { type: "application/x-votable+xml" });
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
