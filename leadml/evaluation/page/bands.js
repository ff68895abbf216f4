// Conversion by band, by score, by definition of hot and by days to the first contact.

function bandsFigure() {
  const models = MODELS.filter((model) => filled(data.bands[model]));
  const rows = models.flatMap((model) => data.bands[model].map((row) => ({ model, ...row })));
  const edges = data.band_edges;
  const says = (band) =>
    !edges
      ? ""
      : {
          hot: `score ${edges.hot} or more`,
          warm: `score ${edges.warm} to ${edges.hot}`,
          cold: `score below ${edges.warm}`,
        }[band] || "";
  const groups = distinct(rows.map((row) => row.band)).map((band) => ({
    label: capital(band),
    className: "strong",
    items: models
      .flatMap((model) => only(rows, { model, band }))
      .map((row) => ({
        ...row,
        value: row.n_leads ? row.conversion : null,
        beside: `of ${leadsOf(row.n_leads, ROWS)}`,
        className: band,
        model: models.length > 1 ? row.model : null,
        title: `${capital(band)}, ${row.model}`,
        rows: [["edges", says(band)], ...wonRows(row, [], ROWS)].filter(([, text]) => text),
      })),
  }));
  const max = Math.max(0.01, ...rows.map((row) => row.upper ?? 0));
  return figure(
    {
      title: "Share won by band",
      legend: modelLegend(models),
      note: withNbsp(
        `${edges ? `Hot is a score of ${edges.hot} or more, warm ${edges.warm} or more. ` : ""}Lines are 95 % intervals.`,
      ),
    },
    drawing(`Share won of hot, warm and cold leads by ${models.join(", ")}.`, (svg, width) =>
      valueRows(svg, width, groups, { max, labelWidth: 64, textWidth: width < 460 ? 74 : 170 }),
    ),
    numbers(() =>
      table(
        ["Model", "<Band", capital(ROWS), "Won", "Share won", "95 % interval"],
        rows.map((row) => [
          row.model,
          row.band,
          number(row.n_leads),
          amount(row.n_won),
          percent(row.conversion),
          interval(row),
        ]),
      ),
    ),
  );
}

function scoresFigure() {
  const models = MODELS.filter((model) => filled(data.scores[model]));
  const top = Math.max(
    ...models.flatMap((model) =>
      data.scores[model].flatMap((row) => [row.share_won || 0, row.share_lost || 0]),
    ),
  );
  const one = (model) => {
    const rows = data.scores[model];
    const paint = (svg, width) => {
      const height = 230;
      const plot = axes(svg, width, height, {
        x: [0, 100],
        y: [0, top * 1.12],
        xText: (v) => number(v),
        yText: (v) => percent(v, 0),
        xTitle: "score",
        left: 44,
      });
      const steps = (name) =>
        rows.flatMap((row) => [
          [plot.across(row.score_from), plot.up(row[name] || 0)],
          [plot.across(row.score_to), plot.up(row[name] || 0)],
        ]);
      const area = (name) =>
        `M${plot.across(rows[0].score_from)} ${plot.bottom}L${path(steps(name)).slice(1)}V${plot.bottom}Z`;
      svg.append(
        s("g", { class: "lost-fill" }, s("path", { class: "area", d: area("share_lost") })),
        s(
          "g",
          { class: `m${place(model)}` },
          s("path", { class: "area", d: area("share_won") }),
          s("path", { class: "line", d: path(steps("share_won")) }),
        ),
      );
      for (const band of ["warm", "hot"]) {
        const edge = data.band_edges?.[band];
        if (!has(edge)) continue;
        const x = plot.across(edge);
        svg.append(
          s("line", { class: "edge", x1: x, x2: x, y1: plot.top, y2: plot.bottom }),
          s(
            "text",
            {
              class: band === "hot" ? "muted" : "muted end",
              x: x + (band === "hot" ? 5 : -5),
              y: plot.top + 8,
            },
            `${band} ${edge}`,
          ),
        );
      }
      const marks = rows.map((row) => {
        const high = plot.up(Math.max(row.share_won || 0, row.share_lost || 0));
        return {
          x: plot.across(row.score_from),
          width: plot.across(row.score_to) - plot.across(row.score_from),
          y: high,
          height: plot.bottom - high,
          title: `Score ${number(row.score_from)} to ${number(row.score_to)}`,
          rows: [
            ...wonRows(row, [], ROWS),
            ["of all won", percent(row.share_won)],
            ["of all lost", percent(row.share_lost)],
          ],
        };
      });
      return { marks, height };
    };
    return figure(
      {
        title: model,
        level: "h4",
        legend: [
          keyed("won", place(model)),
          h("span", { class: "model lost-fill" }, h("i", { class: "key" }), "lost"),
        ],
      },
      drawing(`Scores of won and of lost leads by ${model}.`, paint),
      numbers(() =>
        table(
          ["Score", capital(ROWS), "Won", "Share won", "95 % interval", "Of all won", "Of all lost"],
          rows.map((row) => [
            `${number(row.score_from)} to ${number(row.score_to)}`,
            number(row.n_leads),
            amount(row.n_won),
            percent(row.conversion),
            interval(row),
            percent(row.share_won),
            percent(row.share_lost),
          ]),
        ),
      ),
    );
  };
  return h(
    "div",
    { class: "block" },
    h("h3", {}, "Does the score part won from lost?"),
    h(
      "p",
      { class: "lead" },
      "Won and lost leads each fill an area of the same size: the less they overlap, the better.",
    ),
    h("div", { class: "pair" }, models.map(one)),
  );
}

