import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from leadml.errors import DataError
from leadml.evaluation import plots
from leadml.evaluation.comparison import Comparison, compare
from leadml.evaluation.cross import compute_grid
from leadml.evaluation.forecast import compute_definitions, forecast_weeks
from leadml.evaluation.response import compute_response_times
from leadml.evaluation.value import compute_value_at_capacity

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


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.fixture(scope="module")
def comparison():
    y_true, good = leads()
    rng = np.random.default_rng(1)
    poor = np.clip(good + rng.normal(0, 0.2, 500), 0.01, 0.99)
    third = np.clip(good + rng.normal(0, 0.1, 500), 0.01, 0.99)
    models = {"model": good, "rules": poor, "logistic": third}
    return compare(
        y_true,
        models,
        bands={name: bands(chance) for name, chance in models.items()},
        segments={"source": np.where(good > 0.7, "few", "many"), "place": ["x"] * 500},
        capacity=4,
        weeks=10,
        n_resamples=50,
    )


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def rows_of(table, **wanted):
    for name, value in wanted.items():
        table = table[table[name] == value]
    return table


def test_capacity_is_told_in_calls_a_week_and_deals_a_month(comparison):
    ax = plots.plot_capacity(comparison)
    curve = next(line for line in ax.lines if line.get_label().startswith("model: "))
    rows = rows_of(comparison.capacity, model="model")
    np.testing.assert_allclose(curve.get_xdata(), rows["n_leads"] / 10)
    np.testing.assert_allclose(curve.get_ydata(), rows["n_won"] / 10 * 365.25 / 12 / 7)
    assert ax.get_legend().get_title().get_text() == "With 4 calls a week"
    assert [text.partition(":")[0] for text in legend(ax)] == comparison.models
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Calls a week, best score first", "Deals a month")
    assert ax.get_xlim() == (0, 16)


def test_capacity_without_weeks_counts_leads_and_wins():
    y_true, good = leads()
    result = compare(y_true, {"model": good, "rules": good[::-1]}, n_resamples=20)
    ax = plots.plot_capacity(result)
    found = rows_of(result.at_capacity(), model="model")["n_won"].iloc[0]
    assert legend(ax)[0].startswith(f"model: {found:.0f} (")
    assert ax.get_legend().get_title().get_text() == "With 50 calls"
    assert plots.plot_difference(result).get_ylabel() == "Wins found more than by the other"


def test_difference_draws_each_other_with_its_interval(comparison):
    ax = plots.plot_difference(comparison)
    rows = rows_of(comparison.capacity_differences, other="rules")
    month = 365.25 / 12 / 7 / 10
    curve = next(line for line in ax.lines if line.get_label().endswith("than the rules"))
    np.testing.assert_allclose(curve.get_ydata(), rows["difference"] * month)
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx(rows["upper"].max() * month)
    assert band.min() == pytest.approx(rows["lower"].min() * month)
    assert len(legend(ax)) == 2


def test_net_benefit_draws_models_before_the_references(comparison):
    ax = plots.plot_net_benefit(comparison.net_benefit)
    assert legend(ax) == ["model", "rules", "logistic", "call all", "call none"]
    rows = rows_of(comparison.net_benefit, model="rules")
    np.testing.assert_allclose(ax.lines[1].get_ydata(), rows["net_benefit"])
    top = rows_of(comparison.net_benefit, model="model")["net_benefit"].max()
    assert ax.get_ylim()[0] == pytest.approx(-0.08 * top, rel=0.05)


def test_cross_table_fills_nine_cells_hot_first(comparison):
    ax = plots.plot_cross_table(comparison.cross, other="logistic")
    rows = rows_of(comparison.cross, other="logistic")
    drawn = np.ma.filled(ax.collections[0].get_array().ravel(), np.nan)
    np.testing.assert_allclose(drawn, rows["conversion"])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["hot", "warm", "cold"]
    assert ax.get_ylabel() == "Band by the model"
    assert plots.plot_cross_table(comparison.cross).get_xlabel() == "Band by the rules"
    with pytest.raises(DataError, match=r"no model 'rule'.* Did you mean 'rules'"):
        plots.plot_cross_table(comparison.cross, other="rule")


def test_grid_names_its_quarters_and_says_where_no_lead_is():
    table = compute_grid([1, 0, 0, 0], [9, 7, 3, 1], [8, 2, 4, 0])
    ax = plots.plot_grid(table)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["A\n9 or more", "B\n7 to 9", "C\n3 to 7", "D\nbelow 3"]
    assert texts(ax).count("no leads") == 12
    assert texts(ax)[:2] == ["100 %", "1 lead\n21 to 100 %"]


