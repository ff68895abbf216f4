// Whether the probabilities can be trusted, and whether calling by score pays.

function reliabilityFigure() {
  const rows = MODELS.flatMap((model) => (data.reliability[model] || []).map((row) => ({ model, ...row })));
  const top = Math.min(
    1,
    Math.ceil(10 * Math.max(...rows.map((row) => Math.max(row.y_prob_mean, row.upper ?? 0)))) / 10,
  );
  const paint = (svg, width) => {
    const height = Math.min(width * 0.86, 430);
    const plot = axes(svg, width, height, {
      x: [0, top],
      y: [0, top],
      xText: (v) => percent(v, 0),
      yText: (v) => percent(v, 0),
      xTitle: "promised probability",
      yTitle: "share won",
      left: 62,
    });
    const corner = [plot.across(top), plot.up(top)];
    svg.append(
      s("path", { class: "line dashed quiet-line", d: path([[plot.across(0), plot.up(0)], corner]) }),
      s("text", { class: "muted end", x: corner[0] - 16, y: corner[1] + 5 }, "as promised"),
    );
    const marks = [];
    for (const model of MODELS) {
      const own = rows.filter((row) => row.model === model);
      const spots = own.map((row) => [plot.across(row.y_prob_mean), plot.up(row.conversion)]);
      svg.append(
        s(
          "g",
          { class: `m${place(model)}` },
          own.map(
            (row, at) => has(row.lower) && whisker(spots[at][0], plot.up(row.lower), plot.up(row.upper)),
          ),
          s("path", { class: "line", d: path(spots) }),
          spots.map(([x, y]) => s("circle", { class: "dot", cx: x, cy: y, r: 4.5 })),
        ),
      );
      marks.push(
        ...own.map((row, at) => ({
          x: spots[at][0],
          y: spots[at][1],
          title: model,
          rows: wonRows(row, [["promised", percent(row.y_prob_mean)]], ROWS),
        })),
      );
    }
    return { marks, height };
  };
  return figure(
    {
      title: "Promised and come",
      legend: modelLegend(),
      note: withNbsp(
        `${capital(ROWS)} in groups of equal size, by promised probability. Bars are 95 % intervals.`,
      ),
    },
    drawing(`Reliability of ${MODELS.join(", ")}: share won against promised probability.`, paint),
    numbers(() =>
      table(
        ["Model", "Promised", "Won", "95 % interval", capital(ROWS)],
        rows.map((row) => [
          row.model,
          percent(row.y_prob_mean),
          percent(row.conversion),
          interval(row),
          number(row.n_leads),
        ]),
      ),
    ),
  );
}

function segmentsFigure() {
  const columns = distinct(data.segments.map((row) => row.column));
  const choice = h(
    "select",
    { onchange: () => show() },
    columns.map((name) => h("option", { value: name }, name)),
  );
  const box = h("div");
  function show() {
    const rows = only(data.segments, { column: choice.value });
    const groups = distinct(rows.map((row) => row.segment)).map((segment) => {
      const own = only(rows, { segment });
      const [first] = own;
      return {
        label: String(segment),
        items: [
          {
            value: first.conversion,
            lower: first.lower,
            upper: first.upper,
            hollow: first.is_small,
            beside: leadsOf(first.n_leads),
            title: `${segment}${first.is_small ? " (few: read with care)" : ""}`,
            ticks: own
              .filter((row) => has(row.y_prob_mean))
              .map((row) => ({ model: row.model, value: row.y_prob_mean })),
            rows: [
              ...wonRows(first),
              ...own.map((row) => [`${row.model} promised`, percent(row.y_prob_mean), place(row.model)]),
            ],
          },
        ],
      };
    });
    const top = Math.max(0.01, ...rows.flatMap((row) => [row.upper ?? 0, row.y_prob_mean ?? 0]));
    const paint = (svg, width) =>
      valueRows(svg, width, groups, {
        max: top,
        bars: false,
        labelWidth: 150,
        textWidth: width < 460 ? 76 : 176,
      });
    const small = rows.some((row) => row.is_small);
    box.replaceChildren(
      drawing(`Share won and promised probability by ${choice.value}.`, paint),
      h(
        "figcaption",
        {},
        withNbsp(
          `Dots: share won, with its 95 % interval. Upright marks: what each model promised.${
            small ? " Hollow dots rest on few leads: read them with care." : ""
          }`,
        ),
      ),
      numbers(() =>
        table(
          [
            "Segment",
            "<Model",
            capital(UNIT),
            "Won",
            "95 % interval",
            "Promised",
            "Promise less won",
            "AUC",
            "AUC interval",
          ],
          rows.map((row) => [
            `${row.segment}${row.is_small ? " (few)" : ""}`,
            row.model,
            number(row.n_leads),
            percent(row.conversion),
            interval(row),
            percent(row.y_prob_mean),
            has(row.gap) ? `${signed(100 * row.gap)}${NBSP}pp` : "–",
            number(row.roc_auc, 3),
            interval({ lower: row.auc_lower, upper: row.auc_upper }, (v) => number(v, 3)),
          ]),
        ),
      ),
    );
  }
  show();
  return figure(
    {
      title: "Do the promises hold in each segment?",
      legend: modelLegend(distinct(data.segments.map((row) => row.model))),
    },
    h("div", {}, labelled("By", choice, "inline"), box),
  );
}

