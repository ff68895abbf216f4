"""What a benchmark prints: Markdown, to the terminal and to a file."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class Ratio:
    """A figure of ours and the same one of another, measured in the same run."""

    what: str
    ours: str
    value: float
    other: str
    other_value: float

    def as_row(self) -> dict:
        """Return a row of the table of ratios; below 1 is better."""
        return {
            "what": self.what,
            "ours": f"{self.ours} {self.value:.4g}",
            "other": f"{self.other} {self.other_value:.4g}",
            "ratio": self.value / self.other_value,
        }


@dataclass
class Report:
    """Lines printed as they come, and kept for the file."""

    lines: list[str] = field(default_factory=list)

    def add(self, text: str = "") -> None:
        """Print a line."""
        print(text, flush=True)
        self.lines.append(text)

    def add_table(self, rows: list[dict]) -> None:
        """Print rows as a Markdown table with aligned columns; columns are the rows' keys."""
        table = pd.DataFrame(rows)
        texts = [list(map(str, table.columns)), *table.map(_text).to_numpy().tolist()]
        widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
        texts.insert(1, ["-" * width for width in widths])
        for cells in texts:
            padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
            self.add(f"| {' | '.join(padded)} |")
        self.add()

    def write(self, path: Path) -> None:
        """Write every line to `path`."""
        path.write_text("\n".join(self.lines).rstrip() + "\n", encoding="utf-8")


def _text(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4f}"
    return str(value)
