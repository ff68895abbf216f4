"""Take the pictures of README and docs from a report; needs Playwright and `chromium` on PATH.

Run `python docs/make_images.py demo/model/report.html` with the report that `make demo` wrote.
"""

import shutil
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
WIDTH, HEIGHT = 1200, 900
COLOURS = 255  # fewer bytes; the few colours of a chart stay as they are

# picture: what it leaves out of the report
PICTURES = {
    "verdict": "section:not(#verdict), .strip",
    "capacity": "header, section:not(#capacity), #capacity details",
    "trust": "header, section:not(#trust), #trust details, [data-figure=segments]",
    "grid": "header, section:not(#grid), #grid details",
    "points": "header, section:not(#points), #points details, #points button, #points .hint",
    "disagreement": "header, section:not(#reasons), #reasons .block:not(:has(.disagreement))",
    "what-if": "header, section:not(#what-if), #what-if .sums > button",
}
FRAME = """
nav, footer, .skip, %s {display: none !important}
html {overflow: hidden; scrollbar-gutter: auto !important}
body {padding-block: 32px !important}
main, section {border: 0 !important; margin-block: 0 !important; padding-block: 0 !important}
header + nav + main #verdict {padding-block: 24px 0 !important}
"""
FEATURES = (
    "days since opportunity",
    "days since activity",
    "opportunity (30 days)",
    "seniority",
    "job title seniority",
    "buyer role",
)


def main() -> None:
    """Write every picture."""
    report = Path(sys.argv[1] if len(sys.argv) > 1 else "demo/model/report.html")
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as play:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        for name, hidden in PICTURES.items():
            page = browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHT},
                color_scheme="light",
                device_scale_factor=1,
            )
            page.goto(report.resolve().as_uri())
            if name in STEPS:
                STEPS[name](page)
            page.add_style_tag(content=FRAME % hidden)
            take_picture(page, IMAGES / f"{name}.png")
            page.close()
        browser.close()


def choose_capacity(page: Page) -> None:
    """Ask for more calls than the verdict does: the sentence, the table and the curve follow."""
    page.fill("#capacity-calls", "30")
    page.keyboard.press("Tab")


def choose_features(page: Page) -> None:
    """Keep features that show steps, categories, and rules beside the model."""
    page.click("#points-box button:has-text('Show all')")
    page.evaluate(
        """names => {
            const place = figure => {
                const title = figure.querySelector("h3, h4, figcaption").firstChild.textContent;
                return names.indexOf(title.trim());
            };
            const figures = [...document.querySelectorAll("#points-box figure")];
            for (const one of figures.filter(one => place(one) < 0)) one.remove();
            const kept = figures.filter(one => place(one) >= 0);
            kept.sort((a, b) => place(a) - place(b)).forEach(one => one.parentNode.append(one));
        }""",
        FEATURES,
    )


def open_lead(page: Page) -> None:
    """Open the lead that the two judge most differently."""
    page.click("#reasons .lead-row summary >> nth=0")


def change_fields(page: Page) -> None:
    """Make the typical lead another one: a senior person with an opportunity."""
    page.select_option("[data-field=seniority]", label="c_suite")
    page.fill("[data-field=opportunity_30d]", "1")


STEPS: dict[str, Any] = {
    "capacity": choose_capacity,
    "points": choose_features,
    "disagreement": open_lead,
    "what-if": change_fields,
}


def take_picture(page: Page, target: Path) -> None:
    """Write what is left of a page as PNG."""
    page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    page.wait_for_timeout(300)  # charts follow their width
    shot = page.locator("body").screenshot()
    picture = Image.open(BytesIO(shot)).convert("RGB").quantize(COLOURS, kmeans=2)
    picture.save(target, optimize=True)
    print(f"{target}: {picture.width} x {picture.height}, {target.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
