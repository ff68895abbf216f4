import numpy as np
import pytest

from leadml.errors import DataError
from leadml.evaluation.stability import compute_band_stability
from leadml.scoring.bands import Bands


def leads(n=2_000, seed=0):
    rng = np.random.default_rng(seed)
    score = np.clip(np.rint(rng.normal(50, 15, n)), 0, 100).astype(int)
    return (rng.random(n) < score / 150).astype(int), score


def figures(*arguments, **more):
    table = compute_band_stability(*arguments, **more)
    assert list(table.columns) == ["figure", "value", "lower", "upper"]
    assert table["figure"].tolist() == ["hot_edge", "share_kept", "hot_conversion"]
    return table.set_index("figure")


@pytest.mark.parametrize(("leads_a_week", "weeks"), [(5, 4), (50, 4), (400, 1), (1_000, 2)])
def test_the_edge_is_that_of_the_bands(leads_a_week, weeks):
    y_true, score = leads()
    bands = Bands.from_capacity(score, leads_a_week, weeks)
    table = figures(y_true, score, leads_a_week, weeks)
    assert table.loc["hot_edge", "value"] == bands.hot
    hot = bands.assign(score) == "hot"
    assert table.loc["hot_conversion", "value"] == pytest.approx(y_true[hot].mean())


def test_the_resamples_are_those_of_drawing_leads():
    y_true, score = leads(400)
    rng = np.random.default_rng(1)
    whole = Bands.from_capacity(score, 60)
    edges, kept, conversion = [], [], []
    for _ in range(1_000):
        drawn = rng.integers(400, size=400)
        bands = Bands.from_capacity(score[drawn], 60)
        edges.append(bands.hot)
        kept.append((bands.assign(score) == whole.assign(score)).mean())
        conversion.append(y_true[drawn][score[drawn] >= bands.hot].mean())
    table = figures(y_true, score, 60, n_resamples=1_000)
    ends = table.loc["hot_edge", ["lower", "upper"]].to_numpy(float)
    np.testing.assert_allclose(ends, np.quantile(edges, [0.025, 0.975]), atol=1)
    assert table.loc["share_kept", "value"] == pytest.approx(np.mean(kept), abs=0.01)
    ends = table.loc["hot_conversion", ["lower", "upper"]].to_numpy(float)
    np.testing.assert_allclose(ends, np.quantile(conversion, [0.025, 0.975]), atol=0.04)


def test_more_leads_stand_firmer():
    few, many = figures(*leads(300), 30), figures(*leads(30_000), 3_000)
    widths = [table["upper"] - table["lower"] for table in (few, many)]
    assert (widths[1] < widths[0]).all()
    assert many.loc["share_kept", "value"] > few.loc["share_kept", "value"]


def test_more_leads_of_the_best_score_than_sales_can_take():
    table = figures([1, 0, 1, 0], [100, 100, 100, 100], 2)
    assert table.loc["hot_edge"].tolist() == [101, 101, 101]
    assert table.loc["share_kept"].tolist() == [1, 1, 1]
    assert table.loc["hot_conversion"].isna().all()


def test_equal_seeds_give_equal_tables():
    assert figures(*leads(), 50).equals(figures(*leads(), 50))
    assert not figures(*leads(), 50).equals(figures(*leads(), 50, random_state=1))


def test_what_cannot_be_used_is_refused():
    with pytest.raises(DataError, match=r"`leads_a_week` \(0\) and `weeks` \(1\) must be positive"):
        compute_band_stability([1], [50], 0)
    with pytest.raises(DataError, match=r"`n_resamples` \(0\) at least 1"):
        compute_band_stability([1], [50], 5, n_resamples=0)
    with pytest.raises(DataError, match=r"reaches from 50 to 120\. Accepted is 0 to 100"):
        compute_band_stability([1, 0], [50, 120], 5)
