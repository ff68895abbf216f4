"""Scorers of every structure on leads of every kind of column, and what they must say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.pipeline import Pipeline

from leadml.config import BantColumns, HandoffTable
from leadml.features.profile import ProfileFeatures
from leadml.scoring import boosting
from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.columns import compute_codes
from leadml.scoring.raw_columns import RawColumn
from leadml.scoring.rulebook import Rule, RuleBook
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scorer import LeadScorer

KINDS = {
    "visits": "number",
    "minutes": "number",
    "source": "category",
    "code": "category",
    "opted out": "boolean",
    "title": "title",
    "email": "email",
    "phone": "phone",
    "seen": "date",
}
FAMILIES = {
    "visits": "behavioral",
    "minutes": "email",
    "source": "context",
    "code": "firmographic",
    "opted out": "email",
    "title": "demographic",
    "email": "demographic",
    "phone": "demographic",
    "seen": "behavioral",
}
BOOK = RuleBook(
    rules=[
        Rule(name="Visits", family="behavioral", column="visits", per_unit=3, cap=30),
        Rule(name="Fair", family="context", column="source", is_in=["fair"], points=30),
        Rule(name="Opted out", family="email", column="opted out", is_true=True, points=-10),
        Rule(name="Chief", family="demographic", column="title", contains=["chief"], points=5),
        Rule(name="Chat", family="email", column="source", is_in=["chat"], disqualify=True),
        Rule(name="Need", family="bant", column="minutes", at_least=9, points=0, bant="need"),
    ],
    caps={"behavioral": 20},
)
GIVEN = {
    "families": FAMILIES,
    "handoff": HandoffTable(required=["phone"], sales_ready=["opted out"], min_engagement=40),
    "bant": BantColumns(budget="code", authority="title"),
    "rules": BOOK,
    "version": "1",
}
NAMES = ["additive", "pairwise", "full", "rules", "points alone"]

NUMBERS = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -1e-40, 5e-324, 1e300, -1e300, -1.0, 2.5, 3.0]
SOURCES = [
    "web",
    "WEB",
    " Web ",
    "fair",
    "Chat",
    "",
    " ",
    "never seen",
    None,
    "select",
    "Select ",
    "é",
]
CODES = ["1.5", "2", "10", "x", "X", None, "", "-1", "never seen", "1.50x", "2,0"]
ANSWERS = ["yes", "NO", "ja", "1", "true", "f", None, "", "perhaps", "Select"]
TITLES = ["CFO", "cfo", "chief FOOL", "Head of IT", "Student", None, " ", "x", "select"]
EMAILS = ["a@gmail.com", "a@firm.example", "no address", None, "", "SELECT"]
PHONES = ["+49 30 1", "0", None, "", "-1", "select"]
DATES = ["2026-02-01", "2026-03-15T12:00:00Z", "9999-12-31", "soon", None, "", "20260201", "select"]
VALUES = {
    "source": SOURCES,
    "code": CODES,
    "opted out": ANSWERS,
    "title": TITLES,
    "email": EMAILS,
    "phone": PHONES,
    "seen": DATES,
}


def make_leads(count, seed):
    """Return leads by id and snapshot date, and which of them were won."""
    random = np.random.default_rng(seed)
    visits = random.poisson(3, count).astype(float)
    minutes = random.lognormal(2, 1, count)
    source = random.choice(["web", "chat", "fair"], count)
    code = random.choice(np.array(["1.5", "2", "10", "x", None], dtype=object), count)
    z = 0.6 * visits - 2.5 + (source == "fair") * 2 * (visits > 2) + 0.3 * np.log(minutes)
    z = z + 1.5 * (code == "1.5") - (source == "chat") * (minutes > 8)
    titles = ["CFO", "Chief of staff", "Head of IT", "Student", None]
    snapshots = pd.Timestamp("2026-03-01") + pd.to_timedelta(random.integers(0, 30, count), "D")
    leads = pd.DataFrame(
        {
            "visits": np.where(random.random(count) < 0.1, np.nan, visits),
            "minutes": minutes,
            "source": np.where(random.random(count) < 0.1, None, source),
            "code": code,
            "opted out": random.choice(["yes", "no"], count),
            "title": random.choice(np.array(titles, dtype=object), count),
            "email": [f"ann@firm{place % 9}.example" for place in range(count)],
            "phone": np.where(random.random(count) < 0.2, None, "+49 30 1"),
            "seen": (snapshots - pd.to_timedelta(random.integers(0, 90, count), "D")).astype("str"),
        }
    )
    leads.index = index_of(snapshots)
    return leads, random.random(count) < expit(z)


def index_of(snapshots):
    ids = [f"L{place}" for place in range(len(snapshots))]
    return pd.MultiIndex.from_arrays([ids, snapshots], names=["lead_id", "snapshot_date"])


@pytest.fixture(scope="module")
def scorers():
    """One fitted scorer a name; those of tables keep what they were collapsed from."""
    leads, won = make_leads(600, 0)
    made = {}
    for name in NAMES:
        is_rules = name in ("rules", "points alone")
        classifier = RulePointsClassifier(BOOK) if is_rules else make_boosting(name)
        profile = ProfileFeatures(kinds=KINDS, missing=["Select", "-1"], keep_raw=is_rules)
        pipeline = Pipeline([("profile", profile), ("model", classifier)])
        with pytest.MonkeyPatch.context() as patch:
            parts = []
            patch.setattr(boosting, "_make_table", keeping(boosting._make_table, parts))
            scorer = LeadScorer(pipeline, **GIVEN)
            made[name] = scorer.fit(leads, None if name == "points alone" else won)
        scorer.collapsed_from = parts[-1] if parts else None
    assert made["pairwise"].estimator_[-1].table_.pairs
    return made


def make_boosting(structure):
    return LeadBoostingClassifier(structure, n_repeats=1, max_rounds=40, random_state=0)


def keeping(function, parts):
    def keep(training, chosen, linear):
        parts.append((chosen, linear))
        return function(training, chosen, linear)

    return keep


def judge(scorer, columns, index, n_reasons=3):
    """Return what the engine says of columns of any kind."""
    read = {name: RawColumn(columns[name]) for name in scorer.compile().sources}
    return scorer.compile().score(read, len(index), index=index, n_reasons=n_reasons)


def predict_by_boosters(scorer, frame):
    """Return the chance by the boosters and the linear part that the tables were made of."""
    chosen, linear = scorer.collapsed_from
    columns = scorer.estimator_[-1].table_.columns
    codes = compute_codes(scorer.estimator_[0].transform(frame), columns)
    a, b, c = chosen.weights
    log_odds = a * chosen.bag.predict(codes) + b * linear.intercept + c
    for values, own in zip(linear.values, codes, strict=True):
        log_odds += b * values[own]
    return expit(log_odds)


def assert_same(first, second, exact=True):
    """Compare two verdicts on the same leads."""
    compare = np.testing.assert_array_equal if exact else np.testing.assert_allclose
    for name in ("raw_scores", "probability", "fit", "engagement"):
        compare(getattr(first, name), getattr(second, name), err_msg=name)
    for name in ("qualified", "bant"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), name)
    assert (first.points is None) == (second.points is None)
    if first.points is not None:
        compare(first.points, second.points)
    for mine, other in zip(first.reasons, second.reasons, strict=True):
        assert mine.to_pylist() == other.to_pylist()


def take(verdicts, rows):
    """Return the verdicts on some of the leads."""
    own = {
        name: getattr(verdicts, name)[rows]
        for name in ("raw_scores", "probability", "fit", "engagement", "qualified", "bant")
    }
    points = None if verdicts.points is None else verdicts.points[rows]
    return replace(
        verdicts, **own, points=points, reasons=[texts.take(rows) for texts in verdicts.reasons]
    )


def beside(edges):
    """Numbers on edges, and one float above and below."""
    edges = np.asarray(edges)
    return [*edges, *np.nextafter(edges, np.inf), *np.nextafter(edges, -np.inf)]


def number_column(scorers, name):
    columns = scorers["pairwise"].estimator_[-1].table_.columns
    return next(column for column in columns if column.name == name)


def draw_frame(data, scorers, count):
    """Draw leads of adversarial values."""
    frame = {}
    for name in ("visits", "minutes"):
        edges = number_column(scorers, name).edges
        pool = st.one_of(st.sampled_from([*NUMBERS, *beside(edges)]), st.floats())
        frame[name] = data.draw(st.lists(pool, min_size=count, max_size=count))
    for name, values in VALUES.items():
        drawn = data.draw(st.lists(st.sampled_from(values), min_size=count, max_size=count))
        frame[name] = np.array(drawn, dtype=object)
    days = data.draw(st.lists(st.integers(0, 60), min_size=count, max_size=count))
    snapshots = pd.Timestamp("2026-02-01") + pd.to_timedelta(days, "D")
    return pd.DataFrame(frame, index=index_of(snapshots))
