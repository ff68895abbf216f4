// Scores computed in the page from the points tables, and the panel that changes a lead's fields.

const roundHalfEven = (value) => {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
};
const asNumber = (value) =>
  has(value) && value !== "" && Number.isFinite(Number(value)) ? Number(value) : null;

// the model's columns with their look-ups, made once
function prepared(model) {
  const columns = model.columns.map((column) => ({
    ...column,
    place: new Map((column.levels || []).map((level, at) => [String(level), at])),
  }));
  const lasts = columns.map((column) => (column.levels || column.edges).length + 1);
  return { ...model, columns, lasts };
}

function codeOf(column, value) {
  if (column.kind === "number") {
    const x = asNumber(value);
    if (x === null) return column.edges.length + 1;
    let count = 0;
    while (count < column.edges.length && column.edges[count] <= x) count += 1;
    return count;
  }
  if (!has(value)) return column.levels.length + 1;
  return column.place.get(String(value)) ?? column.levels.length;
}

function evaluate(model, values) {
  const codes = model.columns.map((column) => codeOf(column, values[column.field]));
  const lines = new Map();
  const add = (feature, points) => lines.set(feature, (lines.get(feature) || 0) + points);
  for (const term of model.terms) {
    const column = model.columns[term.column];
    const x = term.slope ? asNumber(values[column.field]) : null;
    add(
      term.feature,
      term.values[codes[term.column]] + (x === null ? 0 : term.slope * clamp(x, term.low, term.high)),
    );
  }
  for (const {
    columns: [i, j],
    first,
    second,
    grid,
  } of model.pairs || []) {
    const half = grid[first[codes[i]]][second[codes[j]]] / 2;
    add(model.columns[i].name, half);
    add(model.columns[j].name, half);
  }
  for (const tree of model.trees || []) {
    explainTree(tree, codes, model.lasts, (column, points) => add(model.columns[column].name, points));
  }
  for (const [family, cap] of Object.entries(model.caps || {})) {
    const members = [...lines.keys()].filter((feature) => model.families[feature] === family);
    const sum = members.reduce((total, feature) => total + lines.get(feature), 0);
    if (sum > cap) for (const feature of members) lines.set(feature, lines.get(feature) * (cap / sum));
  }
  let raw = model.start;
  for (const points of lines.values()) raw += points;
  const odds = (raw - 50) / model.points_to_double + Math.log2(model.base_odds);
  return {
    raw,
    score: clamp(roundHalfEven(raw), 0, 100),
    probability: 1 / (1 + 2 ** -odds),
    lines: [...lines].map(([feature, points]) => ({ feature, points })),
  };
}

const judges = (data.what_if?.models || []).map(prepared);
function scoreAll(values) {
  return Object.fromEntries(judges.map((model) => [model.name, evaluate(model, values)]));
}

const SHOWN_FIELDS = 12;
const SHOWN_LINES = 12;
const bandOf = (score, edges) => (score >= edges.hot ? "hot" : score >= edges.warm ? "warm" : "cold");

