// The payload, elements and number formats. Data becomes text nodes only, never markup.

const data = JSON.parse(document.getElementById("data").textContent);
const MODELS = data.models;
const UNIT = "leads";
// what a row of the figures is: of a lead that was looked at on several days, a snapshot
const ROWS = data.unit || UNIT;
const BANDS = ["hot", "warm", "cold"];
const NBSP = "\u00a0";
const MINUS = "\u2212";
const SVG = "http://www.w3.org/2000/svg";

const has = (value) => value !== null && value !== undefined;
const filled = (value) => has(value) && (Array.isArray(value) ? value.length : Object.keys(value).length) > 0;
const only = (rows, wanted) =>
  rows.filter((row) => Object.entries(wanted).every(([name, value]) => row[name] === value));
const distinct = (values) => [...new Set(values)];
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const place = (model) => Math.max(MODELS.indexOf(model), 0) % 5;
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function put(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (!has(value) || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  // append makes text nodes of strings
  node.append(...children.flat(3).filter((child) => has(child) && child !== false));
  return node;
}
const h = (tag, attributes, ...children) => put(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => put(document.createElementNS(SVG, tag), attributes, children);

const minus = (text) => text.replace("-", MINUS);
function number(value, digits = 0) {
  if (!has(value) || !Number.isFinite(value)) return "–";
  let text = Math.abs(value).toFixed(digits);
  const [whole, rest] = text.split(".");
  text = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest ? `.${rest}` : "");
  return (value < 0 && Number(value.toFixed(digits)) !== 0 ? MINUS : "") + text;
}
function signed(value, digits = 1) {
  const text = number(value, digits);
  return Number(value.toFixed(digits)) > 0 ? `+${text}` : text;
}
const percent = (value, digits = 1) => (has(value) ? `${number(100 * value, digits)}${NBSP}%` : "–");
// as a person would say it: 4.1 deals, 50 calls; what is not 0 does not read as 0
function amount(value) {
  const text = number(value, Math.abs(value) < 10 ? 1 : 0).replace(/\.0$/, "");
  return text === "0" && value ? number(value, 2) : text;
}
const short = (text, longest) => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text);
const plain = (value) =>
  typeof value === "number" ? minus(String(Number(value.toPrecision(6)))) : String(value);
function money(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${number(value / 1e6, size >= 1e7 ? 0 : 1)}${NBSP}m`;
  if (size >= 1e4) return `${number(value / 1e3, 0)}${NBSP}k`;
  return number(value, size < 10 && value !== 0 ? 1 : 0);
}
// "1.9 to 6.2": the unit stands once, at the end
function interval(row, form = percent) {
  if (!has(row.lower) || !has(row.upper)) return "";
  return `${form(row.lower).replace(/\u00a0%$/, "")} to ${form(row.upper)}`;
}
const keyed = (text, color) => h("span", { class: `model m${color}` }, h("i", { class: "key" }), text);
const modelName = (model) => keyed(model, place(model));
const bandChip = (band) => h("span", { class: `chip ${BANDS.includes(band) ? band : ""}` }, band);
const outcome = (won) =>
  has(won) ? h("span", { class: won ? "outcome won" : "outcome" }, won ? "won" : "lost") : null;

function table(head, rows, { caption, name, className = "" } = {}) {
  // the first column and those that begin with "<" hold words
  const isText = head.map((title, at) => at === 0 || title.startsWith("<"));
  const cell = (value, at) =>
    value instanceof HTMLTableCellElement
      ? value
      : h(at ? "td" : "th", { scope: at ? null : "row", class: isText[at] ? "text" : null }, value);
  return h(
    "div",
    { class: `scroll ${className}`, tabindex: 0, role: "region", "aria-label": name || caption || "Table" },
    h(
      "table",
      {},
      caption && h("caption", {}, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          head.map((title, at) =>
            h("th", { scope: "col", class: isText[at] ? "text" : null }, title.replace(/^</, "")),
          ),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((row) => h("tr", { class: row.className || null }, row.map(cell))),
      ),
    ),
  );
}

// a table that is made only when it is opened: hundreds of them cost nothing
function numbers(make, title = "The numbers") {
  const box = h("details", { class: "numbers" }, h("summary", {}, title));
  box.addEventListener("toggle", () => {
    if (box.open && box.children.length === 1) box.append(make());
  });
  return box;
}

let lastId = 0;
function labelled(label, control, className = "") {
  control.id ||= `field-${(lastId += 1)}`;
  return h("div", { class: `control ${className}` }, h("label", { for: control.id }, label), control);
}
const FEATURES = new Map((data.points || []).map((one) => [one.feature, one.label || one.feature]));
const labelOf = (feature) => FEATURES.get(feature) ?? feature;

// words that several figures share
const FEW = 30;
const leadsOf = (count, unit = UNIT) =>
  `${number(count)} ${count === 1 ? unit.replace(/s$/, "") : unit}`;
const wonRows = (row, extra = [], unit = UNIT) => [
  ...extra,
  ["won", percent(row.conversion)],
  ["95 % interval", interval(row)],
  [unit, number(row.n_leads)],
];
const withNbsp = (text) => text.replaceAll(" %", `${NBSP}%`);
