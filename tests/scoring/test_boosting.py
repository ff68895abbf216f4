import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.metrics import log_loss

from leadml.errors import DataError
from leadml.scoring import structures
from leadml.scoring.bag import fit_bag
from leadml.scoring.boosting import LeadBoostingClassifier

STRUCTURES = ("additive", "pairwise", "full")
SHORT = {"n_repeats": 1, "max_rounds": 60, "random_state": 0}


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_score_is_the_same_alone_in_any_batch_and_order(models, odd_leads, leads, structure):
    model = models[structure]
    everyone = pd.concat([odd_leads, leads.astype({"opted out": object})], ignore_index=True)
    whole = model.decision_function(everyone)
    order = np.random.default_rng(0).permutation(len(everyone))
    np.testing.assert_array_equal(model.decision_function(everyone.iloc[order]), whole[order])
    np.testing.assert_array_equal(model.decision_function(everyone.iloc[:17]), whole[:17])
    for row in range(0, len(everyone), 23):
        assert model.decision_function(everyone.iloc[[row]])[0] == whole[row]
    contributions = model.compute_contributions(everyone).to_numpy()
    some = model.compute_contributions(everyone.iloc[order[:5]]).to_numpy()
    np.testing.assert_array_equal(some, contributions[order[:5]])


@pytest.mark.parametrize("structure", STRUCTURES)
def test_training_does_not_depend_on_the_threads(models, leads, won, odd_leads, structure):
    one = clone(models[structure]).set_params(n_jobs=1).fit(leads, won)
    assert one.table_.to_dict() == models[structure].table_.to_dict()
    np.testing.assert_array_equal(
        one.decision_function(odd_leads), models[structure].decision_function(odd_leads)
    )


@pytest.mark.parametrize("structure", STRUCTURES)
def test_contributions_add_up_to_the_log_odds(models, leads, odd_leads, structure):
    model = models[structure]
    for frame in (leads, odd_leads):
        contributions = model.compute_contributions(frame)
        assert list(contributions.columns) == list(leads.columns)
        total = model.start_ + contributions.sum(axis=1)
        np.testing.assert_allclose(total, model.decision_function(frame), atol=1e-6)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_an_average_lead_has_no_points(models, leads, won, structure):
    model = models[structure]
    assert model.start_ == pytest.approx(np.log(won.mean() / (1 - won.mean())))
    assert model.compute_contributions(leads).sum(axis=1).mean() == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("column", ["visits", "minutes"])
def test_declared_monotone_log_odds_never_fall(models, leads, odd_leads, structure, column):
    model = models[structure]
    steps = np.r_[-np.inf, -1e300, np.sort(leads[column].dropna().unique())[::7], 1e300, np.inf]
    some = pd.concat(
        [leads.head(12).astype({"opted out": object}), odd_leads.head(12)], ignore_index=True
    )
    grid = some.loc[some.index.repeat(len(steps))].assign(**{column: np.tile(steps, len(some))})
    log_odds = model.decision_function(grid).reshape(len(some), -1)
    assert np.diff(log_odds, axis=1).min() >= -1e-8  # tables are rounded to 9 decimals


def test_monotone_down():
    visits = np.random.default_rng(0).normal(size=300)
    won = np.random.default_rng(1).random(300) < expit(visits)
    leads = pd.DataFrame({"visits": visits})
    model = LeadBoostingClassifier("additive", monotone={"visits": -1}, random_state=0)
    log_odds = model.fit(leads, won).decision_function(leads.sort_values("visits"))
    assert np.diff(log_odds).max() <= 1e-8


def test_monotone_between_two_frequent_largest_values():
    random = np.random.default_rng(0)
    visits = np.r_[np.arange(200.0), np.full(500, 1_000.0), np.full(1_000, 2_000.0)]
    won = random.random(len(visits)) < expit((visits - 1_500) / 500)
    leads = pd.DataFrame({"visits": visits, "noise": random.normal(size=len(visits))})
    model = LeadBoostingClassifier("additive", monotone={"visits": 1}, n_repeats=1, random_state=0)
    new = pd.DataFrame({"visits": [1_000, 1_400, 1_700, 2_000], "noise": 0.0})
    assert np.diff(model.fit(leads, won).decision_function(new)).min() >= -1e-8


