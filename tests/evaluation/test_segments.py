import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from leadml.errors import DataError
from leadml.evaluation.delong import auc_interval
from leadml.evaluation.segments import compute_segments
from leadml.evaluation.tables import wilson_interval

COLUMNS = [
    *("column", "segment", "model", "n_leads", "n_won", "conversion", "lower", "upper"),
    *("y_prob_mean", "gap", "roc_auc", "auc_lower", "auc_upper", "is_small"),
]


def segments_of(values, y_true=None):
    values = list(values) if isinstance(values, tuple) else values
    y_true = np.zeros(len(values)) if y_true is None else y_true
    table = compute_segments(y_true, {"model": np.full(len(values), 0.5)}, {"column": values})
    return dict(zip(table["segment"], table["n_leads"], strict=True))


def simulate(n_leads, seed=0):
    rng = np.random.default_rng(seed)
    y_prob = rng.beta(1, 3, n_leads).round(3)
    y_true = (rng.random(n_leads) < y_prob).astype(int)
    columns = pd.DataFrame(
        {
            "source": rng.choice(["web", "fair", "mail"], n_leads, p=[0.6, 0.3, 0.1]),
            "employees": rng.integers(1, 5000, n_leads),
        }
    )
    return y_true, {"model": y_prob, "rules": y_prob**0.5}, columns, rng


def test_each_row_is_what_its_leads_alone_give():
    y_true, models, columns, _ = simulate(900)
    table = compute_segments(y_true, models, columns)
    assert table.columns.tolist() == COLUMNS
    assert table["column"].unique().tolist() == ["source", "employees"]
    assert table["segment"].unique()[:3].tolist() == ["web", "fair", "mail"]
    assert table["model"].tolist() == ["model", "rules"] * 7
    for row in table[table["column"] == "source"].itertuples():
        inside = (columns["source"] == row.segment).to_numpy()
        won, y_prob = y_true[inside], models[row.model][inside]
        assert (row.n_leads, row.n_won) == (len(won), won.sum())
        lower, upper = wilson_interval(won.sum(), len(won))
        assert [row.lower, row.upper] == pytest.approx([lower, upper])
        assert row.gap == pytest.approx(y_prob.mean() - won.mean())
        assert row.y_prob_mean == pytest.approx(y_prob.mean())
        order = np.argsort(y_prob)
        expected = auc_interval(won[order].astype(float), y_prob[order])
        assert [row.roc_auc, row.auc_lower, row.auc_upper] == pytest.approx(expected)
        assert row.roc_auc == pytest.approx(roc_auc_score(won, y_prob))


def test_segments_of_each_column_hold_all_leads_once():
    y_true, models, columns, _ = simulate(700)
    table = compute_segments(y_true, models, columns)
    sums = table.groupby(["column", "model"])[["n_leads", "n_won"]].sum()
    assert (sums["n_leads"] == 700).all()
    assert (sums["n_won"] == y_true.sum()).all()


