// Charts as SVG, drawn at the width there is, and one tip for all of them by pointer or by arrow keys.

const tip = document.getElementById("tip");
let shownBy = null;

// a mark is a place in a chart with something to say: {x, y, width, height, title, rows: [[name, text, color]]}
function showTip(svg, mark) {
  hideTip();
  shownBy = svg;
  tip.replaceChildren(
    h("b", {}, mark.title),
    ...(mark.rows || []).map(([name, text, color]) =>
      h("div", {}, has(color) ? keyed(name, color) : h("span", {}, name), h("span", {}, text)),
    ),
  );
  tip.hidden = false;
  const around = s("rect", {
    class: "ring",
    x: mark.x - 4,
    y: mark.y - 4,
    rx: 4,
    width: (mark.width || 0) + 8,
    height: (mark.height || 0) + 8,
  });
  svg.append(
    mark.line
      ? s("line", { class: "ring", x1: mark.x, x2: mark.x, y1: mark.y, y2: mark.y + mark.height })
      : around,
  );
  const box = svg.getBoundingClientRect();
  const scale = box.width / svg.viewBox.baseVal.width;
  const x = box.left + (mark.x + (mark.width || 0) / 2) * scale;
  const top = box.top + (mark.line ? mark.y + 6 : mark.y) * scale;
  const below = box.top + (mark.y + (mark.height || 0)) * scale + 12;
  const beside = mark.line ? 14 + tip.offsetWidth / 2 : 0;
  const turned = x + beside + tip.offsetWidth / 2 > window.innerWidth - 8 ? x - beside : x + beside;
  // in the page's own measure, so that it stays with the chart when the page is scrolled
  tip.style.left = `${window.scrollX + clamp(turned - tip.offsetWidth / 2, 8, Math.max(8, window.innerWidth - tip.offsetWidth - 24))}px`;
  const above = top - tip.offsetHeight - 12;
  tip.style.top = `${window.scrollY + (mark.line ? top : above >= 8 ? above : below)}px`;
}
function hideTip() {
  if (shownBy) shownBy.querySelector(".ring")?.remove();
  shownBy = null;
  tip.hidden = true;
}
const far = (mark, x, y) =>
  Math.hypot(
    Math.max(mark.x - x, 0, x - mark.x - (mark.width || 0)),
    Math.max(mark.y - y, 0, y - mark.y - (mark.height || 0)),
  );

function listen(svg, marks) {
  let at = -1;
  const show = (next) => showTip(svg, marks[(at = next)]);
  const point = (event) => {
    const box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width;
    const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    let best = -1;
    let least = 28;
    marks.forEach((mark, index) => {
      const distance = far(mark, x, y);
      if (distance < least) [best, least] = [index, distance];
    });
    if (best < 0) hideTip();
    else if (best !== at || shownBy !== svg) show(best);
  };
  svg.addEventListener("pointermove", point);
  svg.addEventListener("pointerdown", point);
  // a finger that is lifted has read nothing yet
  svg.addEventListener("pointerleave", (event) => event.pointerType === "touch" || hideTip());
  svg.addEventListener("focus", () => svg.matches(":focus-visible") && show(Math.max(at, 0)));
  svg.addEventListener("blur", hideTip);
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") hideTip();
    else if (event.key === "Home") show(0);
    else if (event.key === "End") show(marks.length - 1);
    else if (step) show(clamp(at + step, 0, marks.length - 1));
    else return;
    event.preventDefault();
  });
}

const painters = new WeakMap();
const watch = new ResizeObserver((entries) =>
  requestAnimationFrame(() => {
    for (const { target } of entries) painters.get(target)?.();
  }),
);

