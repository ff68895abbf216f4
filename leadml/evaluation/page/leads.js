// Reasons that agree or not, the leads judged most differently, and the search by id.

const SHOWN_ROWS = 10;

function agreementPart() {
  const { share, rows } = data.agreement;
  const [first, other] = MODELS;
  const make = () =>
    table(
      ["Feature", `${first}, mean points`, `${other}, mean points`, "Correlation", "Opposite"],
      rows.map((row) => [
        labelOf(row.column),
        number(row.points, 1),
        number(row.other_points, 1),
        number(row.correlation, 2),
        percent(row.opposite, 0),
      ]),
      { name: "Agreement of reasons by feature" },
    );
  return h(
    "div",
    { class: "block" },
    h("h3", {}, "Do both give the same reasons?"),
    has(share)
      ? h(
          "p",
          {},
          `For ${percent(share, 0)} of ${ROWS} the ${first} and the ${other} name the same strongest reason.`,
        )
      : null,
    rows.length
      ? h(
          "p",
          { class: "lead" },
          `Mean points are how much a feature moves scores, up or down. Opposite: the share of ${ROWS} where one adds and the other takes away.`,
        )
      : null,
    rows.length > SHOWN_ROWS
      ? [
          table(
            ["Feature", `${first}, mean points`, `${other}, mean points`, "Correlation", "Opposite"],
            rows
              .slice(0, SHOWN_ROWS)
              .map((row) => [
                labelOf(row.column),
                number(row.points, 1),
                number(row.other_points, 1),
                number(row.correlation, 2),
                percent(row.opposite, 0),
              ]),
            { name: "Agreement of reasons" },
          ),
          numbers(make, `All ${rows.length} features`),
        ]
      : rows.length
        ? make()
        : null,
  );
}

const ownLines = (lines) => lines.filter((line) => !line[3]);
const widestOf = (...sums) => Math.max(1, ...sums.flatMap(ownLines).map(([points]) => Math.abs(points)));

// bars of sums side by side have one scale, `widest`
function sumLines(lines, model, widest) {
  // what every lead has comes first and the small lines together last, both without a bar
  const heads = lines.filter((line) => line[3] === "base");
  const others = lines.filter((line) => line[3] === "rest");
  const own = ownLines(lines).sort((a, b) => Math.abs(b[0]) - Math.abs(a[0]));
  const rest = own.slice(SHOWN_ROWS);
  const row = (points, label, value, isOwn = true) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, label, has(value) ? h("small", {}, plain(value)) : null),
      h(
        "td",
        { class: "tug" },
        isOwn
          ? h("i", {
              class: points < 0 ? "minus" : "plus",
              style: `--part:${Math.min(46, (46 * Math.abs(points)) / widest)}%`,
            })
          : null,
      ),
      h("td", {}, signed(points)),
    );
  return h(
    "div",
    { class: `sum m${place(model)}` },
    h("h4", {}, modelName(model)),
    h(
      "table",
      {},
      h(
        "tbody",
        {},
        heads.map(([points, name, value]) => row(points, name, value, false)),
        own.slice(0, SHOWN_ROWS).map(([points, feature, value]) => row(points, labelOf(feature), value)),
        rest.length
          ? row(
              rest.reduce((total, [points]) => total + points, 0),
              `${rest.length} smaller lines`,
            )
          : null,
        others.map(([points, name]) => row(points, name, null, false)),
      ),
    ),
  );
}

function disagreementPart() {
  const [first, other] = MODELS;
  const one = (lead) => {
    const box = h(
      "details",
      { class: "lead-row" },
      h(
        "summary",
        {},
        h("span", { class: "id", title: String(lead.lead_id) }, String(lead.lead_id)),
        h(
          "span",
          { class: "apart", "aria-hidden": true },
          h("i", {
            style: `left:${Math.min(lead.score, lead.other_score)}%;width:${Math.abs(lead.score - lead.other_score)}%`,
          }),
          h("b", { class: "m1", style: `left:${lead.other_score}%` }),
          h("b", { class: "m0", style: `left:${lead.score}%` }),
        ),
        h(
          "span",
          { class: "both" },
          h("span", { class: "m0 tone" }, number(lead.score)),
          h("span", { class: "muted" }, " against "),
          h("span", { class: "m1 tone" }, number(lead.other_score)),
        ),
        outcome(lead.won) || h("span", { class: "outcome" }, "open"),
      ),
    );
    box.addEventListener("toggle", () => {
      if (!box.open || box.children.length > 1) return;
      box.append(
        h(
          "div",
          { class: "inside" },
          h(
            "p",
            { class: "hint" },
            `${lead.lead_id}. Chance of a win: ${percent(lead.probability)} by the ${first}, ${percent(lead.other_probability)} by the ${other}.`,
          ),
          h(
            "div",
            { class: "pair" },
            sumLines(lead.sum || [], first, widestOf(lead.sum || [], lead.other_sum || [])),
            sumLines(lead.other_sum || [], other, widestOf(lead.sum || [], lead.other_sum || [])),
          ),
        ),
      );
    });
    return box;
  };
  const group = (rows, title) => {
    if (!rows.length) return null;
    const won = rows.filter((row) => row.won === 1).length;
    const known = rows.filter((row) => has(row.won)).length;
    return h(
      "div",
      {},
      h("h4", {}, title, known ? h("small", {}, ` ${won} of ${known} won`) : null),
      rows.map(one),
    );
  };
  const apart = (row) => row.score - row.other_score;
  const sorted = [...data.disagreement].sort((a, b) => Math.abs(apart(b)) - Math.abs(apart(a)));
  return h(
    "div",
    { class: "block" },
    h("h3", {}, "Judged most differently"),
    h("p", { class: "lead" }, `Open a ${UNIT.replace(/s$/, "")} to see both sums side by side.`),
    h(
      "div",
      { class: "pair disagreement" },
      group(
        sorted.filter((row) => apart(row) >= 0),
        `The ${first} higher`,
      ),
      group(
        sorted.filter((row) => apart(row) < 0),
        `The ${other} higher`,
      ),
    ),
  );
}

