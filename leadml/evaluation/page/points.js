// Points per value of each feature, of the model and of the rules on one axis: small multiples.

const SHOWN_FEATURES = 12;
const SHOWN_LEVELS = 12;

function pointsSeries(one) {
  const isBoth = one.rows.some((row) => has(row.other_points));
  return isBoth
    ? [
        ["points", 0],
        ["other_points", 1],
      ]
    : [["points", 0]];
}
const pointsTip = (row) => ({
  title: String(row.value),
  rows: [
    [MODELS[0], signed(row.points), 0],
    ...(has(row.other_points) ? [[MODELS[1], signed(row.other_points), 1]] : []),
    ...(has(row.share) ? [[`of ${ROWS}`, percent(row.share)]] : []),
  ],
});
function pointsRange(rows) {
  const all = rows.flatMap((row) => [row.points, row.other_points ?? 0]);
  const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)];
  const wide = Math.max(high - low, 2);
  return [low - wide * 0.08, Math.max(high, low + wide) + wide * 0.08];
}

function numberChart(one, range, svg, width) {
  const height = 190;
  const missing = one.rows.filter((row) => row.value === "missing");
  const bins = one.rows.filter((row) => row.value !== "missing");
  const frame = { left: 40, right: width - 6, top: 10, bottom: height - 28 };
  const gap = missing.length && bins.length ? 14 : 0;
  // equal widths: bins often end in infinity, and most leads sit in the lowest
  const step = (frame.right - frame.left - gap) / (bins.length + missing.length);
  const from = (index) => frame.left + index * step + (index >= bins.length ? gap : 0);
  const plot = axes(svg, width, height, {
    x: [0, 1],
    y: range,
    xTicks: [],
    xText: String,
    yText: (v) => signed(v, v % 1 ? 1 : 0),
    left: 40,
    right: 6,
    top: 10,
    bottom: 28,
    yCount: 4,
  });
  const rows = [...bins, ...missing];
  const most = Math.max(...rows.map((row) => row.share || 0)) || 1;
  svg.prepend(
    s(
      "g",
      { class: "shares" },
      rows.map((row, index) => {
        const tall = ((row.share || 0) / most) * (frame.bottom - frame.top) * 0.92;
        return s("rect", {
          x: from(index) + 1,
          y: frame.bottom - tall,
          width: Math.max(step - 2, 0.5),
          height: tall,
        });
      }),
    ),
  );
  for (const [key, model] of pointsSeries(one).reverse()) {
    const known = (row) => has(row[key]);
    const spots = bins.flatMap((row, index) =>
      known(row)
        ? [
            [from(index), plot.up(row[key])],
            [from(index) + step, plot.up(row[key])],
          ]
        : [],
    );
    svg.append(
      s(
        "g",
        { class: `m${model}` },
        s("path", { class: "line", d: path(spots) }),
        missing.filter(known).map((row) =>
          s("path", {
            class: "line",
            d: path([
              [from(bins.length), plot.up(row[key])],
              [from(bins.length) + step, plot.up(row[key])],
            ]),
          }),
        ),
      ),
    );
  }
  const labels = s("g", { class: "axis" });
  const edges = bins
    .slice(1)
    .map((row, index) => [row.from, from(index + 1)])
    .filter(([edge]) => has(edge));
  const room = missing.length ? Math.min(from(bins.length), frame.right - 46) - 8 : width;
  let last = -99;
  for (const [edge, x] of edges) {
    const text = plain(edge);
    const half = text.length * 3.4;
    if (x - half < last + 8 || x + half > room) continue;
    labels.append(s("text", { class: "middle", x, y: frame.bottom + 17 }, text));
    last = x + half;
  }
  if (missing.length)
    labels.append(s("text", { class: "end", x: frame.right, y: frame.bottom + 17 }, "missing"));
  svg.append(labels);
  const marks = rows.map((row, index) => ({
    x: from(index),
    y: frame.top,
    width: step,
    height: frame.bottom - frame.top,
    ...pointsTip(row),
  }));
  return { marks, height };
}

