"""Take the README's pictures from the report of `make demo`; needs `chromium` on PATH.

Run `python docs/make_images.py` beside the folder `demo` that `make demo` wrote.
"""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageChops

REPORT = Path("demo/model/report.html")
IMAGES = Path(__file__).parent / "images"
WIDTH, HEIGHT = 1200, 3000  # higher than any picture; what stays empty is cut off
MARGIN = 24
COLOURS = 128  # a third of the bytes; nobody sees the difference

# picture: what of the report it leaves out, as CSS selectors
PICTURES = {
    "verdict.png": "nav, footer, section:not(#verdict, #curves)",
    "points.png": "header, nav, footer, section:not(#points), #points figure:nth-of-type(n+10)",
}


def main() -> None:
    """Write every picture."""
    IMAGES.mkdir(exist_ok=True)
    html = REPORT.read_text(encoding="utf-8")
    for name, hidden in PICTURES.items():
        page = html.replace("</head>", f"<style>{hidden} {{display: none}}</style></head>")
        take_picture(page, IMAGES / name)


def take_picture(page: str, target: Path) -> None:
    """Write a page as PNG, without the empty part below."""
    with TemporaryDirectory() as folder:
        source, shot = Path(folder) / "page.html", Path(folder) / "shot.png"
        source.write_text(page, encoding="utf-8")
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--screenshot={shot}"]
        size = f"--window-size={WIDTH},{HEIGHT}"
        subprocess.run(  # noqa: S603
            ["chromium", *options, size, source.as_uri()],  # noqa: S607
            check=True,
            capture_output=True,
            timeout=120,
        )
        picture = Image.open(shot).convert("RGB")
    empty = Image.new("RGB", picture.size, picture.getpixel((0, picture.height - 1)))
    bottom = ImageChops.difference(picture, empty).getbbox()[3]
    picture = picture.crop((0, 0, WIDTH, min(bottom + MARGIN, HEIGHT)))
    picture.quantize(COLOURS).save(target, optimize=True)
    print(f"{target}: {picture.width} x {picture.height}, {target.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