function leadsPanel(box, whatIf) {
  const all = data.leads;
  const search = h("input", {
    type: "search",
    id: "lead-search",
    placeholder: "id of a lead",
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => list(),
    onkeydown: (event) => event.key === "Enter" && found.length && show(found[0]),
  });
  const results = h("div", { class: "results", id: "lead-results" });
  const count = h("p", { class: "hint", role: "status" });
  const shown = h("div", { class: "lead-card", id: "lead-card", "aria-live": "polite" });
  let found = [];
  let current = null;

  function judge(lead, model) {
    const row = lead.scores?.[model];
    if (!row) return null;
    const range = interval(row);
    return h(
      "div",
      { class: `m${place(model)}` },
      h("h4", {}, modelName(model)),
      h("div", { class: "value" }, h("b", {}, number(row.score)), has(row.band) ? bandChip(row.band) : null),
      h(
        "p",
        { class: "chance" },
        `${percent(row.probability)} chance of a win`,
        range ? h("span", { class: "muted" }, ` (${range})`) : null,
      ),
      row.abstain_because ? h("p", { class: "hint" }, `Take it with care: ${row.abstain_because}.`) : null,
      h(
        "ul",
        { class: "reasons" },
        (lead.reasons?.[model] || []).map((text) => h("li", {}, minus(String(text)))),
      ),
    );
  }
  function show(lead) {
    current = lead;
    if (!lead) {
      shown.replaceChildren();
      return;
    }
    const button =
      whatIf && filled(lead.values)
        ? h(
            "button",
            { type: "button", id: "open-what-if", onclick: () => whatIf.open(lead) },
            "Open in what-if",
          )
        : null;
    shown.replaceChildren(
      h("div", { class: "lead-head" }, h("h3", {}, String(lead.lead_id)), outcome(lead.won), button),
      h(
        "div",
        { class: "pair" },
        MODELS.map((model) => judge(lead, model)),
      ),
    );
    for (const one of results.children)
      one.setAttribute("aria-pressed", one.dataset.id === String(lead.lead_id));
  }
  function list() {
    const wanted = search.value.trim().toLowerCase();
    found = all.filter((lead) => String(lead.lead_id).toLowerCase().includes(wanted));
    const visible = found.slice(0, 8);
    // what is shown is always one of those found
    if (!found.includes(current)) show(found[0]);
    results.replaceChildren(
      ...visible.map((lead) => {
        const row = lead.scores?.[MODELS[0]];
        return h(
          "button",
          {
            type: "button",
            "data-id": String(lead.lead_id),
            "aria-pressed": lead === current,
            onclick: () => show(lead),
          },
          h("span", { class: "id", title: String(lead.lead_id) }, String(lead.lead_id)),
          has(row?.score) ? h("span", { class: "tone m0" }, number(row.score)) : null,
          row?.band ? bandChip(row.band) : null,
        );
      }),
    );
    count.textContent = found.length
      ? `${visible.length} of ${number(found.length)}${wanted ? ` that match, of ${number(all.length)}` : ` ${UNIT} in the sample`}`
      : `No lead of the sample has such an id (${number(all.length)} are in it).`;
  }
  const { coverage, abstained } = data.uncertainty || {};
  box.append(
    coverage || has(abstained)
      ? h(
          "p",
          { class: "lead" },
          coverage ? withNbsp(coverage) : "",
          has(abstained)
            ? ` For ${percent(abstained)} of ${ROWS} the model abstains: too little is known of their like.`
            : "",
        )
      : "",
    h("div", { class: "lookup" }, h("div", {}, labelled("Lead id", search), count, results), shown),
  );
  list();
  show(all[0]);
}