function categoryChart(one, range, svg, width) {
  const weight = (row) => Math.max(Math.abs(row.points), Math.abs(row.other_points ?? 0)) * (row.share ?? 1);
  const heaviest = new Set([...one.rows].sort((a, b) => weight(b) - weight(a)).slice(0, SHOWN_LEVELS));
  const rows = one.rows.filter((row) => heaviest.has(row));
  const left = Math.min(
    width * 0.4,
    24 + 7.7 * Math.max(...rows.map((row) => Math.min(String(row.value).length, 24))),
  );
  const right = width - 46;
  const across = (value) => left + ((value - range[0]) / (range[1] - range[0])) * (right - left);
  const most = Math.max(...rows.map((row) => row.share || 0)) || 1;
  const tall = 24;
  const bottom = rows.length * tall + 4;
  const axis = s("g", { class: "axis" });
  for (const value of ticks(...range, 4)) {
    axis.append(
      s("line", {
        class: Math.abs(value) < 1e-9 ? "zero" : null,
        x1: across(value),
        x2: across(value),
        y1: 2,
        y2: bottom,
      }),
      s("text", { class: "middle", x: across(value), y: bottom + 16 }, signed(value, value % 1 ? 1 : 0)),
    );
  }
  svg.append(
    s(
      "g",
      { class: "shares" },
      rows.map((row, index) =>
        s("rect", {
          x: left,
          y: 4 + index * tall,
          width: ((row.share || 0) / most) * (right - left) * 0.92,
          height: tall - 3,
        }),
      ),
    ),
    axis,
  );
  const marks = rows.map((row, index) => {
    const y = 4 + index * tall + (tall - 3) / 2;
    const group = s(
      "g",
      {},
      s(
        "text",
        { class: "name end", x: left - 10, y: y + 4 },
        short(String(row.value), Math.floor((left - 10) / 7.7)),
      ),
    );
    for (const [key, model] of pointsSeries(one).reverse()) {
      if (has(row[key])) {
        group.append(
          s(
            "g",
            { class: `m${model}` },
            s("line", { class: "stem", x1: across(0), x2: across(row[key]), y1: y, y2: y }),
            s("circle", { class: "dot", cx: across(row[key]), cy: y, r: 4.5 }),
          ),
        );
      }
    }
    group.append(s("text", { class: "figure end", x: width, y: y + 4 }, signed(row.points)));
    svg.append(group);
    return { x: left, y: y - 10, width: right - left, height: 20, ...pointsTip(row) };
  });
  return { marks, height: bottom + 22 };
}

function pointsPanel(box) {
  const all = data.points;
  const range = pointsRange(all.flatMap((one) => one.rows));
  const isBoth = MODELS.length > 1 && all.some((one) => pointsSeries(one).length > 1);
  const made = new Map();
  const filter = h("input", {
    type: "search",
    placeholder: "name of a feature or a value",
    oninput: () => show(),
  });
  const same = h("input", {
    type: "checkbox",
    id: "same-scale",
    onchange: () => {
      made.clear();
      show();
    },
  });
  const more = h("button", {
    type: "button",
    onclick: () => {
      isAll = !isAll;
      show();
    },
  });
  const count = h("p", { class: "hint", role: "status" });
  const list = h("div", { class: "trio", id: "points-list" });
  let isAll = false;

  const chart = (one) => {
    const own = same.checked ? range : pointsRange(one.rows);
    const paint = one.kind === "number" ? numberChart : categoryChart;
    const ends = pointsRange(one.rows);
    const left = one.kind === "number" ? 0 : Math.max(0, one.rows.length - SHOWN_LEVELS);
    return figure(
      {
        title: [one.label || one.feature, " ", one.family ? h("small", {}, one.family) : null],
        note: left ? `${left} more values of less weight are in the numbers.` : null,
      },
      drawing(
        `Points of ${one.label || one.feature}: from ${signed(ends[0])} to ${signed(ends[1])}.`,
        (svg, width) => paint(one, own, svg, width),
      ),
      numbers(() =>
        table(
          ["Value", MODELS[0], ...(isBoth ? [MODELS[1]] : []), `Share of ${ROWS}`],
          one.rows.map((row) => [
            String(row.value),
            signed(row.points),
            ...(isBoth ? [has(row.other_points) ? signed(row.other_points) : "–"] : []),
            percent(row.share),
          ]),
        ),
      ),
    );
  };
  function show() {
    const wanted = filter.value.trim().toLowerCase();
    const matches = wanted
      ? all.filter((one) =>
          [one.label, one.feature, one.family, ...one.rows.map((row) => row.value)].some((text) =>
            String(text ?? "")
              .toLowerCase()
              .includes(wanted),
          ),
        )
      : all;
    const visible = isAll ? matches : matches.slice(0, SHOWN_FEATURES);
    for (const one of visible) if (!made.has(one)) made.set(one, chart(one));
    list.replaceChildren(...visible.map((one) => made.get(one)));
    count.textContent = `${visible.length} of ${number(all.length)} features${wanted ? ` (${matches.length} match)` : ""}`;
    more.hidden = matches.length <= SHOWN_FEATURES;
    more.textContent = isAll ? "Show the strongest only" : `Show all ${matches.length}`;
  }
  box.append(
    h(
      "div",
      { class: "controls" },
      labelled("Find", filter, "grow"),
      h("div", { class: "control check" }, same, h("label", { for: "same-scale" }, "one scale for all")),
    ),
    h(
      "div",
      { class: "legend" },
      isBoth ? MODELS.slice(0, 2).map((model) => modelName(model)) : modelName(MODELS[0]),
      h("span", { class: "model share-fill" }, h("i", { class: "key" }), `share of ${ROWS}`),
    ),
    count,
    list,
    h("p", { class: "more" }, more),
  );
  show();
}
