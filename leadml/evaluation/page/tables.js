// Heat tables, the forecast, and the sentences of the tests.

// the deeper the tint, the more were won; the words stay readable on the deepest
function heat(corner, columns, rows, cells, name) {
  const isFew = (cell) => !cell || cell.n_leads < FEW;
  const top = Math.max(
    0.0001,
    ...cells
      .flat()
      .filter((cell) => !isFew(cell))
      .map((cell) => cell.conversion),
  );
  const one = (cell) =>
    h(
      "td",
      {
        class: isFew(cell) ? "heat few" : "heat",
        style: isFew(cell) ? null : `--depth:${Math.round(46 * (cell.conversion / top))}%`,
      },
      cell?.n_leads
        ? [
            h("b", {}, percent(cell.conversion)),
            h("small", {}, interval(cell)),
            h("small", {}, leadsOf(cell.n_leads)),
          ]
        : h("small", {}, `no ${UNIT}`),
    );
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": name },
    h(
      "table",
      { class: "heated" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("td", { class: "corner" }, corner),
          columns.map((column) => h("th", { scope: "col" }, column)),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((row, at) => h("tr", {}, h("th", { scope: "row" }, row), cells[at].map(one))),
      ),
    ),
  );
}

const chance = (p) => (!has(p) ? "" : p < 0.001 ? " (p below 0.001)" : ` (p = ${number(p, 3)})`);

function mcnemar(row) {
  const start = `Calling the best ${number(row.n_leads)} of each, both find ${number(row.both)} wins; the ${row.model} alone finds ${number(row.model_only)} more, the ${row.other} alone ${number(row.other_only)}.`;
  // a coin for each win of one list alone; the verdict's interval minds that both make as many calls
  const end = ` McNemar's test of the wins that one alone finds${chance(row.p_value)} leaves out that both make the same number of calls; the verdict does not.`;
  return h("p", {}, start + end, row.neither ? ` ${number(row.neither)} wins are found by neither.` : "");
}

function crossFigure() {
  const others = distinct((data.cross || []).map((row) => row.other));
  const tables = others.map((other) => {
    const rows = only(data.cross, { other });
    const { model } = rows[0];
    const cells = BANDS.map((band) =>
      BANDS.map((theirs) => rows.find((row) => row.band === band && row.other_band === theirs)),
    );
    const corner = [
      h("span", {}, `the ${model} says ↓`),
      h("span", {}, `the ${other} say${other.endsWith("s") ? "" : "s"} →`),
    ];
    return h(
      "div",
      {},
      heat(
        corner,
        BANDS.map(capital),
        BANDS.map(capital),
        cells,
        `Share won by the bands of ${model} and ${other}`,
      ),
    );
  });
  const sentences = (data.top || []).map(mcnemar);
  return h(
    "div",
    { class: "block" },
    h("h3", {}, "Where their bands differ"),
    tables.length
      ? h(
          "p",
          { class: "lead" },
          withNbsp(
            "Share won, its 95 % interval, and how many. Off the diagonal the two disagree: whose word came true?",
          ),
        )
      : null,
    h(
      "div",
      { class: "beside-heat" },
      tables,
      sentences.length ? h("div", { class: "sentences" }, sentences) : null,
    ),
    tables.length ? h("p", { class: "hint" }, `Cells of fewer than ${FEW} ${UNIT} have no tint.`) : null,
  );
}

function gridFigure() {
  const fits = ["A", "B", "C", "D"];
  const cells = fits.map((fit) =>
    [1, 2, 3, 4].map((engagement) => {
      const row = data.grid.find((one) => one.fit === fit && one.engagement === engagement);
      return row;
    }),
  );
  const range = (low, high) =>
    !has(low) && !has(high)
      ? ""
      : !has(low)
        ? `below ${plain(high)}`
        : !has(high)
          ? `${plain(low)} or more`
          : `${plain(low)} to ${plain(high)}`;
  const head = (text, low, high) => [h("span", { class: "grade" }, text), h("small", {}, range(low, high))];
  const rows = fits.map((fit, at) =>
    head(fit, cells[at].find(Boolean)?.fit_from, cells[at].find(Boolean)?.fit_to),
  );
  const columns = [1, 2, 3, 4].map((engagement, at) => {
    const one = cells.map((row) => row[at]).find(Boolean);
    return head(String(engagement), one?.engagement_from, one?.engagement_to);
  });
  const box = heat(
    [h("span", {}, "fit ↓"), h("span", {}, "engagement →")],
    columns,
    rows,
    cells,
    "Share won by fit and engagement",
  );
  return h("div", {}, box, h("p", { class: "hint" }, `Cells of fewer than ${FEW} ${UNIT} have no tint.`));
}

function forecastFigure() {
  const rows = data.forecast;
  const needed = rows.find((row) => has(row.needed));
  const [{ horizon }] = rows;
  const total = has(horizon) ? `Next ${horizon} weeks` : "All weeks ahead";
  const head = [
    "Band",
    "Mean a week",
    "A coming week",
    total,
    needed && `Chance of ${number(needed.needed)} a week`,
  ].filter(Boolean);
  const cells = (row) => [
    row.group === "all" ? "All" : capital(String(row.group)),
    number(row.mean, 1),
    interval(row, (v) => number(v)),
    interval({ lower: row.total_lower, upper: row.total_upper }, (v) => number(v)),
    ...(needed ? [has(row.chance) ? percent(row.chance, 0) : "–"] : []),
  ];
  return h(
    "div",
    { class: "chart" },
    h("h3", {}, `${capital(UNIT)} to come`),
    table(head, rows.map(cells), { name: "Forecast" }),
    h(
      "p",
      { class: "caption" },
      `Ranges hold 95 times of 100, if the weeks to come are like the ${number(rows[0].n_weeks)} seen.`,
    ),
  );
}

function delongFigure() {
  const rows = data.auc || [];
  return h(
    "div",
    { class: "sentences" },
    rows.map((row) => {
      const shown = row.lower > 0 || row.upper < 0;
      const three = (value) => number(value, 3);
      return h(
        "p",
        { class: "lead" },
        withNbsp(
          `AUC by DeLong's test: ${three(row.roc_auc)} for the ${row.model}, ${three(row.other_roc_auc)} for the ${row.other}; `,
        ),
        withNbsp(
          `difference ${signed(row.difference, 3)}, 95 % interval ${interval(row, three)}${chance(row.p_value)}${shown ? "." : ": no difference is shown."}`,
        ),
      );
    }),
  );
}