function netBenefitFigure() {
  const rows = data.net_benefit;
  const names = distinct(rows.map((row) => row.model));
  const own = rows.filter((row) => MODELS.includes(row.model));
  const top = Math.max(0.001, ...own.map((row) => row.upper ?? row.net_benefit)) * 1.05;
  const last = Math.max(...rows.map((row) => row.threshold));
  const series = names
    .map((name) => ({
      name,
      rows: only(rows, { model: name }),
      color: MODELS.includes(name) ? place(name) : null,
      dashed: !MODELS.includes(name),
    }))
    .sort((a, b) => has(b.color) - has(a.color));
  const wins = (value) => number(1000 * value, 0);
  const paint = (svg, width) => {
    const height = clamp(width * 0.7, 260, 380);
    const { marks, plot } = curves(svg, width, height, series, {
      x: "threshold",
      value: "net_benefit",
      clip: true,
      heading: (row) => `Calling from ${percent(row.threshold, 0)}`,
      describe: (row) =>
        `${wins(row.net_benefit)}${has(row.lower) && row.lower !== row.upper ? ` (${interval(row, wins)})` : ""}`,
      frame: {
        x: [0, last],
        y: [-top * 0.18, top],
        xText: (v) => percent(v, 0),
        yText: wins,
        left: 62,
        xTitle: "call where the probability is at least",
        yTitle: `net wins per 1,000 ${UNIT}`,
      },
    });
    const all = series.find((one) => one.name === "call all");
    const low = all?.rows.find((row) => row.net_benefit < -top * 0.05);
    if (low)
      svg.append(
        s("text", { class: "muted", x: plot.across(low.threshold) + 8, y: plot.up(-top * 0.15) }, "call all"),
      );
    if (names.includes("call none"))
      svg.append(s("text", { class: "muted end", x: plot.right, y: plot.up(0) + 15 }, "call none"));
    return { marks, height };
  };
  return figure(
    {
      title: "Is a call worth it?",
      legend: modelLegend(),
      note: "Wins found, less the calls that were wasted, weighed by the probability from which a call pays for you. The highest line is the best way to choose.",
    },
    drawing(
      `Decision curve of ${names.join(", ")}: net benefit by the probability from which leads are called.`,
      paint,
    ),
    numbers(() =>
      table(
        ["Model", "Calling from", `Net wins per 1,000 ${UNIT}`, "95 % interval"],
        rows.map((row) => [
          row.model,
          percent(row.threshold),
          number(1000 * row.net_benefit, 1),
          interval(row, (v) => number(1000 * v, 1)),
        ]),
      ),
    ),
  );
}

function valueFigure() {
  const rows = data.value;
  const names = distinct(rows.map((row) => row.ranking));
  const top = Math.max(...rows.map((row) => row.upper ?? row.value)) || 1;
  const series = names.map((name, at) => ({
    name,
    rows: only(rows, { ranking: name }),
    color: MODELS.includes(name) ? place(name) : (at + 2) % 5,
    // rankings may coincide: a dashed line lets the one below be seen
    dashed: at > 1,
  }));
  const paint = (svg, width) => {
    const height = clamp(width * 0.7, 260, 380);
    const { marks } = curves(svg, width, height, series, {
      x: "fraction",
      value: "value",
      heading: (row) => `Best ${percent(row.fraction)}: ${leadsOf(row.n_leads)}`,
      describe: (row) => `${money(row.value)}${has(row.lower) ? ` (${interval(row, money)})` : ""}`,
      frame: {
        x: [0, Math.max(...rows.map((row) => row.fraction))],
        y: [0, top],
        xText: (v) => percent(v, 0),
        yText: money,
        left: 62,
        xTitle: `share of ${UNIT} called`,
        yTitle: "value won",
      },
    });
    return { marks, height };
  };
  return figure(
    {
      title: "Value won, by whom to call first",
      legend: series.map((one) => keyed(one.name, one.color)),
      note: withNbsp("The worth of the deals won among the leads called. Shaded: 95 % intervals."),
    },
    drawing(`Value won by ${names.join(", ")} against the share of leads called.`, paint),
    numbers(() =>
      table(
        ["Ranking", "Called", capital(UNIT), "Won", "Value", "95 % interval"],
        rows.map((row) => [
          row.ranking,
          percent(row.fraction),
          number(row.n_leads),
          amount(row.n_won),
          money(row.value),
          interval(row, money),
        ]),
      ),
    ),
  );
}
