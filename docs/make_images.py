"""Take the pictures of README and docs from a report; needs Playwright and `chromium` on PATH.

Run `python docs/make_images.py demo/model/report.html comparison.html`: the report that `make demo`
wrote, and one that `leadml compare` wrote, for the pictures of capacity and disagreement.
"""

import shutil
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
WIDTH, HEIGHT = 1200, 900
MARGIN = 44  # as on the page's left
COLOURS = 255  # fewer bytes; the few colours of a chart stay as they are

# picture: what it leaves out of the report
PICTURES = {
    "verdict": "section:not(#verdict), .strip",
    "capacity": "header, section:not(#capacity), #capacity details",
    "trust": "header, section:not(#trust), #trust details, [data-figure=segments]",
    "grid": "header, section:not(#grid), #grid details",
    "points": "header, section:not(#points), #points details, #points button, #points .hint",
    "disagreement": "header, section:not(#reasons), #reasons .block:not(:has(.disagreement)),"
    "#reasons .lead-row:nth-of-type(n+7)",
    "what-if": "header, section:not(#what-if), #what-if .sums > button",
}
FRAME = """
nav, footer, .skip, %s {display: none !important}
html {overflow: hidden; scrollbar-gutter: auto !important}
body {padding-block: 32px !important}
main, section {border: 0 !important; margin-block: 0 !important; padding-block: 0 !important}
header + nav + main #verdict {padding-block: 24px 0 !important}
"""
COMPARED = ("capacity", "disagreement")
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
    reports = [Path(path) for path in sys.argv[1:]]
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
            page.goto(reports[name in COMPARED].resolve().as_uri())
            if name in STEPS:
                STEPS[name](page)
            page.add_style_tag(content=FRAME % hidden)
            take_picture(page, IMAGES / f"{name}.png")
            page.close()
        browser.close()


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
    """Open the leads that the two judge most differently, one each way."""
    for group in page.locator(".disagreement > div").all():
        group.locator("summary").first.click()


def change_fields(page: Page) -> None:
    """Make the typical lead another one: a senior person with an opportunity."""
    page.select_option("[data-field=seniority]", label="c_suite")
    page.fill("[data-field=opportunity_30d]", "1")


STEPS: dict[str, Any] = {
    "points": choose_features,
    "disagreement": open_lead,
    "what-if": change_fields,
}


def take_picture(page: Page, target: Path) -> None:
    """Write what is left of a page as PNG."""
    page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    page.wait_for_timeout(300)  # charts follow their width
    shot = page.locator("body").screenshot()
    picture = Image.open(BytesIO(shot)).convert("RGB")
    empty = Image.new("RGB", picture.size, picture.getpixel((0, 0)))
    right = ImageChops.difference(picture, empty).getbbox()[2]
    picture = picture.crop((0, 0, min(right + MARGIN, WIDTH), picture.height))
    picture.quantize(COLOURS, kmeans=2).save(target, optimize=True)
    print(f"{target}: {picture.width} x {picture.height}, {target.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
