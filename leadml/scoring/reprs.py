"""How a scorer, a points table and one lead's sum show themselves in a notebook."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from sklearn.utils import estimator_html_repr

from leadml.markup import bar, bold, box, details, paragraph, quiet, table
from leadml.scoring.attribution import is_ours, split_pipeline
from leadml.scoring.bands import Bands
from leadml.scoring.points import PointsTable
from leadml.scoring.reasons import SMALLEST, describe_feature
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.wording import MINUS, as_percent, counted, number, short, signed

STRONGEST, MOST_FEATURES, MOST_VALUES = 10, 30, 24
OPENED, FEW = 3, 12  # features of a table that are unfolded, if they have few values
MOST_LINES = 12
STRUCTURES = {
    "additive": "a table for each feature, added up",
    "pairwise": "a table for each feature and for pairs of features, added up",
    "full": "tables of features and pairs, and trees on top",
}

Range = tuple[float, float]


class Explanation(pd.DataFrame):
    """The lines of one lead's sum; a plain DataFrame but for how a notebook shows it.

    Whatever is done to it gives a plain DataFrame again: pandas builds results by `_constructor`,
    which is not overridden, so that no part of a sum shows itself as if it were the whole.
    """

    def _repr_html_(self) -> str:
        return show_explanation(self)


def show_explanation(told: pd.DataFrame) -> Markup:
    """Return the score, and the lines that it is the sum of, as HTML.

    Parameters
    ----------
    told : DataFrame
        As `LeadScorer.explain` gives it.
    """
    points = told["points"].to_numpy(float)
    total = float(points.sum())
    score = int(np.clip(np.rint(total), 0, 100))
    is_base = (told["feature"] == "average lead").to_numpy() & (told["value"] == "").to_numpy()
    own = np.append(points[~is_base], 0.0)
    ends = float(own.min()), float(own.max())
    shown = is_base | (np.abs(points) >= SMALLEST)
    rows = [
        _line(row, ends, is_base=bool(base))
        for row, base in zip(told.to_dict("records"), is_base, strict=True)
    ]
    kept = [row for row, is_shown in zip(rows, shown, strict=True) if is_shown]
    first, rest = kept[: MOST_LINES + 1], kept[MOST_LINES + 1 :]
    sum_ = "" if score == np.rint(total) else f", from a sum of {number(total)}"
    last = [bold(str(score)), "", bold("score"), ""]
    more: Markup | str = ""
    if rest:
        more_points = signed(float(points[shown][MOST_LINES + 1 :].sum()))
        more = details(
            f"{counted(len(rest), 'more line')} of together {more_points}", _lines_table(rest)
        )
        last = ["", "", "", ""]
    head = paragraph(Markup("<b>Score {}</b>{}").format(score, sum_), "head")
    return box(head, _lines_table([*first, last] if last[0] else first), more)


def _line(row: Mapping[Any, Any], ends: Range, *, is_base: bool) -> list[str]:
    value = float(row["points"])
    name = describe_feature(short(row["feature"], 60))
    words = name if row["value"] == "" else Markup("{}: {}").format(name, bold(short(row["value"])))
    drawn: Markup | str = "" if is_base else bar(min(value, 0), max(value, 0), ends)
    return [number(value) if is_base else signed(value), drawn, words, quiet(row["family"])]


def _lines_table(rows: Sequence[Sequence[str]]) -> Markup:
    return table(["points", "", "for", ""], rows, left=(1, 2, 3))


def show_points(points: PointsTable) -> Markup:
    """Return each feature's values and points as HTML, those that move a sum most first."""
    ranges = _find_ranges(points)
    order = sorted(ranges, key=lambda name: ranges[name][0] - ranges[name][1])
    say = signed if _ends(ranges)[1] >= 10 else _say_finely
    moving = [name for name in order if {*map(say, ranges[name])} != {"0"}]
    frame = points.to_frame()
    parts = [
        _show_feature(
            frame[frame["feature"] == name], points, ranges, say, is_strong=place < OPENED
        )
        for place, name in enumerate(moving[:MOST_FEATURES])
    ]
    head = Markup("<b>Points of {}</b>, added to {}").format(
        counted(len(points.features), "feature"), say(points.intercept)
    )
    notes = [f"All of {family} adds at most {number(cap)}." for family, cap in points.caps.items()]
    if points.pairs:
        notes.append(f"In this are {counted(len(points.pairs), 'pair')}, half to each of the two.")
    left = len(moving) - len(parts)
    notes += [f"In to_frame() alone: {counted(left, 'weaker feature')}."] if left else []
    idle = len(order) - len(moving)
    notes += [f"Without points: {counted(idle, 'feature')}."] if idle else []
    return box(paragraph(head, "head"), *parts, *(paragraph(note, "quiet") for note in notes))