// paint(svg, width) fills the drawing and returns its marks and its height
function drawing(label, paint) {
  const ruler = h("div", { class: "ruler" });
  const node = h("div", { class: "drawing" }, ruler);
  let width = 0;
  node.redraw = () => {
    if (!width) return;
    const svg = s("svg", { role: "img", "aria-label": label });
    const { marks, height } = paint(svg, width);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    if (marks.length) {
      svg.setAttribute("tabindex", 0);
      listen(svg, marks);
    }
    if (shownBy && node.contains(shownBy)) hideTip();
    node.replaceChildren(ruler, svg);
  };
  painters.set(ruler, () => {
    const next = Math.round(ruler.clientWidth);
    if (!next || next === width) return;
    width = next;
    node.redraw();
  });
  watch.observe(ruler);
  return node;
}

function figure({ title, note, legend, level = "h3" }, body, details) {
  return h(
    "figure",
    { class: "chart" },
    title && h(level, {}, title),
    legend && h("div", { class: "legend" }, legend),
    body,
    note && h("figcaption", {}, note),
    details,
  );
}
const modelLegend = (models = MODELS) => (models.length > 1 ? models.map((model) => modelName(model)) : null);

function ticks(low, high, count = 5) {
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => span / one <= count + 0.5);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-6; at += 1) found.push(at * step);
  return found;
}

// a plot with light lines across and values at the edges; gives its two scales
function axes(
  svg,
  width,
  height,
  {
    x,
    y,
    xText,
    yText,
    xTitle,
    yTitle,
    left = 46,
    right = 20,
    top = 12,
    bottom = 44,
    xCount,
    yCount = 5,
    xTicks,
  },
) {
  const plot = { left, right: width - right, top, bottom: height - bottom };
  const across = (value) => left + ((value - x[0]) / (x[1] - x[0] || 1)) * (plot.right - left);
  const up = (value) => plot.bottom - ((value - y[0]) / (y[1] - y[0] || 1)) * (plot.bottom - top);
  const lines = s("g", { class: "axis" });
  for (const value of ticks(y[0], y[1], yCount)) {
    const at = up(value);
    lines.append(
      s("line", { x1: left, x2: plot.right, y1: at, y2: at, class: Math.abs(value) < 1e-12 ? "zero" : null }),
      s("text", { x: left - 8, y: at + 4, class: "end" }, yText(value)),
    );
  }
  for (const value of xTicks || ticks(x[0], x[1], xCount || (width < 420 ? 4 : 6))) {
    lines.append(s("text", { x: across(value), y: plot.bottom + 18, class: "middle" }, xText(value)));
  }
  if (xTitle)
    lines.append(s("text", { x: (left + plot.right) / 2, y: height - 6, class: "middle title" }, xTitle));
  if (yTitle) {
    const middle = (top + plot.bottom) / 2;
    lines.append(
      s("text", { x: 12, y: middle, class: "middle title", transform: `rotate(-90 12 ${middle})` }, yTitle),
    );
  }
  svg.append(lines);
  return { across, up, ...plot };
}

const path = (points) =>
  points.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
function ribbon(rows, across, up, x) {
  const known = rows.filter((row) => has(row.lower) && has(row.upper));
  const upper = known.map((row) => [across(row[x]), up(row.upper)]);
  const lower = known.map((row) => [across(row[x]), up(row.lower)]).reverse();
  return s("path", { class: "ribbon", d: known.length ? `${path([...upper, ...lower])}Z` : "" });
}
function whisker(x, low, high) {
  return s("line", { class: "whisker", x1: x, x2: x, y1: low, y2: high });
}

// curves over one x; a series is {name, rows, color, dashed}: without a colour it is a reference
function curves(svg, width, height, series, { x, value, frame, describe, heading, clip }) {
  const plot = axes(svg, width, height, frame);
  const inside = clip ? `clip-${(lastId += 1)}` : null;
  if (clip) {
    svg.append(
      s(
        "clipPath",
        { id: inside },
        s("rect", {
          x: plot.left,
          y: plot.top - 2,
          width: plot.right - plot.left,
          height: plot.bottom - plot.top + 4,
        }),
      ),
    );
  }
  for (const one of series) {
    const rows = one.rows.map((row) => ({ ...row, middle: row[value] }));
    svg.append(
      s(
        "g",
        { class: has(one.color) ? `m${one.color}` : "quiet-line", "clip-path": inside && `url(#${inside})` },
        has(one.color) && ribbon(rows, plot.across, plot.up, x),
        s("path", {
          class: one.dashed ? "line dashed" : "line",
          d: path(
            rows.filter((row) => has(row.middle)).map((row) => [plot.across(row[x]), plot.up(row.middle)]),
          ),
        }),
      ),
    );
  }
  const marks = series[0].rows.map((row) => ({
    line: true,
    x: plot.across(row[x]),
    y: plot.top,
    height: plot.bottom - plot.top,
    title: heading(row),
    row,
    rows: series.flatMap((one) => {
      const found = one.rows.find((other) => other[x] === row[x]);
      return found ? [[one.name, describe(found), one.color]] : [];
    }),
  }));
  return { plot, marks };
}