function definitionsFigure() {
  const weekly = data.definitions.every((row) => has(row.leads_a_week));
  const x = weekly ? "leads_a_week" : "n_leads";
  // a handful of leads has no conversion worth drawing; the numbers hold them all
  const rows = data.definitions.filter((row) => row.n_leads >= FEW && has(row.conversion));
  const hot = data.band_edges?.hot;
  const paint = (svg, width) => {
    const height = clamp(width * 0.72, 270, 390);
    const plot = axes(svg, width, height, {
      x: [0, Math.max(...rows.map((row) => row[x]))],
      y: [0, Math.max(...rows.map((row) => row.upper ?? row.conversion))],
      xText: (v) => number(v),
      yText: (v) => percent(v, 0),
      xTitle: weekly ? `hot ${UNIT} a week` : `hot ${UNIT}`,
      yTitle: "share won",
      left: 62,
      right: 20,
    });
    const spots = rows.map((row) => [plot.across(row[x]), plot.up(row.conversion)]);
    const box = s(
      "g",
      { class: "m0" },
      ribbon(rows, plot.across, plot.up, x),
      s("path", { class: "line", d: path(spots) }),
    );
    let before = spots[rows.findIndex((row) => row.edge === hot)] || [1e9, 1e9];
    rows.forEach((row, at) => {
      const chosen = row.edge === hot;
      box.append(
        s("circle", {
          class: chosen ? "dot" : "hollow",
          cx: spots[at][0],
          cy: spots[at][1],
          r: chosen ? 6 : 3.5,
        }),
      );
      const isFree = Math.hypot(before[0] - spots[at][0], before[1] - spots[at][1]) > 30;
      if (chosen || (isFree && row.edge % 10 === 0 && Math.abs(row.edge - (hot ?? -99)) > 5)) {
        box.append(
          s(
            "text",
            { class: chosen ? "figure" : "muted", x: spots[at][0] + 8, y: spots[at][1] - 8 },
            chosen ? `hot from ${row.edge}` : row.edge,
          ),
        );
        before = spots[at];
      }
    });
    svg.append(box);
    const marks = rows.map((row, at) => ({
      x: spots[at][0],
      y: spots[at][1],
      title: `Hot from ${row.edge}`,
      rows: [
        weekly && [`${UNIT} a week`, amount(row.leads_a_week)],
        ...wonRows(row),
        ["of all wins", percent(row.share_of_wins)],
      ].filter(Boolean),
    }));
    return { marks, height };
  };
  return figure(
    {
      title: "Volume against worth",
      note: withNbsp(`Each dot is a score from which leads would be called hot. Shaded: 95 % interval.`),
    },
    drawing("Share won against the number of hot leads, by the score from which leads are hot.", paint),
    numbers(() =>
      table(
        [
          "Hot from",
          weekly ? `${capital(UNIT)} a week` : null,
          capital(UNIT),
          "Won",
          "Share won",
          "95 % interval",
          "Of all wins",
        ].filter(Boolean),
        data.definitions.map((row) => [
          number(row.edge),
          ...(weekly ? [amount(row.leads_a_week)] : []),
          number(row.n_leads),
          amount(row.n_won),
          percent(row.conversion),
          interval(row),
          percent(row.share_of_wins),
        ]),
      ),
    ),
  );
}

function responseFigure() {
  const groups = data.response.map((row) => ({
    label: row.contact,
    items: [
      {
        ...row,
        value: row.n_leads ? row.conversion : null,
        beside: `of ${leadsOf(row.n_leads)}`,
        className: "m0",
        title: `First contact: ${row.contact}`,
        rows: wonRows(row),
      },
    ],
  }));
  const max = Math.max(0.01, ...data.response.map((row) => row.upper ?? 0));
  return figure(
    { title: "Share won by days to the first contact" },
    h(
      "div",
      {},
      h(
        "p",
        { class: "label" },
        h("b", {}, "Observational: "),
        "who was called soon may have been the better lead.",
      ),
      drawing("Share won by days to the first contact.", (svg, width) =>
        valueRows(svg, width, groups, { max, labelWidth: 118, textWidth: width < 460 ? 74 : 170 }),
      ),
    ),
    numbers(() =>
      table(
        ["First contact", capital(UNIT), "Won", "Share won", "95 % interval"],
        data.response.map((row) => [
          row.contact,
          number(row.n_leads),
          amount(row.n_won),
          percent(row.conversion),
          interval(row),
        ]),
      ),
    ),
  );
}
