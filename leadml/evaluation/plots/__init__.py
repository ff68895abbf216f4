"""Plots of the tables: each takes what is finished, only draws, and returns the Axes."""

from leadml.evaluation.plots._base import BAND_COLORS, MODEL_COLORS
from leadml.evaluation.plots.capacity import (
    plot_capacity,
    plot_difference,
    plot_value_at_capacity,
)
from leadml.evaluation.plots.cells import plot_cross_table, plot_grid
from leadml.evaluation.plots.decisions import (
    plot_definitions,
    plot_forecast,
    plot_net_benefit,
    plot_response_times,
)
from leadml.evaluation.plots.leads import plot_disagreement, plot_explanation
from leadml.evaluation.plots.points import plot_points
from leadml.evaluation.plots.quality import (
    plot_bands,
    plot_gain,
    plot_reliability,
    plot_score_distribution,
)
from leadml.evaluation.plots.segments import plot_segments

__all__ = [
    "BAND_COLORS",
    "MODEL_COLORS",
    "plot_bands",
    "plot_capacity",
    "plot_cross_table",
    "plot_definitions",
    "plot_difference",
    "plot_disagreement",
    "plot_explanation",
    "plot_forecast",
    "plot_gain",
    "plot_grid",
    "plot_net_benefit",
    "plot_points",
    "plot_reliability",
    "plot_response_times",
    "plot_score_distribution",
    "plot_segments",
    "plot_value_at_capacity",
]
