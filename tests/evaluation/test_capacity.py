import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from leadml.errors import DataError
from leadml.evaluation import _resample
from leadml.evaluation.capacity import WEEKS_A_MONTH, Capacity
from leadml.evaluation.comparison import Comparison, compare
from leadml.evaluation.summary import evaluate


def leads(n=1000, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(-1, 1.2, n)
    y_true = (rng.random(n) < expit(z)).astype(int)
    return y_true, {"model": expit(z), "rules": expit(z + noise * rng.normal(size=n))}


def test_wins_at_the_capacity_are_counted():
    y_true, chances = leads()
    result = compare(y_true, chances, capacity=50, weeks=4, n_resamples=50)
    assert result.chosen == 200
    at = result.at_capacity().set_index("model")
    for name, chance in chances.items():
        best = np.argsort(-chance)[:200]
        assert at.loc[name, "n_won"] == y_true[best].sum()
        assert at.loc[name, "gain"] == pytest.approx(y_true[best].sum() / y_true.sum())
        assert at.loc[name, "lower"] < at.loc[name, "n_won"] < at.loc[name, "upper"]
    whole = result.capacity.query("fraction == 1")
    assert (whole[["gain", "gain_lower", "gain_upper"]] == 1).all(axis=None)
    difference = result.capacity_differences.query("n_leads == 200").iloc[0]
    assert difference["difference"] == at.loc["model", "n_won"] - at.loc["rules", "n_won"]


def test_the_verdict_counts_deals_a_month():
    y_true, chances = leads(4000, noise=2.0)
    result = compare(y_true, chances, capacity=50, weeks=8, n_resamples=100)
    wins = result.capacity_differences.query("n_leads == 400").iloc[0]
    low, value, high = (wins[name] / 8 * WEEKS_A_MONTH for name in ("lower", "difference", "upper"))
    assert low > 10
    assert result.verdict == (
        f"With 50 calls a week the model finds {value:.0f} more deals a month than the rules, "
        f"95 % interval {low:.0f} to {high:.0f}.",
    )
    turned = compare(y_true, dict(reversed(chances.items())), capacity=50, weeks=8, n_resamples=100)
    assert turned.verdict == (
        f"With 50 calls a week the rules finds {value:.0f} fewer deals a month than the model, "
        f"95 % interval {low:.0f} to {high:.0f}.",
    )


def test_no_difference_is_said_where_none_can_be_shown():
    y_true, chances = leads(300, noise=0.05, seed=2)
    (sentence,) = compare(y_true, chances, capacity=5, weeks=6, n_resamples=100).verdict
    assert sentence.startswith("No difference can be shown between the model and the rules: with 5")
    assert "95 % interval \N{MINUS SIGN}" in sentence


def test_one_deal_is_one_deal():
    # 1,200 leads in 30 months; the model finds all 30 wins among the 120 called, the rules none
    y_true = np.repeat([1, 0], [30, 1170])
    chance = np.linspace(0.9, 0.1, 1200)
    both = {"model": chance, "rules": chance[::-1]}
    weeks = 30 * WEEKS_A_MONTH
    (sentence,) = compare(y_true, both, capacity=120 / weeks, weeks=weeks).verdict
    assert "the model finds 1 more deal a month than the rules" in sentence


def test_a_lead_with_several_rows_is_called_once():
    y_true, chances = leads(200)
    again = np.repeat(np.arange(200), 3)
    thrice = {name: chance[again] for name, chance in chances.items()}
    result = compare(
        y_true[again],
        thrice,
        lead_ids=again,
        groups=again,
        capacity=20,
        n_resamples=50,
    )
    once = compare(y_true, chances, capacity=20, n_resamples=50)
    assert (result.n_leads, once.n_leads) == (600, 200)
    columns = ["model", "fraction", "n_leads", "n_won"]
    assert result.capacity[columns].equals(once.capacity[columns])
    assert result.top.drop(columns="p_value").equals(once.top.drop(columns="p_value"))
    # whole leads are drawn, so the interval is that of 200 leads
    wide, alone = (
        one.capacity_differences.query("n_leads == 20")[["lower", "upper"]].to_numpy()
        for one in (result, once)
    )
    np.testing.assert_allclose(wide, alone, atol=1e-9)


def test_a_lead_is_called_at_its_best_look():
    # three leads; the second look is what makes the model call the second one
    y_true = [0, 0, 0, 1, 0, 0]
    ids = ["a", "a", "b", "b", "c", None]
    both = {"model": [0.5, 0.2, 0.1, 0.9, 0.3, 1.0], "rules": [0.7, 0.2, 0.1, 0.4, 0.3, 1.0]}
    result = compare(y_true, both, lead_ids=ids, capacity=1, n_resamples=20)
    at = result.at_capacity().set_index("model")["n_won"]
    assert at.to_dict() == {"model": 1, "rules": 0}
    assert result.capacity["n_leads"].max() == 3  # a row without an id is not called
    assert result.n_groups == 4
    assert result.top[["model_only", "neither"]].iloc[0].tolist() == [1, 0]


def test_bands_and_segments_come_along_and_go_through_json():
    y_true, chances = leads(400)
    bands = {
        name: np.where(chance > 0.5, "hot", np.where(chance > 0.2, "warm", "cold"))
        for name, chance in chances.items()
    }
    source = np.where(np.arange(400) % 2, "web", "fair")
    result = compare(
        y_true, chances, bands=bands, segments={"source": source}, weeks=4, n_resamples=20
    )
    assert result.cross["n_leads"].sum() == 400
    assert set(result.segments["segment"]) == {"web", "fair"}
    again = Comparison.from_dict(result.to_dict())
    assert again.to_dict() == result.to_dict()
    assert again.at_capacity()["n_won"].tolist() == result.at_capacity()["n_won"].tolist()


def test_any_classifier_can_be_compared():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y_true = (rng.random(400) < expit(X[:, 0])).astype(int)
    models = {
        "logistic": LogisticRegression().fit(X, y_true),
        "tree": DecisionTreeClassifier(max_depth=1).fit(X, y_true),
    }
    asked = compare(y_true, models, X=X, n_resamples=20)
    given = {name: model.predict_proba(X)[:, 1] for name, model in models.items()}
    assert asked.to_dict() == compare(y_true, given, n_resamples=20).to_dict()
    with pytest.raises(DataError, match="`logistic` is a classifier, but there is no `X`"):
        compare(y_true, models)


def test_many_leads_are_drawn_in_blocks_with_the_same_intervals(monkeypatch):
    y_true, chances = leads(20_000)
    singly = compare(y_true, chances, n_resamples=300)
    one = evaluate(y_true, chances["model"], n_resamples=300)
    monkeypatch.setattr(_resample, "_MOST_UNITS", 10_000)
    blocks = compare(y_true, chances, n_resamples=300)
    other = evaluate(y_true, chances["model"], n_resamples=300)
    np.testing.assert_array_equal(singly.metrics["value"], blocks.metrics["value"])
    for metric in ("roc_auc", "log_loss", "brier", "gain_10", "calibration_slope"):
        rows = [found.metrics.loc[metric] for found in (one, other)]
        wide, again = (row["upper"] - row["lower"] for row in rows)
        assert again == pytest.approx(wide, rel=0.25)
        middle, moved = ((row["upper"] + row["lower"]) / 2 for row in rows)
        assert moved == pytest.approx(middle, abs=0.2 * wide)
    widths = [
        found.capacity_differences.eval("upper - lower").to_numpy()[5:-5]
        for found in (singly, blocks)
    ]
    assert np.median(widths[1] / widths[0]) == pytest.approx(1, abs=0.1)


def test_blocks_keep_groups_whole(monkeypatch):
    y_true, chances = leads(3_000)
    again = np.repeat(np.arange(3_000), 4)
    many = {name: chance[again] for name, chance in chances.items()}
    monkeypatch.setattr(_resample, "_MOST_UNITS", 1_000)
    grouped = compare(y_true[again], many, groups=again, n_resamples=200)
    alone = compare(y_true, chances, n_resamples=200)
    ratio = [
        found.differences.set_index("metric").loc["log_loss", ["lower", "upper"]].diff().iloc[1]
        for found in (grouped, alone)
    ]
    assert ratio[0] == pytest.approx(ratio[1], rel=0.25)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"capacity": 0}, "`capacity` must be a positive number. Got 0"),
        ({"weeks": -1.0}, "`weeks` must be a positive number"),
        ({"capacity": float("inf")}, "`capacity` must be a positive number. Got inf"),
        ({"weeks": float("inf")}, "`weeks` must be a positive number. Got inf"),
        ({"capacity": 2000}, "2000 leads in all makes 2,000 of these 1,000 leads"),
        ({"capacity": 300, "weeks": 4}, "300 leads a week makes 1,200 of these 1,000"),
    ],
)
def test_a_capacity_that_cannot_be_is_refused(options, message):
    y_true, chances = leads()
    with pytest.raises(DataError, match=message):
        compare(y_true, chances, n_resamples=20, **options)


def test_the_default_is_a_tenth():
    assert Capacity.choose(185, None, None).chosen == 18
    assert Capacity.choose(3, None, 2.0).chosen == 1


def test_a_handful_of_accounts_proves_nothing():
    y_true, chances = leads(1000, noise=3.0)
    few = compare(y_true, chances, groups=np.arange(1000) % 8, n_resamples=50).verdict[0]
    assert "cannot be told apart by 8 accounts" in few
    many = compare(y_true, chances, groups=np.arange(1000) % 50, n_resamples=50).verdict[0]
    assert "more, 95 % interval" in many
