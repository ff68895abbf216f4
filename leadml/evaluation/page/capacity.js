// How many deals each finds at a number of calls: the curve, the slider, the sentence and the table.

function capacityPanel(box) {
  const { rows, weeks } = data.capacity;
  const isWeekly = has(weeks) && weeks > 0;
  const fractions = distinct(rows.map((row) => row.fraction)).sort((a, b) => a - b);
  const models = MODELS.filter((model) => rows.some((row) => row.model === model));
  const at = new Map(rows.map((row) => [`${row.fraction} ${row.model}`, row]));
  const differences = new Map(
    (data.capacity.differences || []).map((row) => [`${row.fraction} ${row.other}`, row]),
  );
  const others = distinct((data.capacity.differences || []).map((row) => row.other));
  const total = at.get(`${fractions.at(-1)} ${models[0]}`);
  const nearest = (value, of) =>
    fractions.reduce(
      (best, _, index) => (Math.abs(of(index) - value) < Math.abs(of(best) - value) ? index : best),
      0,
    );
  const calls = (index) => at.get(`${fractions[index]} ${models[0]}`).n_leads / weeks;
  const aMonth = (wins) => (wins / weeks) * (52.18 / 12);
  let chosen = nearest(data.capacity.chosen ?? 0.1, (index) => fractions[index]);

  // the words of the verdict (evaluation/verdict.py), at any number of calls
  const called = (first) =>
    isWeekly
      ? `with ${amount(first.n_leads / weeks)} ${amount(first.n_leads / weeks) === "1" ? "call" : "calls"} a week`
      : `among the ${number(first.n_leads)} best-scored ${UNIT}`;
  const deals = (wins) => (isWeekly ? aMonth(wins) : wins);
  const counted = (value, more = "") =>
    `${amount(value)}${more} ${Math.abs(Number(value.toFixed(1))) === 1 ? "deal" : "deals"}${isWeekly ? " a month" : ""}`;
  function sentence(row) {
    const { model, other, fraction } = row;
    const first = at.get(`${fraction} ${model}`);
    if (!first.n_leads) return "Nobody is called.";
    if (fraction === 1) return `Calling all ${UNIT}, the ${model} and the ${other} find the same deals.`;
    const value = deals(row.difference);
    const bounds = [deals(row.lower), deals(row.upper)];
    const [low, high] = value < 0 ? bounds.map((bound) => -bound).reverse() : bounds;
    if (row.lower <= 0 && row.upper >= 0) {
      return `At this capacity no difference can be shown between the ${model} and the ${other}: ${called(first)} the difference is ${counted(value)}, 95 % interval ${bounds.map(amount).join(" to ")}.`;
    }
    const more = counted(Math.abs(value), value < 0 ? " fewer" : " more");
    return `${capital(called(first))} the ${model} finds ${more} than the ${other}, 95 % interval ${amount(low)} to ${amount(high)}.`;
  }

  const slider = h("input", {
    type: "range",
    min: 0,
    max: fractions.length - 1,
    step: 1,
    id: "capacity-slider",
    oninput: () => move(Number(slider.value)),
  });
  const share = h("output", { for: "capacity-slider" });
  const weekly =
    isWeekly &&
    h("input", {
      type: "number",
      min: 0,
      step: 1,
      inputmode: "numeric",
      id: "capacity-calls",
      "aria-describedby": "capacity-step",
      oninput: () => weekly.value !== "" && move(nearest(Number(weekly.value), calls), false),
      onchange: () => move(chosen),
    });
  const says = h("div", { class: "says", id: "capacity-sentence", role: "status", "aria-live": "polite" });
  const follow = h("div", { id: "capacity-table" });

  const series = models.map((model) => ({
    name: model,
    color: place(model),
    rows: rows.filter((row) => row.model === model).sort((a, b) => a.fraction - b.fraction),
  }));
  const wins = total.n_won || 1;
  const paint = (svg, width) => {
    const height = clamp(width * 0.5, 280, 420);
    const scaled = series.map((one) => ({
      ...one,
      rows: one.rows.map((row) => ({
        ...row,
        gain: row.n_won / wins,
        lower: row.gain_lower ?? null,
        upper: row.gain_upper ?? null,
      })),
    }));
    const { plot, marks } = curves(svg, width, height, scaled, {
      x: "fraction",
      value: "gain",
      heading: (row) => `Best ${percent(row.fraction)}: ${leadsOf(Math.round(row.n_leads))}`,
      describe: (row) => `${percent(row.gain)} of wins${has(row.lower) ? ` (${interval(row)})` : ""}`,
      frame: {
        x: [0, 1],
        y: [0, 1],
        xText: (v) => percent(v, 0),
        yText: (v) => percent(v, 0),
        xTitle: `share of ${UNIT} called, best first`,
        yTitle: "share of all wins found",
        left: 62,
      },
    });
    svg.append(
      s("path", {
        class: "line dashed quiet-line",
        d: path([
          [plot.across(0), plot.up(0)],
          [plot.across(1), plot.up(1)],
        ]),
      }),
      s("text", { class: "muted", x: plot.across(0.62), y: plot.up(0.62) + 26 }, "random order"),
    );
    const x = plot.across(fractions[chosen]);
    const here = models.map((model) => ({
      model,
      gain: at.get(`${fractions[chosen]} ${model}`).n_won / wins,
    }));
    here.sort((a, b) => b.gain - a.gain);
    // below the lowest dot: the curves bend upward, so there is room
    const lowest = plot.up(here.at(-1).gain) + 26;
    const first = Math.min(lowest, plot.bottom - 8 - 18 * (here.length - 1));
    const isRight = x > (plot.left + plot.right) / 2;
    const room = Math.floor(((isRight ? x - plot.left : plot.right - x) - 24) / 8.5) - 5;
    svg.append(s("line", { class: "chosen", x1: x, x2: x, y1: plot.top, y2: plot.bottom }));
    here.forEach((one, index) =>
      svg.append(
        s(
          "g",
          { class: `m${place(one.model)}` },
          s("circle", { class: "dot big", cx: x, cy: plot.up(one.gain), r: 6 }),
          s(
            "text",
            {
              class: `figure halo ${isRight ? "end" : ""}`,
              x: x + (isRight ? -12 : 12),
              y: first + 18 * index,
            },
            `${short(one.model, Math.max(room, 4))} ${percent(one.gain, 0)}`,
          ),
        ),
      ),
    );
    svg.addEventListener("click", (event) => {
      const frame = svg.getBoundingClientRect();
      const value =
        ((event.clientX - frame.left) * (width / frame.width) - plot.left) / (plot.right - plot.left);
      move(nearest(clamp(value, 0, 1), (index) => fractions[index]));
    });
    return { marks, height };
  };
  const chart = drawing(
    `Gain curves of ${models.join(", ")}: share of all wins among the best-scored ${UNIT}.`,
    paint,
  );

  function rowsNow() {
    const fraction = fractions[chosen];
    const own = models.map((model) => at.get(`${fraction} ${model}`));
    const rate = total.n_won / total.n_leads;
    const body = own.map((row) => [
      modelName(row.model),
      ...(isWeekly ? [amount(aMonth(row.n_won))] : []),
      amount(row.n_won),
      interval(row, amount),
      row.n_leads ? percent(row.n_won / row.n_leads) : "–",
      row.n_leads && rate ? number(row.n_won / row.n_leads / rate, 2) : "–",
      number(row.n_leads),
      ...(isWeekly ? [amount(row.n_leads / weeks)] : []),
    ]);
    const less = others
      .map((other) => differences.get(`${fraction} ${other}`))
      .filter(Boolean)
      .map((row) => {
        const tone = row.lower > 0 ? "better" : row.upper < 0 ? "worse" : null;
        const cells = [
          `${row.model} less ${row.other}`,
          ...(isWeekly ? [signed(aMonth(row.difference))] : []),
          h("span", { class: tone }, signed(row.difference)),
          interval(row, (value) => number(value, 1)),
          "",
          "",
          "",
          ...(isWeekly ? [""] : []),
        ];
        cells.className = "less";
        return cells;
      });
    const head = [
      "Model",
      ...(isWeekly ? ["Deals a month"] : []),
      "Deals found",
      "95 % interval",
      "Share won",
      "Lift",
      `${capital(UNIT)} called`,
      ...(isWeekly ? ["Calls a week"] : []),
    ];
    return table(head, [...body, ...less], { name: "Deals found at this number of calls" });
  }

  function move(index, isDone = true) {
    chosen = index;
    const fraction = fractions[index];
    const first = at.get(`${fraction} ${models[0]}`);
    slider.value = index;
    const text = `best ${percent(fraction, fraction < 0.01 ? 1 : 0)}, ${leadsOf(first.n_leads)}${isWeekly ? `, ${amount(calls(index))} a week` : ""}`;
    slider.setAttribute("aria-valuetext", text);
    share.textContent = text;
    if (weekly && isDone) weekly.value = Number(calls(index).toFixed(calls(index) < 9.95 ? 1 : 0));
    const lines = others
      .map((other) => differences.get(`${fraction} ${other}`))
      .filter(Boolean)
      .map(sentence);
    const alone = `${capital(called(first))} the ${models[0]} finds ${counted(deals(first.n_won))}.`;
    says.replaceChildren(...(lines.length ? lines : [alone]).map((line) => h("p", {}, withNbsp(line))));
    follow.replaceChildren(rowsNow());
    chart.redraw();
  }

  box.append(
    says,
    h(
      "div",
      { class: "capacity" },
      h(
        "div",
        { class: "controls" },
        labelled("Calls", slider, "grow"),
        weekly && labelled("Calls a week", weekly),
        h("p", { class: "hint", id: "capacity-step" }, share),
      ),
      follow,
      figure(
        { note: withNbsp("Shaded: 95 % intervals. Click in the chart to choose a capacity.") },
        chart,
        numbers(() =>
          table(
            ["Model", "Called", capital(UNIT), "Deals found", "95 % interval"],
            series.flatMap((one) =>
              one.rows.map((row) => [
                row.model,
                percent(row.fraction),
                number(row.n_leads),
                amount(row.n_won),
                interval(row, amount),
              ]),
            ),
          ),
        ),
      ),
    ),
  );
  move(chosen);
}