def test_order_of_rows_and_index_change_nothing():
    y_true, models, columns, rng = simulate(500)
    order = rng.permutation(500)
    mixed = {name: y_prob[order] for name, y_prob in models.items()}
    pd.testing.assert_frame_equal(
        compute_segments(y_true[order], mixed, columns.iloc[order], groups=order // 3),
        compute_segments(y_true, models, columns, groups=np.arange(500) // 3),
    )


def test_groups_change_nothing_but_the_interval_of_the_auc():
    y_true, models, columns, _ = simulate(500)
    plain = compute_segments(y_true, models, columns)
    grouped = compute_segments(y_true, models, columns, groups=np.arange(500) // 5)
    singles = compute_segments(y_true, models, columns, groups=np.arange(500))
    bounds = ["auc_lower", "auc_upper"]
    pd.testing.assert_frame_equal(plain, singles)
    pd.testing.assert_frame_equal(plain.drop(columns=bounds), grouped.drop(columns=bounds))
    assert (plain[bounds] != grouped[bounds]).all(axis=None)


def test_numbers_are_cut_into_quartiles():
    assert segments_of(range(1, 9)) == {"1 to 2": 2, "3 to 4": 2, "5 to 6": 2, "7 to 8": 2}
    assert segments_of((0.5, 1.234567, 1234.5, 2e6)) == {
        "0.5": 1,
        "1.23": 1,
        "1234": 1,
        "2000000": 1,
    }


def test_ties_give_fewer_segments_and_missing_is_one():
    values = [0, 0, 0, 0, 0, 0, 2, 9, np.nan, np.inf]
    assert segments_of(values) == {"0": 6, "2 to 9": 2, "missing": 2}
    assert segments_of(pd.array([1, 1, None], dtype="Int64")) == {"1": 2, "missing": 1}
    assert segments_of([np.nan, np.nan]) == {"missing": 2}
    assert segments_of([7.0, 7.0]) == {"7": 2}


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_dates_are_cut_into_quartiles(zone):
    days = pd.Series(pd.date_range("2024-01-01", periods=8, tz=zone))
    days[7] = pd.NaT
    found = segments_of(days)
    assert next(iter(found)) == "2024-01-01 to 2024-01-02"
    assert found["missing"] == 1
    assert sum(found.values()) == 8


def test_texts_beyond_the_most_frequent_are_other():
    texts = [letter for place, letter in enumerate("abcdefghij") for _ in range(12 - place)]
    found = segments_of([*texts, None, " "])
    assert list(found) == [*"abcdefgh", "other", "missing"]
    assert found["other"] == 4 + 3
    assert found["missing"] == 2


def test_levels_of_equal_count_are_taken_by_name():
    texts = list("jihgfedcba")
    assert list(segments_of(texts)) == [*"abcdefgh", "other"]
    assert list(segments_of(texts[::-1])) == [*"abcdefgh", "other"]


def test_texts_named_like_ours_join_them():
    assert segments_of(["other", "missing", None, "web"]) == {"web": 1, "other": 1, "missing": 2}


@pytest.mark.parametrize(
    "values",
    [
        pd.Categorical(["yes", "no", "yes"], categories=["no", "yes", "never"]),
        pd.Series(["yes", "no", "yes"], dtype="str"),
        np.array(["yes", "no", "yes"], dtype=object),
        ("yes", "no", "yes"),
    ],
)
def test_texts_of_any_type(values):
    assert segments_of(values) == {"yes": 2, "no": 1}


def test_booleans_are_texts():
    assert segments_of([True, False, True]) == {"True": 2, "False": 1}


def test_small_segments_are_marked():
    y_true = [1] * 20 + [0] * 20 + [1] * 19 + [0] * 500
    column = ["enough"] * 40 + ["small"] * 519
    table = compute_segments(y_true, {"model": np.full(559, 0.2)}, {"column": column})
    assert dict(zip(table["segment"], table["is_small"], strict=True)) == {
        "small": True,
        "enough": False,
    }


def test_segments_without_wins_have_no_auc():
    table = compute_segments(
        [0, 0, 1, 0], {"model": [0.1, 0.2, 0.3, 0.4]}, {"column": ["a", "a", "b", "b"]}
    )
    assert table["conversion"].tolist() == [0, 0.5]
    assert np.isnan(table["roc_auc"][0])
    assert table["roc_auc"][1] == 0
    assert table[["auc_lower", "auc_upper"]].isna().all(axis=None)


def test_no_column():
    assert compute_segments([1, 0], {"model": [0.1, 0.2]}, {}).columns.tolist() == COLUMNS


def test_what_is_no_column():
    with pytest.raises(DataError, match="`source` has the shape"):
        compute_segments([1, 0], {"model": [0.1, 0.2]}, {"source": ["web"]})
    with pytest.raises(DataError, match="Accepted are one model or more"):
        compute_segments([1, 0], {}, {"source": ["web", "fair"]})