@pytest.mark.parametrize(
    ("monotone", "match"),
    [
        ({"vists": 1}, r"'vists' is no column. Did you mean 'visits'\?"),
        ({"source": 1}, "'source' holds texts, not numbers"),
        ({"visits": 2}, "sign 2; accepted are 1 and -1"),
    ],
)
def test_monotone_that_cannot_be_used(leads, won, monotone, match):
    with pytest.raises(DataError, match=match):
        LeadBoostingClassifier(monotone=monotone).fit(leads, won)


def test_auto_takes_additive_where_columns_add_up():
    random = np.random.default_rng(0)
    leads = pd.DataFrame(random.normal(size=(2_000, 4)), columns=list("abcd"))
    won = random.random(2_000) < expit(leads["a"] - leads["b"] + np.sin(2 * leads["c"]))
    model = LeadBoostingClassifier(n_repeats=1, max_rounds=400, random_state=0).fit(leads, won)
    assert model.structure_ == "additive"
    assert list(model.structures_["structure"].unique()) == list(STRUCTURES)
    assert model.structures_.loc[model.structures_["chosen"], "structure"].tolist() == ["additive"]


def make_pocket(n_leads: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw leads that win in one middle square of two columns alone: no depth of 2 sees it."""
    random = np.random.default_rng(seed)
    leads = pd.DataFrame(random.random((n_leads, 4)), columns=list("abcd"))
    inside = leads["a"].between(0.4, 0.6) & leads["b"].between(0.4, 0.6)
    return leads, (random.random(n_leads) < np.where(inside, 0.9, 0.3))


def test_a_second_deal_sees_finer_pairs():
    test, outcome = make_pocket(4_000, 1)
    losses = []
    for n_repeats in (1, 2):
        model = LeadBoostingClassifier("pairwise", n_repeats=n_repeats, random_state=0)
        chances = model.fit(*make_pocket(4_000, 0)).predict_proba(test)
        losses.append(log_loss(outcome, chances))
    assert losses[1] < losses[0] - 0.005


def test_where_finer_trees_do_worse_all_deals_are_alike(monkeypatch):
    random = np.random.default_rng(0)
    leads = pd.DataFrame(random.normal(size=(600, 6)))
    won = random.random(600) < expit(0.5 * leads[0] - 1).to_numpy()
    grown = []

    def fit_and_note(training, settings, n_rounds=None):
        grown.append(settings)
        return fit_bag(training, settings, n_rounds)

    monkeypatch.setattr(structures, "fit_bag", fit_and_note)
    LeadBoostingClassifier("pairwise", random_state=0).fit(leads, won)
    first, finer, last = grown
    assert finer.one_hot
    assert finer.max_depth > 2
    assert last == first


@pytest.mark.parametrize("structure", ["additive", "pairwise"])
def test_two_deals_are_exact_tables_that_never_fall(leads, won, odd_leads, structure):
    few = {"monotone": {"visits": 1}, "n_repeats": 2, "max_rounds": 120, "random_state": 0}
    model, one = (LeadBoostingClassifier(structure, n_jobs=n, **few) for n in (2, 1))
    model.fit(leads, won)
    assert one.fit(leads, won).table_.to_dict() == model.table_.to_dict()
    steps = np.r_[-np.inf, np.sort(leads["visits"].dropna().unique()), np.inf]
    both = [leads.head(40).astype({"opted out": object}), odd_leads.head(40)]
    some = pd.concat(both, ignore_index=True)
    grid = some.loc[some.index.repeat(len(steps))].assign(visits=np.tile(steps, len(some)))
    log_odds = model.decision_function(grid).reshape(len(some), -1)
    assert np.diff(log_odds, axis=1).min() >= -1e-8


def make_three_way(noise: int) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(0)
    leads = pd.DataFrame(random.normal(size=(3_000, 3 + noise)))
    won = random.random(3_000) < expit(3 * np.sign(leads[0] * leads[1] * leads[2]))
    return leads, won.to_numpy()


@pytest.mark.parametrize(
    "noise",
    [6, 0],
)
def test_auto_takes_full_where_three_columns_act_together(noise):
    model = LeadBoostingClassifier(n_repeats=1, max_rounds=400, random_state=0)
    model.fit(*make_three_way(noise))
    assert model.structure_ == "full"
    losses = model.structures_.set_index("structure")["log_loss"]
    assert losses["full"] < losses["pairwise"] - 0.05
    assert model.bag_ is not None


def test_unseen_levels_and_unseen_missing_values_are_scored():
    random = np.random.default_rng(0)
    leads = pd.DataFrame({"source": random.choice(list("ab"), 300), "n": random.normal(size=300)})
    won = random.random(300) < np.where(leads["source"] == "a", 0.8, 0.2)
    for structure in STRUCTURES:
        model = LeadBoostingClassifier(structure, **SHORT).fit(leads, won)
        new = pd.DataFrame({"source": ["zzz", None], "n": [np.nan, np.inf]})
        assert np.isfinite(model.decision_function(new)).all()


def test_two_fits_with_one_seed_are_equal(models, leads, won, odd_leads):
    again = clone(models["pairwise"]).fit(leads, won)
    np.testing.assert_array_equal(
        again.decision_function(odd_leads), models["pairwise"].decision_function(odd_leads)
    )


@pytest.mark.parametrize("structure", STRUCTURES)
def test_joblib_round_trip(models, odd_leads, structure, tmp_path):
    joblib.dump(models[structure], tmp_path / "model.joblib")
    back = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(
        back.predict_proba(odd_leads), models[structure].predict_proba(odd_leads)
    )
    np.testing.assert_array_equal(
        back.compute_contributions(odd_leads), models[structure].compute_contributions(odd_leads)
    )


def test_no_more_trees_than_asked_for(leads, won):
    model = LeadBoostingClassifier("full", n_repeats=1, max_rounds=3, random_state=0).fit(
        leads, won
    )
    assert model.bag_.n_rounds <= 3


def test_infinite_and_huge_values_train(leads, won):
    odd = leads.copy()
    odd.loc[[0, 1, 2], "minutes"] = [np.inf, -np.inf, 1e200]
    plain = LeadBoostingClassifier("additive", **SHORT).fit(leads, won)
    model = LeadBoostingClassifier("additive", **SHORT).fit(odd, won)
    assert model.log_loss_ < plain.log_loss_ + 0.01


CONSTANT = [
    {"a": 1.0, "b": "x"},
    {"a": np.nan, "b": None},
    pytest.param(
        {"a": 1.0},
    ),
]


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("values", CONSTANT)
def test_columns_that_say_nothing_give_the_base_rate(structure, values):
    leads = pd.DataFrame(values, index=range(100))
    won = np.arange(100) % 4 == 0
    model = LeadBoostingClassifier(structure, **SHORT).fit(leads, won)
    np.testing.assert_allclose(model.predict_proba(leads)[:, 1], 0.25, atol=0.02)


def test_a_single_category_of_few_levels_is_learned():
    random = np.random.default_rng(0)
    source = random.choice(list("abcde"), 2_000)
    chance = dict(zip("abcde", (0.1, 0.3, 0.5, 0.7, 0.9), strict=True))
    won = random.random(2_000) < pd.Series(source).map(chance)
    leads = pd.DataFrame({"source": source})
    model = LeadBoostingClassifier("additive", random_state=0).fit(leads, won.to_numpy())
    found = model.predict_proba(pd.DataFrame({"source": list("abcde")}))[:, 1]
    np.testing.assert_allclose(found, list(chance.values()), atol=0.06)


def test_accounts_stay_together(leads, won):
    accounts = np.arange(len(leads)) // 20
    model = LeadBoostingClassifier("additive", **SHORT)
    assert model.fit(leads, won, groups=accounts).log_loss_ < 0.7


@pytest.mark.parametrize("wins", [1, 0])
def test_too_few_leads_of_an_outcome(leads, wins):
    won = np.arange(len(leads)) < wins
    with pytest.raises(ValueError, match="2 classes with at least 2 leads each"):
        LeadBoostingClassifier().fit(leads, won)


def test_a_handful_of_leads(leads, won):
    few = np.r_[np.flatnonzero(won)[:2], np.flatnonzero(~won)[:3]]
    for structure in STRUCTURES:
        model = LeadBoostingClassifier(structure, **SHORT).fit(leads.iloc[few], won[few])
        assert np.isfinite(model.predict_proba(leads)).all()


def test_repeated_column_names(leads, won):
    twice = pd.concat([leads, leads[["visits"]]], axis=1)
    with pytest.raises(ValueError, match="unique column names"):
        LeadBoostingClassifier().fit(twice, won)