def test_segments_draw_promise_and_outcome_small_ones_hollow(comparison):
    ax = plots.plot_segments(comparison.segments)
    came = rows_of(comparison.segments, column="source", model="model")
    assert legend(ax) == comparison.models
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        f"{row.segment} ({row.n_leads})" for row in came.itertuples()
    ]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    hollow = [dot for dot in dots if dot.get_markerfacecolor() == "white"]
    small = came[came["is_small"]]
    assert len(small) == 1
    np.testing.assert_allclose(hollow[0].get_xdata(), small["conversion"])
    stroke = next(line for line in ax.lines if line.get_label() == "model")
    np.testing.assert_allclose(stroke.get_xdata(), came["y_prob_mean"])
    assert plots.plot_segments(comparison.segments, "place").get_yticklabels()[0].get_text()
    with pytest.raises(DataError, match=r"no segments of 'sourc'.* Did you mean 'source'"):
        plots.plot_segments(comparison.segments, "sourc")


@pytest.mark.parametrize(
    ("weeks", "column", "label"),
    [(5, "leads_a_week", "Qualified leads a week"), (None, "n_leads", "Leads that would qualify")],
)
def test_definitions_draw_conversion_against_volume(weeks, column, label):
    y_true, y_prob = leads()
    table = compute_definitions(y_true, 100 * y_prob, weeks)
    ax = plots.plot_definitions(table)
    full = table[table["n_leads"] > 0]
    np.testing.assert_allclose(ax.lines[0].get_xdata(), full[column])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), full["conversion"])
    assert ax.get_xlabel() == label
    assert {"0", "50"} <= set(texts(ax))


def test_forecast_draws_a_row_a_group_and_the_need():
    created = pd.date_range("2026-01-05", periods=70, freq="D")
    table = forecast_weeks(created, ["hot", "cold"] * 35, needed=4)
    ax = plots.plot_forecast(table)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["hot", "cold", "all"]
    assert "3.5 (0 to 8)\n47 % chance of 4" in texts(ax)
    np.testing.assert_allclose(ax.lines[0].get_xdata(), table.loc[0, ["lower", "upper"]])
    assert any(list(line.get_xdata()) == [4, 4] for line in ax.lines)
    assert "3.5 (0 to 8)" in texts(plots.plot_forecast(table.drop(columns=["needed", "chance"])))


def test_response_times_say_that_they_are_observational():
    ax = plots.plot_response_times(compute_response_times([1, 0, 1, 0], [0, 0, 9, np.nan]))
    assert "observational" in texts(ax)[0]
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels[0] == "same\nday\n2"
    assert labels[-1].split() == ["never", "1"]
    assert texts(ax)[1:] == ["50 %", "100 %", "0 %"]


def test_value_at_capacity_draws_each_ranking():
    rankings = {"probability": [0.9, 0.8, 0.3, 0.1], "expected $ value $": [90, 40, 240, 50]}
    table = compute_value_at_capacity(
        [1, 0, 1, 0], [100, 0, 8_000, 0], rankings, [0.25, 0.5], n_resamples=20
    )
    ax = plots.plot_value_at_capacity(table)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [100, 100])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["25 %", "50 %"]
    assert ax.yaxis.get_major_formatter()(8_000, 0) == "8 k"
    ax.figure.canvas.draw()  # two dollar signs are no formula
    assert legend(ax)[1] == r"expected \$ value \$"


def test_one_lead_is_drawn():
    result = compare(
        [1],
        {"a": [0.5], "b": [0.5]},
        bands={"a": ["hot"], "b": ["cold"]},
        segments={"s": ["x"]},
        n_resamples=5,
    )
    for ax in (
        plots.plot_capacity(result),
        plots.plot_difference(result),
        plots.plot_net_benefit(result.net_benefit),
        plots.plot_cross_table(result.cross),
        plots.plot_segments(result.segments),
        plots.plot_grid(compute_grid([1], [3], [4])),
        plots.plot_definitions(compute_definitions([1], [100])),
    ):
        ax.figure.canvas.draw()


def test_a_comparison_that_was_read_back_is_drawn_alike(comparison):
    again = Comparison.from_dict(comparison.to_dict())
    for plot in (plots.plot_capacity, plots.plot_difference):
        first, second = plot(comparison).lines[0], plot(again).lines[0]
        np.testing.assert_allclose(first.get_ydata(), second.get_ydata())
    plots.plot_segments(again.segments)
    plots.plot_net_benefit(again.net_benefit)
    plots.plot_cross_table(again.cross)
