import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from leadml.errors import DataError
from leadml.evaluation import plots, tables
from leadml.evaluation.disagreement import find_disagreements

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


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def mean_points():
    rows = [
        ("visits", "number", "below 2", -np.inf, 2, -4.0, -1.0),
        ("visits", "number", "2 or more", 2, np.inf, 6.0, 2.0),
        ("visits", "number", "missing", np.nan, np.nan, -1.0, np.nan),
        ("source", "category", "web", np.nan, np.nan, 2.0, 5.0),
        ("source", "category", "missing", np.nan, np.nan, -3.0, np.nan),
    ]
    columns = ["feature", "kind", "value", "from", "to", "points", "other_points"]
    return pd.DataFrame(rows, columns=columns)


def test_mean_points_of_bins_given_as_text_are_steps_of_model_and_rules():
    ax = plots.plot_points(mean_points(), "visits")
    rules, model = (patch.get_data() for patch in ax.patches)
    np.testing.assert_allclose(model.values, [-4, 6])
    np.testing.assert_allclose(rules.values, [-1, 2])
    np.testing.assert_allclose(model.edges, [0, 1, 2])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2", "missing"]
    assert legend(ax) == ["model", "rules"]


def test_mean_points_of_a_category_have_a_dot_for_the_rules():
    ax = plots.plot_points(mean_points(), "source")
    assert [patch.get_width() for patch in ax.patches] == [-3, 2]
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [np.nan, 5])
    assert texts(ax) == ["−3", "+2"]


def test_mean_points_without_rules_need_no_legend():
    table = mean_points().assign(other_points=np.nan)
    assert plots.plot_points(table, "visits").get_legend() is None
    assert plots.plot_points(table.drop(columns="other_points"), "source").get_legend() is None


def test_a_number_that_is_always_missing_is_drawn():
    table = mean_points().iloc[[2]]
    ax = plots.plot_points(table, "visits")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["missing"]


@pytest.mark.parametrize("name", ["$a$", "a\nb", "<script>", "", r"\frac{$x$}"])
def test_names_from_data_are_drawn_as_they_are(name):
    table = mean_points().assign(feature=name, kind="category", value=[*"abcd", name])
    for ax in (
        plots.plot_points(table, name),
        plots.plot_gain({name: drawings()[plots.plot_gain], "rules": drawings()[plots.plot_gain]}),
        plots.plot_explanation(lines_of(3.0).assign(value=name)),
    ):
        ax.figure.canvas.draw()


def test_disagreement_shows_both_scores_and_counts_who_was_right():
    table = find_disagreements({"model": [90, 80, 40], "rules": [30, 60, 70]})
    ax = plots.plot_disagreement(table.assign(won=[1, 0, np.nan], lead_id=["a", "b", "$c$"]))
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["", "a", "b", "", r"\$c\$"]
    assert "Scored higher by the model: 1 of 2 won" in texts(ax)
    assert "Scored higher by the rules" in texts(ax)
    assert [text for text in texts(ax) if text in ("won", "lost")] == ["won", "lost"]
    model = next(line for line in ax.lines if line.get_label() == "model")
    np.testing.assert_allclose(model.get_xdata(), table["score"])
    np.testing.assert_allclose(model.get_ydata(), [1, 2, 4])


def lines_of(*points):
    rows = [(50.0, "average lead", "", "")]
    rows += [(worth, f"f{place}", "x", "context") for place, worth in enumerate(points)]
    return pd.DataFrame(rows, columns=["points", "feature", "value", "family"])


def test_explanation_is_a_waterfall_from_the_average_to_the_score():
    ax = plots.plot_explanation(lines_of(12.0, -3.5, 0.0))
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    np.testing.assert_allclose(bars, [(50, 50), (50, 62), (62, 58.5)])
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        *("average lead", "f0: x", "f1: x", "score")
    ]
    assert texts(ax) == ["50", "+12", "−3.5", "58"]


def test_explanation_joins_the_weakest_and_says_where_it_is_cut_off():
    ax = plots.plot_explanation(lines_of(*([5.0] * 11), *([0.5] * 9)))
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[-2:] == ["9 others", "score"]
    assert texts(ax)[-2:] == ["+4.5", "100 (sum 110)"]


EMPTY = {
    plots.plot_net_benefit: ["model", "threshold", "net_benefit", "lower", "upper"],
    plots.plot_cross_table: ["band", "other_band", "conversion"],
    plots.plot_grid: ["fit", "engagement", "conversion"],
    plots.plot_segments: ["column", "segment", "model", "n_leads"],
    plots.plot_definitions: ["edge", "n_leads", "leads_a_week"],
    plots.plot_forecast: ["group", "mean"],
    plots.plot_response_times: ["contact"],
    plots.plot_value_at_capacity: ["ranking"],
    plots.plot_disagreement: ["place", "score", "other_score"],
    plots.plot_explanation: ["points", "feature", "value"],
    plots.plot_score_distribution: ["score_from"],
    plots.plot_gain: ["fraction", "gain", "lower", "upper"],
    plots.plot_reliability: ["y_prob_mean", "conversion", "lower", "upper"],
    plots.plot_bands: ["band", "n_leads", "conversion", "lower", "upper"],
}


@pytest.mark.parametrize("plot", list(EMPTY))
def test_empty_tables_are_drawn(plot):
    ax = plot(pd.DataFrame(columns=EMPTY[plot]))
    ax.figure.canvas.draw()
    assert ax.get_title(loc="left")
