"""Put a report together from what models said of leads whose outcome is known."""

from collections.abc import Mapping, Sequence

import pandas as pd

from leadml.evaluation.comparison import Comparison
from leadml.evaluation.cross import compute_grid
from leadml.evaluation.disagreement import compute_reason_agreement, share_same_strongest
from leadml.evaluation.forecast import compute_definitions
from leadml.evaluation.report import Report
from leadml.evaluation.summary import Evaluation
from leadml.judged import Judged
from leadml.reporting.leads import describe_disagreements, describe_leads, find_apart
from leadml.reporting.points import centre_points, compute_mean_points, take_sample
from leadml.scoring.attribution import is_ours
from leadml.scoring.bands import Bands
from leadml.scoring.by_source import compute_points_by_source, find_sources
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scorer import LeadScorer
from leadml.scoring.sums import ENGAGEMENT_FAMILIES, FIT_FAMILIES
from leadml.scoring.uncertainty import COVERAGE, Uncertainty
from leadml.scoring.what_if import WhatIf


def make_report(
    judged: Judged,
    evaluations: Mapping[str, Evaluation],
    comparison: Comparison | None,
    scorers: Mapping[str, LeadScorer],
    leads: Mapping[str, pd.DataFrame],
    *,
    title: str,
    facts: Mapping[str, str],
    warnings: Sequence[str] = (),
    notes: Sequence[str] = (),
    structures: pd.DataFrame | None = None,
    forecast: pd.DataFrame | None = None,
    value: pd.DataFrame | None = None,
    response: pd.DataFrame | None = None,
    unsure: Mapping[str, Uncertainty] | None = None,
    show_leads: bool = False,
) -> Report:
    """Return the report of one model or several.

    Parameters
    ----------
    judged : Judged
    evaluations, comparison
        What came of it.
    scorers : dict of str to LeadScorer
        The models that go out, by the names of those that were judged; tables of points and the
        what-if panel are theirs.
    leads : dict of str to DataFrame of shape (n_leads, n_columns)
        Leads that points are averaged over, the same ones as each of `scorers` reads them.
    title, facts, warnings, notes, structures, forecast, value, response
        As in `Report`.
    unsure : dict of str to Uncertainty, default=None
        Of the scorers, by name: how far their probabilities may be from the truth.
    show_leads : bool, default=False
        Show single leads by their ids: those that the models judge most differently, and some to
        look up.
    """
    ours = {name: one for name, one in scorers.items() if is_ours(one.estimator_)}
    first = next(iter(scorers.values()))
    sample = take_sample(leads, first)
    what_if = WhatIf.build(ours, sample) if ours else None
    apart = find_apart(judged)
    bands = first.bands or Bands()
    return Report(
        title=title,
        facts=facts,
        warnings=warnings,
        notes=[*notes, *_notes(judged, ours)],
        unit=judged.unit,
        band_edges=(bands.hot, bands.warm),
        evaluations=evaluations,
        comparison=comparison,
        points=_find_points(ours, sample),
        structures=structures,
        grid=_make_grid(judged, ours),
        definitions=_make_definitions(judged, comparison),
        forecast=forecast,
        value=value,
        response=response,
        agreement=_describe_agreement(ours, sample),
        disagreement=describe_disagreements(judged, apart) if show_leads else (),
        leads=describe_leads(judged, what_if, [*apart["place"]], unsure) if show_leads else (),
        what_if=None if what_if is None else what_if.to_dict(sample),
        uncertainty=_describe_uncertainty(scorers, unsure or {}, sample),
        grouped=_name_groups(judged),
    )


def _describe_uncertainty(
    scorers: Mapping[str, LeadScorer],
    unsure: Mapping[str, Uncertainty],
    sample: Mapping[str, pd.DataFrame],
) -> dict[str, object] | None:
    """Return how intervals are to be read, and how many leads the first model abstains from."""
    name = next(iter(scorers))
    if name not in unsure:
        return None
    X = scorers[name].select(sample[name])
    table = unsure[name].compute_intervals(scorers[name], X)
    return {"coverage": COVERAGE, "abstained": float(table["abstain"].mean())}


def _find_points(
    ours: Mapping[str, LeadScorer], sample: Mapping[str, pd.DataFrame]
) -> pd.DataFrame | None:
    """Return the points of the first model, and of the first rule book beside it."""
    if not ours:
        return None
    first, *others = ours.values()
    rules = [one for one in others if isinstance(one.estimator_[-1], RulePointsClassifier)]
    return compute_mean_points(first, sample[next(iter(ours))], rules[0] if rules else None)


def _describe_agreement(
    ours: Mapping[str, LeadScorer], sample: Mapping[str, pd.DataFrame]
) -> tuple[float, pd.DataFrame] | None:
    if len(ours) < 2:
        return None
    pair = [*ours.items()][:2]
    first, other = (
        centre_points(compute_points_by_source(one, sample[name])) for name, one in pair
    )
    return share_same_strongest(first, other), compute_reason_agreement(first, other)


def _make_grid(judged: Judged, ours: Mapping[str, LeadScorer]) -> pd.DataFrame | None:
    """Return the grid of fit and engagement, None where the model has no points of the one."""
    name = judged.models[0]
    if name not in ours:
        return None
    scorer = ours[name]
    families = {scorer.find_family(feature) for feature in find_sources(scorer)}
    if families.isdisjoint(FIT_FAMILIES) or families.isdisjoint(ENGAGEMENT_FAMILIES):
        return None
    rows = judged.lead_rows()
    scored = judged.scored[name].iloc[rows]
    return compute_grid(
        judged.leads.y.to_numpy()[rows],
        scored["fit"].to_numpy(),
        scored["engagement"].to_numpy(),
    )


def _make_definitions(judged: Judged, comparison: Comparison | None) -> pd.DataFrame:
    rows = judged.lead_rows()
    score = judged.scored[judged.models[0]]["score"].to_numpy()[rows]
    weeks = judged.find_weeks() if comparison is None else comparison.weeks
    return compute_definitions(judged.leads.y.to_numpy()[rows], score, weeks)


def _name_groups(judged: Judged) -> str:
    return "leads" if judged.leads.account is None else "accounts"


def _notes(judged: Judged, ours: Mapping[str, LeadScorer]) -> list[str]:
    notes = [
        "Calls go to the best-scored of the leads judged here, which are closed ones; who is still "
        "open is in no week. Leads that the hand-off rules out are called like any other.",
        "Intervals of conversion in bands, cells and segments take each lead for itself.",
    ]
    if ours:
        notes.append(
            "Points per value are means over leads: what a feature does together with others is in "
            "them. Points of the rules are counted from their mean, as those of the model are."
        )
    if judged.has_snapshots:
        notes.append(
            "A lead has several snapshots. Figures count each; wins at a capacity, bands against "
            "bands, segments and the grid count a lead once, as it stood when the model gave it "
            "most, and those alone that came in during the period judged."
        )
    return notes
