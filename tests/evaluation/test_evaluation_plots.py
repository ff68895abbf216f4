import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from leadml.errors import DataError
from leadml.evaluation import plots, tables

mpl.use("Agg")
from matplotlib import pyplot as plt


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def leads(seed=0):
    rng = np.random.default_rng(seed)
    y_prob = rng.beta(1, 3, 500)
    return (rng.random(500) < y_prob).astype(int), y_prob


def bands(y_prob):
    return np.where(y_prob > 0.5, "hot", np.where(y_prob > 0.2, "warm", "cold"))


def drawings():
    y_true, y_prob = leads()
    return {
        plots.plot_reliability: tables.compute_reliability(y_true, y_prob),
        plots.plot_gain: tables.compute_gain_curve(y_true, y_prob),
        plots.plot_bands: tables.compute_bands(y_true, bands(y_prob)),
    }


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("plot", list(drawings()))
def test_several_models_share_the_axes_and_are_named(plot):
    table = drawings()[plot]
    _, ax = plt.subplots()
    assert plot({"model": table, "rules": table}, ax=ax) is ax
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["model", "rules"]
    assert plot(table).get_legend() is None


@pytest.mark.parametrize("plot", list(drawings()))
def test_every_axis_says_what_it_shows_and_the_table_is_not_changed(plot):
    table = drawings()[plot]
    before = table.copy()
    ax = plot(table)
    assert ax.get_ylabel()
    assert ax.get_title(loc="left")
    pd.testing.assert_frame_equal(table, before)


def test_reliability_draws_the_table():
    table = drawings()[plots.plot_reliability]
    line = plots.plot_reliability(table).lines[0]
    np.testing.assert_allclose(line.get_xdata(), table["y_prob_mean"])
    np.testing.assert_allclose(line.get_ydata(), table["conversion"])


def test_gain_marks_the_best_tenth():
    table = drawings()[plots.plot_gain]
    assert f"{100 * table.loc[10, 'gain']:.0f} %" in texts(plots.plot_gain(table))


def test_bands_are_labelled_also_where_one_is_empty():
    ax = plots.plot_bands(tables.compute_bands([1, 0, 0, 0], ["hot", "hot", "cold", "cold"]))
    assert texts(ax) == ["50 %\n2 leads", "0 leads", "0 %\n2 leads"]


def test_score_distribution_survives_leads_without_wins():
    ax = plots.plot_score_distribution(tables.compute_score_distribution([0, 0], [40, 60]))
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["lost (2 leads)", "won (0 leads)"]


def points():
    rows = [("visits", -np.inf, -4.0), ("visits", 2, 0.5), ("visits", 9, 6.0)]
    rows += [("visits", None, -1.0), ("source", "web", 2.0), ("source", None, -3.0)]
    return pd.DataFrame(rows, columns=["feature", "value", "points"])


def test_points_of_a_number_are_steps_from_edge_to_edge():
    ax = plots.plot_points(points(), "visits")
    steps = ax.patches[-1].get_data()
    np.testing.assert_allclose(steps.values, [-4, 0.5, 6])
    np.testing.assert_allclose(steps.edges[1:3], [2, 9])
    assert texts(ax) == ["missing: −1"]


def test_points_of_a_category_are_bars_most_points_on_top():
    ax = plots.plot_points(points(), "source")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["missing", "web"]
    assert texts(ax) == ["−3", "+2"]


@pytest.mark.parametrize("value", [0.0, -np.inf, None])
def test_a_feature_with_a_single_value_is_drawn(value):
    table = pd.DataFrame({"feature": ["x"], "value": [value], "points": [1.0]})
    assert plots.plot_points(table, "x").get_title(loc="left") == "Points for x"


def test_an_unknown_feature_is_refused():
    with pytest.raises(DataError, match=r"no points for 'visit'.* Did you mean 'visits'"):
        plots.plot_points(points(), "visit")
