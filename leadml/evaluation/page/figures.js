// The figures that only show: each takes its part of the payload and gives a <figure>.

const FEW = 30;
const leadsOf = (count) => `${number(count)} ${count === 1 ? UNIT.replace(/s$/, "") : UNIT}`;
const wonRows = (row, extra = []) => [
  ...extra,
  ["won", percent(row.conversion)],
  ["95 % interval", interval(row)],
  [UNIT, number(row.n_leads)],
];
const withNbsp = (text) => text.replaceAll(" %", `${NBSP}%`);

function reliabilityFigure() {
  const rows = MODELS.flatMap((model) => (data.reliability[model] || []).map((row) => ({ model, ...row })));
  const top = Math.min(1, Math.ceil(10 * Math.max(...rows.map((row) => Math.max(row.y_prob_mean, row.upper ?? 0)))) / 10);
  const paint = (svg, width) => {
    const height = Math.min(width * 0.86, 430);
    const plot = axes(svg, width, height, {
      x: [0, top], y: [0, top], xText: (v) => percent(v, 0), yText: (v) => percent(v, 0),
      xTitle: "promised probability", yTitle: "share won", left: 62,
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
      svg.append(s("g", { class: `m${place(model)}` },
        own.map((row, at) => has(row.lower) && whisker(spots[at][0], plot.up(row.lower), plot.up(row.upper))),
        s("path", { class: "line", d: path(spots) }),
        spots.map(([x, y]) => s("circle", { class: "dot", cx: x, cy: y, r: 4.5 }))));
      marks.push(...own.map((row, at) => ({
        x: spots[at][0], y: spots[at][1], title: model, rows: wonRows(row, [["promised", percent(row.y_prob_mean)]]),
      })));
    }
    return { marks, height };
  };
  return figure(
    {
      title: "Promised and come", legend: modelLegend(),
      note: withNbsp(`${capital(UNIT)} in groups of equal size, by promised probability. Bars are 95 % intervals.`),
    },
    drawing(`Reliability of ${MODELS.join(", ")}: share won against promised probability.`, paint),
    numbers(() => table(["Model", "Promised", "Won", "95 % interval", capital(UNIT)],
      rows.map((row) => [row.model, percent(row.y_prob_mean), percent(row.conversion), interval(row), number(row.n_leads)]))),
  );
}

function segmentsFigure() {
  const columns = distinct(data.segments.map((row) => row.column));
  const choice = h("select", { onchange: () => show() }, columns.map((name) => h("option", { value: name }, name)));
  const box = h("div");
  function show() {
    const rows = only(data.segments, { column: choice.value });
    const groups = distinct(rows.map((row) => row.segment)).map((segment) => {
      const own = only(rows, { segment });
      const [first] = own;
      return {
        label: String(segment),
        items: [{
          value: first.conversion, lower: first.lower, upper: first.upper, hollow: first.is_small,
          beside: leadsOf(first.n_leads), title: `${segment}${first.is_small ? " (few: read with care)" : ""}`,
          ticks: own.filter((row) => has(row.y_prob_mean)).map((row) => ({ model: row.model, value: row.y_prob_mean })),
          rows: [...wonRows(first), ...own.map((row) => [`${row.model} promised`, percent(row.y_prob_mean), place(row.model)])],
        }],
      };
    });
    const top = Math.max(0.01, ...rows.flatMap((row) => [row.upper ?? 0, row.y_prob_mean ?? 0]));
    const paint = (svg, width) =>
      valueRows(svg, width, groups, { max: top, bars: false, labelWidth: 150, textWidth: width < 460 ? 64 : 150 });
    const small = rows.some((row) => row.is_small);
    box.replaceChildren(
      drawing(`Share won and promised probability by ${choice.value}.`, paint),
      h("figcaption", {}, withNbsp(`Dots: share won, with its 95 % interval. Upright marks: what each model promised.${
        small ? " Hollow dots rest on few leads: read them with care." : ""}`)),
      numbers(() => table(
        ["Segment", "<Model", capital(UNIT), "Won", "95 % interval", "Promised", "Promise less won", "AUC", "AUC interval"],
        rows.map((row) => [
          `${row.segment}${row.is_small ? " (few)" : ""}`, row.model, number(row.n_leads), percent(row.conversion), interval(row),
          percent(row.y_prob_mean), has(row.gap) ? `${signed(100 * row.gap)}${NBSP}pp` : "–", number(row.roc_auc, 3),
          interval({ lower: row.auc_lower, upper: row.auc_upper }, (v) => number(v, 3)),
        ]))),
    );
  }
  show();
  return figure({ title: "Do the promises hold in each segment?", legend: modelLegend(distinct(data.segments.map((row) => row.model))) },
    h("div", {}, labelled("By", choice, "inline"), box));
}

function netBenefitFigure() {
  const rows = data.net_benefit;
  const names = distinct(rows.map((row) => row.model));
  const own = rows.filter((row) => MODELS.includes(row.model));
  const top = Math.max(0.001, ...own.map((row) => row.upper ?? row.net_benefit)) * 1.05;
  const last = Math.max(...rows.map((row) => row.threshold));
  const series = names.map((name) => ({
    name, rows: only(rows, { model: name }), color: MODELS.includes(name) ? place(name) : null, dashed: !MODELS.includes(name),
  })).sort((a, b) => has(b.color) - has(a.color));
  const wins = (value) => number(1000 * value, 0);
  const paint = (svg, width) => {
    const height = clamp(width * 0.7, 260, 380);
    const { marks, plot } = curves(svg, width, height, series, {
      x: "threshold", value: "net_benefit", clip: true,
      heading: (row) => `Calling from ${percent(row.threshold, 0)}`,
      describe: (row) => `${wins(row.net_benefit)}${has(row.lower) && row.lower !== row.upper ? ` (${interval(row, wins)})` : ""}`,
      frame: {
        x: [0, last], y: [-top * 0.18, top], xText: (v) => percent(v, 0), yText: wins, left: 62,
        xTitle: "call where the probability is at least", yTitle: `net wins per 1,000 ${UNIT}`,
      },
    });
    const all = series.find((one) => one.name === "call all");
    const low = all?.rows.find((row) => row.net_benefit < top * 0.5);
    if (low) svg.append(s("text", { class: "muted", x: plot.across(low.threshold) + 8, y: plot.up(Math.max(low.net_benefit, -top * 0.1)) }, "call all"));
    if (names.includes("call none")) svg.append(s("text", { class: "muted end", x: plot.right, y: plot.up(0) + 15 }, "call none"));
    return { marks, height };
  };
  return figure(
    {
      title: "Is a call worth it?", legend: modelLegend(),
      note: "Wins found, less the calls that were wasted, weighed by the probability from which a call pays for you. The highest line is the best way to choose.",
    },
    drawing(`Decision curve of ${names.join(", ")}: net benefit by the probability from which leads are called.`, paint),
    numbers(() => table(["Model", "Calling from", `Net wins per 1,000 ${UNIT}`, "95 % interval"],
      rows.map((row) => [row.model, percent(row.threshold), number(1000 * row.net_benefit, 1), interval(row, (v) => number(1000 * v, 1))]))),
  );
}

function valueFigure() {
  const rows = data.value;
  const names = distinct(rows.map((row) => row.ranking));
  const top = Math.max(...rows.map((row) => row.upper ?? row.value)) || 1;
  const series = names.map((name, at) => ({ name, rows: only(rows, { ranking: name }), color: MODELS.includes(name) ? place(name) : (at + 2) % 5 }));
  const paint = (svg, width) => {
    const height = clamp(width * 0.7, 260, 380);
    const { marks } = curves(svg, width, height, series, {
      x: "fraction", value: "value", heading: (row) => `Best ${percent(row.fraction)}: ${leadsOf(row.n_leads)}`,
      describe: (row) => `${money(row.value)}${has(row.lower) ? ` (${interval(row, money)})` : ""}`,
      frame: {
        x: [0, Math.max(...rows.map((row) => row.fraction))], y: [0, top], xText: (v) => percent(v, 0), yText: money, left: 62,
        xTitle: `share of ${UNIT} called`, yTitle: "value won",
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
    numbers(() => table(["Ranking", "Called", capital(UNIT), "Won", "Value", "95 % interval"],
      rows.map((row) => [row.ranking, percent(row.fraction), number(row.n_leads), amount(row.n_won), money(row.value), interval(row, money)]))),
  );
}

function bandsFigure() {
  const models = MODELS.filter((model) => filled(data.bands[model]));
  const rows = models.flatMap((model) => data.bands[model].map((row) => ({ model, ...row })));
  const edges = data.band_edges;
  const says = (band) => (!edges ? "" : { hot: `score ${edges.hot} or more`, warm: `score ${edges.warm} to ${edges.hot}`, cold: `score below ${edges.warm}` }[band] || "");
  const groups = distinct(rows.map((row) => row.band)).map((band) => ({
    label: capital(band), className: "strong",
    items: models.flatMap((model) => only(rows, { model, band })).map((row) => ({
      ...row, value: row.n_leads ? row.conversion : null, beside: `of ${leadsOf(row.n_leads)}`,
      className: band, model: models.length > 1 ? row.model : null,
      title: `${capital(band)}, ${row.model}`, rows: [["edges", says(band)], ...wonRows(row)].filter(([, text]) => text),
    })),
  }));
  const max = Math.max(0.01, ...rows.map((row) => row.upper ?? 0));
  return figure(
    { title: "Share won by band", legend: modelLegend(models), note: withNbsp(`${edges ? `Hot is a score of ${edges.hot} or more, warm ${edges.warm} or more. ` : ""}Lines are 95 % intervals.`) },
    drawing(`Share won of hot, warm and cold leads by ${models.join(", ")}.`, (svg, width) =>
      valueRows(svg, width, groups, { max, labelWidth: 64, textWidth: width < 460 ? 62 : 170 })),
    numbers(() => table(["Model", "<Band", capital(UNIT), "Won", "Share won", "95 % interval"],
      rows.map((row) => [row.model, row.band, number(row.n_leads), amount(row.n_won), percent(row.conversion), interval(row)]))),
  );
}

function scoresFigure() {
  const models = MODELS.filter((model) => filled(data.scores[model]));
  const top = Math.max(...models.flatMap((model) => data.scores[model].flatMap((row) => [row.share_won || 0, row.share_lost || 0])));
  const one = (model) => {
    const rows = data.scores[model];
    const paint = (svg, width) => {
      const height = 230;
      const plot = axes(svg, width, height, {
        x: [0, 100], y: [0, top * 1.12], xText: (v) => number(v), yText: (v) => percent(v, 0), xTitle: "score", left: 44,
      });
      const steps = (name) => rows.flatMap((row) => [[plot.across(row.score_from), plot.up(row[name] || 0)], [plot.across(row.score_to), plot.up(row[name] || 0)]]);
      const area = (name) => `M${plot.across(rows[0].score_from)} ${plot.bottom}L${path(steps(name)).slice(1)}V${plot.bottom}Z`;
      svg.append(
        s("g", { class: "lost-fill" }, s("path", { class: "area", d: area("share_lost") })),
        s("g", { class: `m${place(model)}` }, s("path", { class: "area", d: area("share_won") }), s("path", { class: "line", d: path(steps("share_won")) })),
      );
      for (const band of ["warm", "hot"]) {
        const edge = data.band_edges?.[band];
        if (!has(edge)) continue;
        const x = plot.across(edge);
        svg.append(s("line", { class: "edge", x1: x, x2: x, y1: plot.top, y2: plot.bottom }),
          s("text", { class: band === "hot" ? "muted" : "muted end", x: x + (band === "hot" ? 5 : -5), y: plot.top + 8 }, `${band} ${edge}`));
      }
      const marks = rows.map((row) => {
        const high = plot.up(Math.max(row.share_won || 0, row.share_lost || 0));
        return {
          x: plot.across(row.score_from), width: plot.across(row.score_to) - plot.across(row.score_from), y: high, height: plot.bottom - high,
          title: `Score ${number(row.score_from)} to ${number(row.score_to)}`,
          rows: [...wonRows(row), ["of all won", percent(row.share_won)], ["of all lost", percent(row.share_lost)]],
        };
      });
      return { marks, height };
    };
    return figure(
      { title: model, level: "h4", legend: [keyed("won", place(model)), h("span", { class: "model lost-fill" }, h("i", { class: "key" }), "lost")] },
      drawing(`Scores of won and of lost leads by ${model}.`, paint),
      numbers(() => table(["Score", capital(UNIT), "Won", "Share won", "95 % interval", "Of all won", "Of all lost"], rows.map((row) => [
        `${number(row.score_from)} to ${number(row.score_to)}`, number(row.n_leads), amount(row.n_won), percent(row.conversion), interval(row), percent(row.share_won), percent(row.share_lost)]))),
    );
  };
  return h("div", { class: "block" }, h("h3", {}, "Does the score part won from lost?"),
    h("p", { class: "lead" }, "Won and lost leads each fill an area of the same size: the less they overlap, the better."),
    h("div", { class: "pair" }, models.map(one)));
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
      x: [0, Math.max(...rows.map((row) => row[x]))], y: [0, Math.max(...rows.map((row) => row.upper ?? row.conversion))],
      xText: (v) => number(v), yText: (v) => percent(v, 0), xTitle: weekly ? `hot ${UNIT} a week` : `hot ${UNIT}`, yTitle: "share won", left: 62, right: 20,
    });
    const spots = rows.map((row) => [plot.across(row[x]), plot.up(row.conversion)]);
    const box = s("g", { class: "m0" }, ribbon(rows, plot.across, plot.up, x), s("path", { class: "line", d: path(spots) }));
    let before = spots[rows.findIndex((row) => row.edge === hot)] || [1e9, 1e9];
    rows.forEach((row, at) => {
      const chosen = row.edge === hot;
      box.append(s("circle", { class: chosen ? "dot" : "hollow", cx: spots[at][0], cy: spots[at][1], r: chosen ? 6 : 3.5 }));
      const isFree = Math.hypot(before[0] - spots[at][0], before[1] - spots[at][1]) > 30;
      if (chosen || (isFree && row.edge % 10 === 0 && Math.abs(row.edge - (hot ?? -99)) > 5)) {
        box.append(s("text", { class: chosen ? "figure" : "muted", x: spots[at][0] + 8, y: spots[at][1] - 8 }, chosen ? `hot from ${row.edge}` : row.edge));
        before = spots[at];
      }
    });
    svg.append(box);
    const marks = rows.map((row, at) => ({
      x: spots[at][0], y: spots[at][1], title: `Hot from ${row.edge}`,
      rows: [weekly && [`${UNIT} a week`, amount(row.leads_a_week)], ...wonRows(row), ["of all wins", percent(row.share_of_wins)]].filter(Boolean),
    }));
    return { marks, height };
  };
  return figure(
    { title: "Volume against worth", note: withNbsp(`Each dot is a score from which leads would be called hot. Shaded: 95 % interval.`) },
    drawing("Share won against the number of hot leads, by the score from which leads are hot.", paint),
    numbers(() => table(["Hot from", weekly ? `${capital(UNIT)} a week` : null, capital(UNIT), "Won", "Share won", "95 % interval", "Of all wins"].filter(Boolean),
      data.definitions.map((row) => [number(row.edge), ...(weekly ? [amount(row.leads_a_week)] : []), number(row.n_leads), amount(row.n_won), percent(row.conversion), interval(row), percent(row.share_of_wins)]))),
  );
}

function responseFigure() {
  const groups = data.response.map((row) => ({
    label: row.contact,
    items: [{ ...row, value: row.n_leads ? row.conversion : null, beside: `of ${leadsOf(row.n_leads)}`, className: "m0", title: `First contact: ${row.contact}`, rows: wonRows(row) }],
  }));
  const max = Math.max(0.01, ...data.response.map((row) => row.upper ?? 0));
  return figure(
    { title: "Share won by days to the first contact" },
    h("div", {}, h("p", { class: "label" }, h("b", {}, "Observational: "), "who was called soon may have been the better lead."),
      drawing("Share won by days to the first contact.", (svg, width) =>
        valueRows(svg, width, groups, { max, labelWidth: 118, textWidth: width < 460 ? 62 : 170 }))),
    numbers(() => table(["First contact", capital(UNIT), "Won", "Share won", "95 % interval"],
      data.response.map((row) => [row.contact, number(row.n_leads), amount(row.n_won), percent(row.conversion), interval(row)]))),
  );
}
