import numpy as np
import pytest

from leadml.errors import DataError
from leadml.evaluation.response import compute_response_times


def test_every_lead_is_counted_once():
    days = [0, 0.99, 1, 3.5, 7.9, 8, 30, 31, 400, np.nan]
    table = compute_response_times([1] * 5 + [0] * 5, days)
    assert table["contact"].tolist() == [
        *["same day", "1 day", "2 to 3 days", "4 to 7 days", "8 to 14 days", "15 to 30 days"],
        *["31 days or more", "never"],
    ]
    assert table["n_leads"].tolist() == [2, 1, 1, 1, 1, 1, 2, 1]
    assert table["n_won"].tolist() == [2, 1, 1, 1, 0, 0, 0, 0]
    assert list(table.columns) == ["contact", "n_leads", "n_won", "conversion", "lower", "upper"]
    assert table["conversion"].between(table["lower"], table["upper"]).all()


def test_other_edges():
    table = compute_response_times([1, 0, 0], [0, 5, 6], edges=(0, 5, 6))
    assert table["contact"].tolist() == ["0 to 4 days", "5 days", "6 days or more", "never"]
    assert compute_response_times([1], [3], edges=[0])["contact"].tolist() == ["any day", "never"]


def test_it_says_that_it_only_observes():
    assert "observational" in compute_response_times.__doc__


@pytest.mark.parametrize("edges", [(), (1, 2), (0, 2, 2)])
def test_edges_rise_from_0(edges):
    with pytest.raises(DataError, match="Accepted are whole days that rise from 0"):
        compute_response_times([1], [1], edges=edges)


def test_contacts_before_the_lead_are_refused():
    with pytest.raises(DataError, match=r"`days` holds -2 and 1 more values below 0"):
        compute_response_times([1, 0, 1], [-2, -3, 5])
