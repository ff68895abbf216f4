// Puts each part where the page has a place for it; a place is there only if there is something to show.

const FIGURES = {
  reliability: reliabilityFigure,
  segments: segmentsFigure,
  "net-benefit": netBenefitFigure,
  value: valueFigure,
  bands: bandsFigure,
  scores: scoresFigure,
  cross: crossFigure,
  grid: gridFigure,
  definitions: definitionsFigure,
  forecast: forecastFigure,
  response: responseFigure,
  delong: delongFigure,
};
for (const box of document.querySelectorAll("[data-figure]")) box.append(FIGURES[box.dataset.figure]());

const fill = (id, make) => {
  const box = document.getElementById(id);
  return box ? make(box) : null;
};
fill("capacity-box", capacityPanel);
fill("points-box", pointsPanel);
fill("reasons-box", (box) =>
  box.append(
    ...[data.agreement && agreementPart(), filled(data.disagreement) && disagreementPart()].filter(Boolean),
  ),
);
const whatIf = fill("what-if-box", whatIfPanel);
fill("leads-box", (box) => leadsPanel(box, whatIf));
window.leadml = { score: scoreAll };

// dark or light: as the system says until the button is pressed
const theme = document.getElementById("theme");
const system = window.matchMedia("(prefers-color-scheme: dark)");
const isDark = () =>
  (document.documentElement.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
const nameTheme = () => {
  theme.textContent = isDark() ? "Light" : "Dark";
  theme.setAttribute("aria-label", `${theme.textContent} colours`);
};
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
});
system.addEventListener("change", nameTheme);
theme.hidden = false;
nameTheme();

// the contents say where the reader is
const links = new Map(
  [...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]),
);
const seen = new Set();
const spy = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) seen[isIntersecting ? "add" : "delete"](target.id);
    const current = [...links.keys()].find((id) => seen.has(id));
    for (const [id, link] of links) {
      if (id === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    const strip = links.get(current)?.parentElement;
    if (strip)
      strip.scrollLeft =
        links.get(current).offsetLeft - strip.clientWidth / 2 + links.get(current).offsetWidth / 2;
  },
  { rootMargin: "-20% 0px -70% 0px" },
);
for (const id of links.keys()) spy.observe(document.getElementById(id));
