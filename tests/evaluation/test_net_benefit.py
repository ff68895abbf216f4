import numpy as np
import pandas as pd
import pytest

from leadml.errors import DataError
from leadml.evaluation.net_benefit import compute_net_benefit


def simulate(n_leads, rng):
    y_prob = rng.beta(1, 4, n_leads).round(2)
    return (rng.random(n_leads) < y_prob).astype(int), y_prob


def test_by_hand():
    y_true, y_prob = [1, 1, 0, 0, 0], [0.8, 0.3, 0.5, 0.2, 0.1]
    table = compute_net_benefit(y_true, {"model": y_prob}, [0.2, 0.5, 0.9])
    wide = table.pivot(index="threshold", columns="model", values="net_benefit")
    # at 0.2 two won and two lost leads are called, at 0.5 one of each, at 0.9 none
    assert wide["model"].tolist() == pytest.approx([2 / 5 - 2 / 5 / 4, 1 / 5 - 1 / 5, 0])
    assert wide["call all"].tolist() == pytest.approx(
        [2 / 5 - 3 / 5 / 4, 2 / 5 - 3 / 5, 2 / 5 - 27 / 5]
    )
    assert (wide["call none"] == 0).all()
    assert table["model"].unique().tolist() == ["model", "call all", "call none"]


def test_interval_is_that_of_a_mean():
    rng = np.random.default_rng(0)
    y_true, y_prob = simulate(400, rng)
    row = compute_net_benefit(y_true, {"model": y_prob}, [0.25]).iloc[0]
    benefit = np.where(y_prob >= 0.25, np.where(y_true == 1, 1, -1 / 3), 0)
    assert row["net_benefit"] == pytest.approx(benefit.mean())
    half = 1.959964 * benefit.std() / np.sqrt(400)
    assert [row["lower"], row["upper"]] == pytest.approx(
        [benefit.mean() - half, benefit.mean() + half]
    )


@pytest.mark.parametrize("n_groups", [None, 60])
def test_interval_agrees_with_a_bootstrap(n_groups):
    rng = np.random.default_rng(1)
    y_true, y_prob = simulate(600, rng)
    groups = np.arange(600) if n_groups is None else np.sort(y_prob).searchsorted(y_prob) // 10
    table = compute_net_benefit(
        y_true, {"model": y_prob}, [0.1, 0.3], None if n_groups is None else groups
    )
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    draws = []
    for _ in range(300):
        drawn = np.concatenate([members[k] for k in rng.integers(len(members), size=len(members))])
        draws.append(
            compute_net_benefit(y_true[drawn], {"model": y_prob[drawn]}, [0.1, 0.3])["net_benefit"]
        )
    half = (table["upper"] - table["lower"]) / 2
    np.testing.assert_allclose(half[:4], 1.96 * np.std(draws, axis=0)[:4], rtol=0.15)


def test_groups_of_one_lead_change_nothing_but_the_small_sample_factor():
    y_true, y_prob = simulate(300, np.random.default_rng(2))
    plain = compute_net_benefit(y_true, {"model": y_prob})
    singles = compute_net_benefit(y_true, {"model": y_prob}, groups=np.arange(300))
    half, half_of_singles = (table["upper"] - table["net_benefit"] for table in (plain, singles))
    np.testing.assert_allclose(half_of_singles, half * np.sqrt(300 / 299), atol=1e-12)
    one = compute_net_benefit(y_true, {"model": y_prob}, groups=["a"] * 300)
    assert one["lower"].isna().all()


def test_interval_covers_the_truth():
    rng = np.random.default_rng(5)
    everyone, all_prob = simulate(1_000_000, rng)
    truth = compute_net_benefit(everyone, {"model": all_prob}, [0.2])["net_benefit"][0]
    covered = 0
    for _ in range(300):
        y_true, y_prob = simulate(400, rng)
        row = compute_net_benefit(y_true, {"model": y_prob}, [0.2]).iloc[0]
        covered += row["lower"] <= truth <= row["upper"]
    assert covered >= 0.92 * 300


def test_thresholds_by_default_include_a_lead_at_the_threshold():
    table = compute_net_benefit([1, 0], {"model": [0.07, 0.01]})
    model = table[table["model"] == "model"].set_index("threshold")["net_benefit"]
    assert model.index.tolist() == [percent / 100 for percent in range(1, 100)]
    assert model[0.07] == 0.5
    assert model[0.08] == 0


def test_order_of_rows_changes_nothing_and_equal_models_are_equal():
    rng = np.random.default_rng(4)
    y_true, y_prob = simulate(300, rng)
    table = compute_net_benefit(y_true, {"model": y_prob, "rules": y_prob})
    order = rng.permutation(300)
    mixed = {"model": y_prob[order], "rules": y_prob[order]}
    pd.testing.assert_frame_equal(compute_net_benefit(y_true[order], mixed), table)
    parts = dict(list(table.groupby("model")))
    np.testing.assert_array_equal(parts["model"]["lower"], parts["rules"]["lower"])


@pytest.mark.parametrize("y_true", [[0, 0, 0], [1, 1, 1]])
def test_one_outcome_only(y_true):
    table = compute_net_benefit(y_true, {"model": [0.1, 0.5, 0.9]}, [0, 0.5])
    assert table.notna().all(axis=None)
    assert (table["net_benefit"] <= 0).all() or set(y_true) == {1}


@pytest.mark.parametrize(
    ("thresholds", "met"), [([0.1, 1], "1"), ([-0.5], "-0.5"), ([np.nan], "nan"), ([], "nothing")]
)
def test_thresholds_that_are_none(thresholds, met):
    with pytest.raises(DataError, match=f"`thresholds` holds {met}. Accepted are probabilities"):
        compute_net_benefit([1, 0], {"model": [0.2, 0.3]}, thresholds)


def test_no_model():
    with pytest.raises(DataError, match="Accepted are one model or more"):
        compute_net_benefit([1, 0], {})