def _show_feature(
    rows: pd.DataFrame,
    points: PointsTable,
    ranges: Mapping[str, Range],
    say: Callable[[float], str],
    *,
    is_strong: bool,
) -> Markup:
    name, ends = str(rows["feature"].iloc[0]), _ends(ranges)
    family = quiet(points.families.get(name, ""))
    summary = Markup("{}: {} to {} {}").format(
        bold(describe_feature(short(name, 60))), *map(say, ranges[name]), family
    )
    told = [
        [short(value), say(worth), bar(min(worth, 0), max(worth, 0), ends)]
        for value, worth in zip(rows["value"][:MOST_VALUES], rows["points"], strict=False)
    ]
    content = table(["value", "points", ""], told, left=(0, 2))
    if len(rows) > MOST_VALUES:
        left = f"In to_frame() alone: {counted(len(rows) - MOST_VALUES, 'more value')}."
        content += paragraph(left, "quiet")
    for term in points.terms:
        if term.feature == name and term.slope:
            slope = f"and {term.slope:+.3g} for each unit from {term.low:g} to {term.high:g}"
            content += paragraph(slope, "quiet")
    return details(summary, content, is_open=is_strong and len(rows) <= FEW)


def _say_finely(worth: float) -> str:
    """Return points as text to a hundredth: those of a learned table are log-odds."""
    text = f"{worth:+.2f}".replace("-", MINUS)
    return "0" if text[1:] == "0.00" else text


def show_scorer(scorer: Any) -> Markup:
    """Return what a fitted scorer is; scikit-learn's own diagram of one that is not fitted."""
    if not hasattr(scorer, "estimator_"):
        return Markup(estimator_html_repr(scorer))  # noqa: S704 - scikit-learn escapes what it shows
    version = f" {scorer.version}" if scorer.version else ""
    head = Markup("{}: {}").format(bold(f"{scorer.name}{version}"), _describe(scorer))
    scale = " ".join(_describe_scale(scorer))
    return box(paragraph(head, "head"), paragraph(scale), _show_strongest(scorer))


def _describe(scorer: Any) -> str:
    _, last = split_pipeline(scorer.estimator_)
    if isinstance(last, RulePointsClassifier):
        return f"a rule book of {counted(len(last.table_.features), 'rule')}"
    if not is_ours(scorer.estimator_):
        return f"{type(last).__name__} on {counted(scorer.n_features_in_, 'column')}"
    count = counted(len(last.table_.features), "feature")
    return f"{last.structure_}, {STRUCTURES[last.structure_]}; {count}"


def _describe_scale(scorer: Any) -> list[str]:
    scale, bands = scorer.scale_, scorer.bands or Bands()
    edges = [("hot", bands.hot), ("warm", bands.warm)]
    if scale is None:
        named = ", ".join(f"{edge:g} on {band}" for band, edge in edges)
        return [f"The points are the score: it has seen no outcomes. From {named}."]
    chance = {
        score: as_percent(_chance(scale.base_odds, scale.points_to_double, score))
        for score in (50, bands.hot, bands.warm)
    }
    named = ", ".join(f"{band} from {edge:g} on ({chance[edge]})" for band, edge in edges)
    return [
        f"{scale.points_to_double:g} points double the odds; 50 is a chance of {chance[50]}.",
        f"A lead is {named}.",
    ]


def _chance(base_odds: float, points_to_double: float, score: float) -> float:
    odds = base_odds * 2 ** ((score - 50) / points_to_double)
    return odds / (1 + odds)


def _show_strongest(scorer: Any) -> Markup:
    """Return what each feature can do to the score, where a table says it alone."""
    _, last = split_pipeline(scorer.estimator_)
    if not is_ours(scorer.estimator_) or getattr(last, "bag_", None) is not None:
        return paragraph("What a feature does depends on the whole lead: see explain.", "quiet")
    factor = 1.0 if scorer.scale_ is None else scorer.scale_.points_per_logit
    if scorer.scale_ is not None and isinstance(last, RulePointsClassifier):
        factor *= float(last.slope_ or 0.0)
    ranges = {name: _scaled(ends, factor) for name, ends in _find_ranges(last.table_).items()}
    order = sorted(ranges, key=lambda name: ranges[name][0] - ranges[name][1])[:STRONGEST]
    ends = _ends(ranges)
    rows = [
        [
            short(describe_feature(name), 60),
            quiet(scorer.find_family(name) or ""),
            signed(ranges[name][0]),
            signed(ranges[name][1]),
            bar(*ranges[name], ends),
        ]
        for name in order
    ]
    what = "rule" if isinstance(last, RulePointsClassifier) else "feature"
    left = len(ranges) - len(rows)
    content = table(
        [what, "family", "least", "most", ""],
        rows,
        caption=f"What the strongest {what}s can do to a score, in points",
        left=(0, 1, 4),
    )
    return content + paragraph(f"and {counted(left, f'more {what}')}", "quiet") if left else content


def _find_ranges(points: PointsTable) -> dict[str, Range]:
    """Return the least and the most that each feature's own terms and pairs can add."""
    ranges = dict.fromkeys(points.features, (0.0, 0.0))
    for term in points.terms:
        slopes = np.sort([term.slope * term.low, term.slope * term.high])
        low, high = ranges[term.feature]
        least, most = term.values.min() + slopes[0], term.values.max() + slopes[1]
        ranges[term.feature] = low + float(least), high + float(most)
    for pair in points.pairs:
        half = pair.grid / 2
        for name in pair.columns:
            low, high = ranges[name]
            ranges[name] = low + float(half.min()), high + float(half.max())
    return ranges


def _scaled(ends: Range, factor: float) -> Range:
    low, high = sorted(end * factor for end in ends)
    return low, high


def _ends(ranges: Mapping[str, Range]) -> Range:
    both = [end for ends in ranges.values() for end in ends]
    return min([0.0, *both]), max([0.0, *both])
