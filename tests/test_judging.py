from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from leadml import judging
from leadml.config import Config
from leadml.data.lead_table import LeadTable
from leadml.errors import DataError
from leadml.evaluation.summary import evaluate
from leadml.features.splits import Split
from leadml.judged import (
    count_weeks,
    describe_response,
    find_groups,
    forecast_bands,
    warn_of_accounts,
)
from leadml.judging import (
    Optimism,
    check_capacity,
    choose_structure,
    fit_scorer,
    judge,
    judge_at_random,
)
from leadml.pipelines import MODEL, make_logistic, make_model, make_scorer
from leadml.scoring.structures import STRUCTURES

CONFIG = Config.model_validate(
    {
        "leads": {"path": "leads.csv", "id": "id", "created": "created"},
        "outcome": {"column": "won", "won": ["1"], "lost": ["0"], "horizon": "30D"},
        "features": {"behavioral": ["visits", "noise"]},
    }
)
RECIPES = {MODEL: make_model(CONFIG, "additive", 0), "peer": make_logistic(CONFIG)}


def make_leads(n=900, each=1, accounts=None, weight=None, span=600) -> LeadTable:
    """Return leads whose visits decide, each looked at `each` times, over `span` days."""
    random = np.random.default_rng(0)
    dates = pd.date_range("2025-01-01", periods=n, freq=pd.Timedelta(days=span) / n).floor("s")
    index = pd.MultiIndex.from_arrays(
        [np.arange(n) // each, dates], names=["lead_id", "snapshot_date"]
    )
    visits = random.poisson(4, n)
    won = random.random(n) < 1 / (1 + np.exp(4 - visits))
    X = pd.DataFrame({"visits": visits, "noise": random.normal(size=n)}, index=index)
    account = None if accounts is None else pd.Series(accounts, index=index)
    y = pd.Series(won.astype(float), index=index)
    weight = None if weight is None else pd.Series(weight, index=index)
    return LeadTable(X, y, pd.Series(dates, index=index), account, (), weight=weight)


@pytest.fixture(scope="module")
def judged():
    """Both recipes on the newest third, learned from the older two, the wins weighing double."""
    leads = make_leads(450)
    leads = make_leads(450, weight=1 + leads.y.to_numpy())
    split = Split(((np.arange(300), np.arange(300, 450)),), "by hand")
    return leads, judge(CONFIG, RECIPES, leads, split, None)


def test_rows_of_an_account_or_a_lead_belong_together():
    assert find_groups(make_leads(6)) is None
    assert find_groups(make_leads(6, each=3)).tolist() == [0, 0, 0, 1, 1, 1]
    accounts = ["A", None, "B", "A", None, None]
    groups = find_groups(make_leads(6, each=2, accounts=accounts))
    assert groups.tolist() == ["A", "lead 0", "B", "A", "lead 2", "lead 2"]
    assert find_groups(make_leads(4, accounts=[7.0, None, 7.0, 8.0])).tolist()[::2] == ["7.0"] * 2


def test_every_test_lead_is_judged_by_every_recipe(judged):
    leads, found = judged
    assert found.models == [MODEL, "peer"]
    pd.testing.assert_frame_equal(found.leads.X, leads.X.iloc[300:])
    ((places, fitted),) = found.parts
    assert places.tolist() == list(range(150))
    assert fitted["peer"].scale_ == fitted[MODEL].scale_
    newest = leads.X.iloc[300:]
    for recipe, scorer in fitted.items():
        table = found.scored[recipe]
        expected = scorer.predict_proba(newest)[:, 1]
        np.testing.assert_allclose(table["probability"], expected, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(table["score"], scorer.compute_scores(newest))
        np.testing.assert_array_equal(table["band"], scorer.assign_bands(table["score"]))


def test_each_part_is_judged_by_what_did_not_see_it():
    leads = make_leads(300)
    parts = ((np.arange(150, 300), np.arange(150)), (np.arange(150), np.arange(150, 300)))
    found = judge(CONFIG, {"peer": make_logistic(CONFIG)}, leads, Split(parts, "by hand"), None)
    for places, scorers in found.parts:
        expected = scorers["peer"].predict_proba(found.leads.X.iloc[places])[:, 1]
        mine = found.scored["peer"]["probability"].iloc[places]
        np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-12)
    first, second = (scorers["peer"] for _, scorers in found.parts)
    assert first is not second


def test_the_base_rate_is_that_of_the_weighted_rows(judged):
    leads, found = judged
    older = leads.y.iloc[:300].mean()
    assert found.base_rate == pytest.approx(2 * older / (1 + older))


def test_weights_reach_every_recipe(judged):
    leads, found = judged
    older = leads.take(np.arange(300))
    plain = fit_scorer(make_scorer(CONFIG, make_logistic(CONFIG), name="peer"), make_leads(300))
    heavy = fit_scorer(make_scorer(CONFIG, make_logistic(CONFIG), name="peer"), older)
    assert heavy.predict_proba(older.X)[:, 1].mean() > plain.predict_proba(older.X)[:, 1].mean()
    chance = found.parts[0][1][MODEL].predict_proba(older.X)[:, 1]
    base = np.average(older.y, weights=older.weight)
    assert np.average(chance, weights=older.weight) == pytest.approx(base, abs=0.03)


def test_rows_of_one_lead_are_resampled_together_and_called_once(judged):
    _, found = judged
    rows = np.arange(300, 450)
    alone, thrice = (replace(found, leads=make_leads(450, each=n).take(rows)) for n in (1, 3))
    assert alone.evaluate()[MODEL].n_groups is None
    together, comparison = thrice.evaluate(), thrice.compare()
    assert {one.n_groups for one in together.values()} == {50}
    for one in ("roc_auc", "log_loss"):
        value = together[MODEL].metrics.loc[one, "value"]
        assert value == alone.evaluate()[MODEL].metrics.loc[one, "value"]
    assert len(comparison.verdict) == 1
    assert comparison.capacity["n_leads"].max() == 50
    assert alone.compare().capacity["n_leads"].max() == 150


def test_weeks_come_from_the_days_of_the_leads(judged):
    _, found = judged
    weeks = found.find_weeks()
    assert weeks == pytest.approx(200 / 7, abs=0.2)
    assert "with 2 calls a week the " in found.compare(capacity=2).verdict[0]
    undated = replace(found, leads=replace(found.leads, created=None))
    assert undated.find_weeks() is None
    assert "among the" in undated.compare().verdict[0].lower()
    assert count_weeks(pd.Series(pd.to_datetime(["2026-01-01", "2026-01-05"]))) is None


def test_segments_are_features_of_the_model(judged):
    _, found = judged
    assert list(found.find_segments(["visits"])) == ["visits"]
    assert found.find_segments().shape == (150, 0)  # there are no categories
    with pytest.raises(DataError, match=r"'visit' is no feature\. Did you mean 'visits'\?"):
        found.compare(segments=["visit"])


def test_optimism_is_told_with_both_figures():
    y = [1, 0] * 50
    perfect = evaluate(y, np.where(y, 0.9, 0.1), n_resamples=20)
    reversed_ = evaluate(y, np.where(y, 0.1, 0.9), n_resamples=20)
    assert Optimism(perfect, "a random split").describe(reversed_) == (
        "Optimism: a random split would have promised AUC 1.000 and a lift of 2.00 in the best "
        "10 %; the next period gave 0.000 and 0.00."
    )


def test_a_random_split_keeps_the_snapshots_of_a_lead_together():
    """What an id gives away about its other rows would promise the moon."""
    leads = make_leads(400, each=4)
    random = np.random.default_rng(1)
    won = pd.Series(np.repeat(random.integers(0, 2, 100), 4).astype(float), index=leads.X.index)
    X = leads.X.assign(noise=np.repeat(random.permutation(100), 4))
    X["visits"] = random.poisson(4, 400)
    table = LeadTable(X, won, leads.created, None, ())
    found = judge_at_random(CONFIG, make_model(CONFIG, "full", 0), table, 0)
    assert found.method == "a random split"
    assert found.random.n_leads == 80
    assert found.random.metrics.loc["roc_auc", "value"] < 0.75


@pytest.mark.parametrize(
    "leads",
    [
        make_leads(span=40),  # less than a horizon before the first period
        make_leads(n=500),  # too few in a period
        LeadTable(make_leads().X, make_leads().y, None, None, ()),  # no dates
        make_leads().take(make_leads().y.to_numpy() == 0),  # no wins
    ],
    ids=["short", "few", "undated", "lost"],
)
def test_a_history_too_short_is_not_chosen_by(leads):
    steps = []
    assert choose_structure(CONFIG, leads, 0, steps.append) is None
    assert steps == []


def test_the_structure_is_chosen_by_what_came_next():
    steps = []
    table = choose_structure(CONFIG, make_leads(), 0, steps.append)
    assert list(table) == ["structure", "log_loss", "gap", "gap_se", "chosen"]
    assert table["structure"].tolist() == list(STRUCTURES)
    assert steps == [
        f"{name}: 3 periods, each judged by what came before it" for name in STRUCTURES
    ]
    assert table["gap"].min() == 0
    assert table.loc[table["chosen"], "structure"].tolist() == ["additive"]


def test_periods_are_learned_from_one_horizon_before():
    leads = make_leads(each=2)
    parts = judging._find_origins(CONFIG, leads)
    days, ids = leads.created.to_numpy(), leads.lead_ids.to_numpy()
    assert len(parts) == 3
    for older, newer in parts:
        assert days[older].max() <= days[newer].min() - np.timedelta64(30, "D")
        assert not set(ids[older]) & set(ids[newer])
    tested = np.concatenate([newer for _, newer in parts])
    assert len(np.unique(tested)) == len(tested) == pytest.approx(0.3 * 900, abs=3)


def test_accounts_are_apart_where_that_leaves_enough():
    accounts = np.arange(900) // 10
    for older, newer in judging._find_origins(CONFIG, make_leads(accounts=accounts)):
        assert not set(accounts[older]) & set(accounts[newer])
    # two accounts have rows in every period: to keep them apart would leave nothing
    parts = judging._find_origins(CONFIG, make_leads(accounts=np.arange(900) % 2))
    plain = judging._find_origins(CONFIG, make_leads())
    for (older, _), (expected, _) in zip(parts, plain, strict=True):
        np.testing.assert_array_equal(older, expected)


def choose_among(losses, **options):
    table = judging._compare_structures(losses, make_leads(len(losses["full"]), **options))
    return table.loc[table["chosen"], "structure"].tolist()


def test_the_simplest_within_one_standard_error_is_chosen():
    random = np.random.default_rng(0)
    base, noise = random.random(400), random.normal(size=400)
    near = {"additive": base + 0.004 + 0.1 * noise, "pairwise": base + 0.5, "full": base}
    assert choose_among(near) == ["additive"]
    assert choose_among({**near, "additive": base + 0.02 + 0.1 * noise}) == ["full"]
    assert choose_among({**near, "additive": base + 0.5, "pairwise": base}) == ["pairwise"]
    equal = dict.fromkeys(STRUCTURES, base)
    assert choose_among(equal) == ["additive"]


def test_what_is_the_same_lead_is_counted_once():
    """20 leads told 20 times are no more certain than told once."""
    noise = np.repeat(np.random.default_rng(0).normal(size=20), 20)
    base = np.full(400, 0.5)
    losses = {"additive": base + 0.15 + noise, "pairwise": base + 1, "full": base}
    losses["additive"] -= noise.mean()
    assert choose_among(losses) == ["full"]
    assert choose_among(losses, each=20) == ["additive"]


def test_rows_without_weight_do_not_choose():
    base = np.full(400, 0.5)
    losses = {"additive": base, "pairwise": base, "full": np.where(np.arange(400) < 300, 0.1, 0.6)}
    assert choose_among(losses) == ["full"]
    weight = np.where(np.arange(400) < 300, 0.0, 1.0)
    assert choose_among(losses, weight=weight) == ["additive"]


def test_the_rules_take_weights_too():
    """`fit_scorer` names the argument as the classifier does."""
    calls = {}
    scorer = SimpleNamespace(
        estimator=[make_logistic(CONFIG)[-1]], fit=lambda *_, **extra: calls.update(extra)
    )
    fit_scorer(scorer, make_leads(10, weight=np.full(10, 0.5)))
    assert list(calls) == ["model__sample_weight"]
    scorer.estimator = [make_model(CONFIG)[-1]]
    calls.clear()
    fit_scorer(scorer, make_leads(10, each=2, weight=np.full(10, 0.5)))
    assert sorted(calls) == ["model__dates", "model__groups", "model__row_weight"]
    calls.clear()
    fit_scorer(scorer, LeadTable(make_leads(10).X, make_leads(10).y, None, None, ()))
    assert calls == {"model__groups": None}


def test_days_to_the_first_contact_are_counted_from_the_lead(judged):
    _, found = judged
    leads = found.leads
    assert describe_response(leads) is None
    late = pd.to_timedelta(np.arange(150) % 4 - 1, unit="D")
    contacted = (leads.created + late).where(np.arange(150) % 10 > 0)
    table = describe_response(replace(leads, contacted=contacted)).set_index("contact")
    # one in four was called before it came in: left out; one in ten never
    never = int(contacted.isna().sum())
    before = int((contacted < leads.created).sum())
    assert table.loc["never", "n_leads"] == never
    assert table["n_leads"].sum() == 150 - before
    same = (contacted == leads.created).to_numpy()
    assert table.loc["same day", "n_won"] == leads.y[same].sum()


def test_bands_to_come_count_a_lead_once_with_its_highest_score(judged):
    _, found = judged
    scorer = found.parts[0][1][MODEL]
    once = forecast_bands(make_leads(900), scorer).set_index("group")
    assert once.loc["all", "mean"] == pytest.approx(900 / 600 * 7, rel=0.1)
    thrice = forecast_bands(make_leads(900, each=3, span=600), scorer).set_index("group")
    assert thrice.loc["all", "mean"] == pytest.approx(300 / 600 * 7, rel=0.1)
    share = [table.loc["cold", "mean"] / table.loc["all", "mean"] for table in (once, thrice)]
    assert share[1] < share[0]
    assert forecast_bands(make_leads(900, span=10), scorer) is None
    undated = replace(make_leads(900), created=None)
    assert forecast_bands(undated, scorer) is None


def test_one_wrong_date_changes_no_week(judged):
    _, found = judged
    created = found.leads.created.copy()
    created.iloc[0] = pd.Timestamp("1970-01-01")
    wrong = replace(found, leads=replace(found.leads, created=created))
    assert wrong.find_weeks() == pytest.approx(found.find_weeks(), abs=0.3)
    scorer = found.parts[0][1][MODEL]
    leads = make_leads(900)
    dates = leads.created.copy()
    dates.iloc[0] = pd.Timestamp("1970-01-01")
    right, odd = (
        forecast_bands(replace(leads, created=one), scorer).set_index("group")
        for one in (leads.created, dates)
    )
    assert odd.loc["all", "n_weeks"] == right.loc["all", "n_weeks"]


def test_a_lead_without_a_date_was_not_never_called(judged):
    _, found = judged
    created = found.leads.created.copy()
    created.iloc[:50] = pd.NaT
    leads = replace(found.leads, created=created, contacted=found.leads.created)
    table = describe_response(leads).set_index("contact")
    assert table.loc["never", "n_leads"] == 0
    assert table.loc["same day", "n_leads"] == 100


def test_leads_from_before_the_period_are_not_called_in_it():
    """Three looks at each lead, 20 days apart: the first period's leads are still looked at."""
    base = make_leads(300, span=300)
    later = [base.created + pd.Timedelta(days=20 * look) for look in range(3)]
    dates = pd.concat(later)
    ids = np.tile(np.arange(300), 3)
    index = pd.MultiIndex.from_arrays([ids, dates], names=["lead_id", "snapshot_date"])
    X = pd.concat([base.X] * 3).set_axis(index)
    y = pd.concat([base.y] * 3).set_axis(index)
    leads = LeadTable(X, y, pd.Series(dates.to_numpy(), index=index), None, ())
    start = base.created.iloc[200]
    newer = np.flatnonzero((leads.created >= start).to_numpy())
    older = np.flatnonzero((leads.created < start).to_numpy())
    recipes = {"peer": make_logistic(CONFIG)}
    found = judge(CONFIG, recipes, leads, Split(((older, newer),), "by time"), None)
    for rows in (found.first_rows(), found.lead_rows()):
        assert sorted(found.leads.lead_ids[rows]) == list(range(200, 300))
    chance = found.scored["peer"]["probability"]
    best = chance.groupby(pd.Series(found.call_ids())).max()
    rows = found.lead_rows()
    np.testing.assert_array_equal(chance.iloc[rows], best.loc[found.leads.lead_ids[rows]])
    assert found.find_weeks() == pytest.approx(100 / 7, abs=0.3)


def test_one_large_account_is_told():
    assert warn_of_accounts(make_leads(100)) == ()
    mixed = make_leads(100, accounts=[f"A{place}" for place in range(100)])
    assert warn_of_accounts(mixed) == ()
    (warning,) = warn_of_accounts(make_leads(100, accounts=["unknown"] * 60 + [None] * 40))
    assert "One account holds 60 % of the leads judged" in warning


def test_a_capacity_beyond_the_leads_is_told_before_anything_is_learned():
    leads = make_leads(300, span=300)
    split = Split(((np.arange(200), np.arange(200, 300)),), "by hand")
    check_capacity(leads, split, 6)
    with pytest.raises(DataError, match=r"`capacity` of 50 leads a week makes 71\d of these 100"):
        check_capacity(leads, split, 50)