function whatIfPanel(box) {
  const { fields, bands, why } = data.what_if;
  const typical = fields.map((field) => field.typical ?? null);
  const edges = bands || data.band_edges;
  let start = typical;
  let values = [...start];
  let before = scoreAll(start);
  let isAll = false;
  let isLong = false;
  let name = null;

  const editors = new Map();
  const filter = h("input", { type: "search", placeholder: "name of a field", oninput: () => showFields() });
  const more = h("button", {
    type: "button",
    onclick: () => {
      isAll = !isAll;
      showFields();
    },
  });
  const list = h("div", { class: "fields", id: "what-if-fields" });
  const from = h("p", { class: "hint", role: "status" });
  const reset = h(
    "button",
    { type: "button", id: "what-if-reset", onclick: () => load(start, name) },
    "Reset",
  );
  const usual = h(
    "button",
    { type: "button", class: "quiet", hidden: true, onclick: () => load(typical, null) },
    "Typical lead",
  );
  const scores = h("div", { class: "scores", id: "what-if-scores" });
  const sums = h("div", { class: "sums" });

  function editor(field, at) {
    const set = (value) => {
      values[at] = value;
      showScores();
      mark();
    };
    const box = h("div", { class: "control field" });
    const mark = () => box.classList.toggle("changed", values[at] !== start[at]);
    const label = field.label || field.source;
    if (field.kind === "choice") {
      const choices = field.choices || [];
      const select = h(
        "select",
        {
          "data-field": field.source,
          onchange: () => set(select.value === "" ? null : choices[Number(select.value)][0]),
        },
        h("option", { value: "" }, "missing"),
        choices.map(([, text], index) => h("option", { value: index }, text)),
      );
      // a value that is no choice, such as a rare level, becomes one
      const read = () => {
        let index = choices.findIndex(([value]) => value === values[at]);
        if (index < 0 && has(values[at])) {
          index = choices.push([values[at], String(values[at])]) - 1;
          select.append(h("option", { value: index }, String(values[at])));
        }
        select.value = has(values[at]) ? index : "";
        mark();
      };
      box.append(...labelled(label, select).childNodes);
      return { node: box, read };
    }
    const typed = h("input", {
      type: "number",
      step: "any",
      placeholder: "missing",
      "data-field": field.source,
      oninput: () => {
        set(asNumber(typed.value));
        slide();
      },
    });
    const isRange = has(field.low) && has(field.high) && field.low < field.high;
    const whole =
      isRange && Number.isInteger(field.low) && Number.isInteger(field.high) && field.high - field.low >= 2;
    const range =
      isRange &&
      h("input", {
        type: "range",
        min: field.low,
        max: field.high,
        step: whole ? 1 : (field.high - field.low) / 100,
        "aria-label": `${label}, slider`,
        oninput: () => {
          typed.value = Number(Number(range.value).toPrecision(5));
          set(asNumber(typed.value));
          range.classList.remove("unset");
        },
      });
    const slide = () => {
      if (!range) return;
      range.value = values[at] ?? field.low;
      range.classList.toggle("unset", !has(values[at]));
    };
    const read = () => {
      typed.value = values[at] ?? "";
      slide();
      mark();
    };
    const [name] = labelled(label, typed).childNodes;
    box.append(name, h("div", { class: "both" }, typed, range));
    return { node: box, read };
  }
  function showFields() {
    const wanted = filter.value.trim().toLowerCase();
    const matches = fields
      .map((field, at) => [field, at])
      .filter(
        ([field]) =>
          !wanted || `${field.label} ${field.source} ${field.family}`.toLowerCase().includes(wanted),
      );
    const visible = isAll ? matches : matches.slice(0, SHOWN_FIELDS);
    for (const [field, at] of visible) {
      if (!editors.has(at)) editors.set(at, editor(field, at));
      editors.get(at).read();
    }
    list.replaceChildren(...visible.map(([, at]) => editors.get(at).node));
    more.hidden = matches.length <= SHOWN_FIELDS;
    more.textContent = isAll ? "Show the strongest only" : `Show all ${matches.length} fields`;
  }
  function card(model, now) {
    const was = before[model.name];
    const change = now.score - was.score;
    return h(
      "div",
      { class: `score m${place(model.name)}`, "data-model": model.name },
      h("div", { class: "who" }, modelName(model.name)),
      h(
        "div",
        { class: "value" },
        h("b", {}, number(now.score)),
        edges && bandChip(bandOf(now.score, edges)),
        change ? h("span", { class: "change" }, `${signed(change, 0)} from ${number(was.score)}`) : null,
      ),
      h(
        "div",
        { class: "meter" },
        h("i", { style: `width:${now.score}%` }),
        h("u", { style: `left:${was.score}%` }),
      ),
      h("div", { class: "chance" }, `${percent(now.probability)} chance of a win`),
    );
  }
  function sum(model, now, widest) {
    const old = new Map(before[model.name].lines.map((line) => [line.feature, line.points]));
    const lines = now.lines
      .map((line) => ({ ...line, change: line.points - (old.get(line.feature) ?? 0) }))
      .sort((a, b) => Math.abs(b.points) - Math.abs(a.points));
    const isShown = (line, at) =>
      isLong || Math.abs(line.change) >= 0.05 || (at < SHOWN_LINES && Math.abs(line.points) >= 0.05);
    const visible = lines.filter(isShown);
    const rest = lines.filter((line, at) => !isShown(line, at));
    const row = (label, points, change, className) =>
      h(
        "tr",
        { class: className || null },
        h("th", { scope: "row" }, label),
        h(
          "td",
          { class: "tug" },
          points === null
            ? null
            : h("i", {
                class: points < 0 ? "minus" : "plus",
                style: `--part:${(46 * Math.abs(points)) / widest}%`,
              }),
        ),
        h("td", {}, points === null ? "" : signed(points)),
        h("td", { class: "change" }, Math.abs(change) >= 0.05 ? signed(change) : ""),
      );
    const together = rest.reduce((total, line) => total + line.points, 0);
    return h(
      "div",
      { class: `sum m${place(model.name)}` },
      h("h4", {}, modelName(model.name)),
      h(
        "table",
        {},
        h(
          "thead",
          { class: "hidden" },
          h(
            "tr",
            {},
            ["Feature", "", "Points", "Change"].map((text) => h("th", { scope: "col" }, text)),
          ),
        ),
        h(
          "tbody",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "row" }, "start"),
            h("td"),
            h("td", {}, number(model.start, 1)),
            h("td"),
          ),
          visible.map((line) =>
            row(
              labelOf(line.feature),
              line.points,
              line.change,
              Math.abs(line.change) >= 0.05 ? "changed" : null,
            ),
          ),
          rest.length ? row(`${rest.length} more lines`, together, 0, "rest") : null,
        ),
        h(
          "tfoot",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "row" }, "sum"),
            h("td"),
            h("td", {}, number(now.raw, 1)),
            h(
              "td",
              { class: "change" },
              Math.abs(now.raw - before[model.name].raw) >= 0.05
                ? signed(now.raw - before[model.name].raw)
                : "",
            ),
          ),
        ),
      ),
    );
  }
  function showScores() {
    const now = scoreAll(values);
    scores.replaceChildren(...judges.map((model) => card(model, now[model.name])));
    // one scale: side by side, equal lengths are equal points
    const every = judges.flatMap((model) => now[model.name].lines.map((line) => Math.abs(line.points)));
    const widest = Math.max(1, ...every);
    const isLonger = judges.some((model) => now[model.name].lines.length > SHOWN_LINES + 1);
    sums.replaceChildren(
      ...judges.map((model) => sum(model, now[model.name], widest)),
      isLonger
        ? h(
            "button",
            {
              type: "button",
              class: "quiet",
              onclick: () => {
                isLong = !isLong;
                showScores();
              },
            },
            isLong ? "Fewer lines" : "All lines",
          )
        : "",
    );
  }
  function load(next, id) {
    start = next;
    values = [...next];
    before = scoreAll(start);
    name = id;
    from.textContent = has(id) ? `Starting from lead ${id}.` : "Starting from a typical lead.";
    usual.hidden = !has(id);
    showFields();
    showScores();
  }
  box.append(
    why ? h("p", { class: "label" }, why) : "",
    h(
      "div",
      { class: "what-if" },
      h(
        "div",
        {},
        h("div", { class: "controls" }, labelled("Find", filter, "grow"), reset, usual),
        from,
        list,
        h("p", { class: "more" }, more),
      ),
      h("div", { class: "result" }, scores, sums),
    ),
  );
  load(typical, null);
  return {
    open: (lead) => {
      load(lead.values, lead.lead_id);
      document.getElementById("what-if").scrollIntoView();
      reset.focus({ preventScroll: true });
    },
  };
}
