"""How results show themselves in a notebook: small HTML pieces, all text from data escaped."""

import pandas as pd

from leadml.evaluation.comparison import Comparison
from leadml.evaluation.display import html_table


def show_comparison(comparison: Comparison) -> str:
    """Return verdict, key figures and differences."""
    wide = comparison.metrics.pivot(index="metric", columns="model", values="value")
    order = [comparison.metrics["metric"].unique(), comparison.models]
    wide = wide.loc[order[0], order[1]].rename_axis(index=None, columns=None)
    sentences = pd.DataFrame({"verdict": comparison.verdict}).to_html(
        index=False, header=False, border=0
    )
    return sentences + html_table(wide, index=True) + html_table(comparison.differences)