// rows with a name at the left, one or more values on a shared scale, and the value in words at the right
function valueRows(
  svg,
  width,
  groups,
  { max, labelWidth = 96, textWidth = 104, form = percent, bars = true },
) {
  const narrow = width < 460;
  const left = Math.min(labelWidth, width * 0.36);
  const across = (value) => left + (value / (max || 1)) * (width - left - textWidth);
  const marks = [];
  let y = 4;
  for (const group of groups) {
    const step = bars ? 26 : 24;
    const tall = group.items.length * step;
    svg.append(
      s(
        "text",
        { x: left - 12, y: y + tall / 2 + 4, class: `end name ${group.className || ""}` },
        short(group.label, Math.max(8, Math.floor(left / 7.7))),
      ),
    );
    for (const item of group.items) {
      const middle = y + step / 2;
      const box = s("g", { class: has(item.model) ? `m${place(item.model)}` : item.className || "ink" });
      if (has(item.value)) {
        const end = across(item.value);
        if (bars)
          box.append(
            s("rect", {
              class: "bar",
              x: left,
              y: middle - 8,
              width: Math.max(end - left, 0.5),
              height: 16,
              rx: 2,
            }),
          );
        if (has(item.lower)) {
          const [low, high] = [across(item.lower), across(item.upper)];
          box.append(
            s("line", {
              class: bars ? "whisker over" : "whisker",
              x1: low,
              x2: high,
              y1: middle,
              y2: middle,
            }),
          );
        }
        if (!bars)
          box.append(s("circle", { class: item.hollow ? "hollow" : "dot", cx: end, cy: middle, r: 5 }));
        // beside bars the words follow them; beside dots, where other marks stand, they keep a column
        const edge = bars ? Math.max(end, has(item.upper) ? across(item.upper) : end) : width - textWidth + 8;
        box.append(
          s(
            "text",
            { x: edge + 8, y: middle + 4, class: "figure" },
            form(item.value),
            item.beside && !narrow ? s("tspan", { class: "muted", dx: 8 }, item.beside) : null,
          ),
        );
        marks.push({
          x: Math.min(end, left),
          y: middle - 8,
          width: Math.abs(edge - left),
          height: 16,
          title: item.title,
          rows: item.rows,
        });
      } else {
        box.append(s("text", { x: left + 4, y: middle + 4, class: "muted" }, `no ${UNIT}`));
      }
      for (const extra of item.ticks || []) {
        box.append(
          s("path", {
            class: `promise m${place(extra.model)}`,
            d: `M${across(extra.value)} ${middle - 9}v18`,
          }),
        );
      }
      svg.append(box);
      y += step;
    }
    y += 10;
  }
  const axis = s("g", { class: "axis" }, s("line", { class: "zero", x1: left, x2: left, y1: 0, y2: y - 6 }));
  if (!bars) {
    for (const value of ticks(0, max, 4)) {
      axis.append(
        s("line", { class: value ? null : "zero", x1: across(value), x2: across(value), y1: 0, y2: y - 6 }),
        s("text", { class: "middle", x: across(value), y: y + 10 }, percent(value, max < 0.04 ? 1 : 0)),
      );
    }
    y += 16;
  }
  svg.prepend(axis);
  return { marks, height: y };
}
