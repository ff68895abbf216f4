import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from small_history import make_config, make_tables

from leadml.config import Config
from leadml.data.history import open_history
from leadml.errors import DataError
from leadml.features.snapshots import (
    build_features,
    build_snapshots,
    name_features,
    read_leads_at,
    read_snapshots,
)

AS_OF = pd.Timestamp("2026-06-01")
TABLES = make_tables(40, 300)


def small_config(**changes):
    """Return a config without activities, whose outcomes stand among the leads."""
    return Config.model_validate(
        {
            "leads": {"path": "leads.csv", "id": "id", "created": "created"},
            "outcome": {
                "column": "status",
                "won": ["won"],
                "lost": ["lost"],
                "closed": "closed",
                "horizon": "30D",
            },
            "snapshots": {"ages": ["0D", "10D", "20D"], "as_of": str(AS_OF.date())},
            "features": {"context": ["source"]},
            **changes,
        }
    )


def history_of(*rows, **changes):
    leads = pd.DataFrame(rows, columns=["id", "created", "status", "closed"]).assign(source="web")
    return open_history(small_config(**changes), tables={"leads": leads})


HAND = [
    ("won", "2026-01-01", "won", "2026-01-15"),  # open at 0 and 10 days, won within 30 of both
    ("late", "2026-01-01", "won", "2026-02-05"),  # 35 days: from 10 and 20 on within 30
    ("lost", "2026-01-01", "lost", "2026-01-11"),  # open at 0 days alone
    ("quiet", "2026-01-01", None, None),
    ("young", "2026-05-15", None, None),  # 0 and 10 days are over, the horizon is not
    ("quick", "2026-05-20", "won", "2026-05-22"),  # settled, but the horizon is not over
]


def test_snapshots_and_labels_by_hand():
    X, y = build_snapshots(history_of(*HAND))
    found = y.groupby(level="lead_id", sort=False).agg(list).to_dict()
    assert found.pop("young") == pytest.approx([np.nan, np.nan], nan_ok=True)
    assert found == {
        "won": [1, 1],
        "late": [0, 1, 1],
        "lost": [0],
        "quiet": [0, 0, 0],
        "quick": [1],
    }
    assert X.loc["late", "days_since_created"].tolist() == [0, 10, 20]
    assert list(X) == ["source", "days_since_created"]
    days = X.index.get_level_values("snapshot_date")
    assert (days <= AS_OF).all()


def weights_by_lead(table):
    return table.weight.groupby(table.lead_ids, sort=False).agg(list).to_dict()


def test_a_lead_counts_once_at_most_and_its_future_moves_no_weight():
    table, config = read_snapshots(history_of(*HAND))
    third = 1 / len(history_of(*HAND).config.snapshots.ages)
    assert weights_by_lead(table) == {
        "won": pytest.approx([third] * 2),  # closed before its third snapshot
        "late": pytest.approx([third] * 3),
        "lost": pytest.approx([third]),
        "quiet": pytest.approx([third] * 3),
        "young": [0, 0],
        "quick": [0],  # of leads as young as this, quick wins alone are known
    }
    assert table.y["quick"].tolist() == [1]
    assert table.notes[0] == (
        "12 snapshots of 6 leads until 2026-06-01: 9 to learn from, 3 whose horizon of 30D is not "
        "over."
    )
    assert "days_since_created" in config.features.context
    pd.testing.assert_index_equal(table.closed().X.index, table.X.index[table.weight > 0])
    assert (table.created == table.X.index.get_level_values("snapshot_date")).all()


def test_leads_can_be_made_to_count_alike():
    history = history_of(*HAND)
    snapshots = history.config.snapshots.model_copy(update={"equal_leads": True})
    config = history.config.model_copy(update={"snapshots": snapshots})
    table, _ = read_snapshots(replace(history, config=config))
    weights = weights_by_lead(table)
    assert (weights["won"], weights["lost"]) == ([0.5, 0.5], [1])
    assert weights["late"] == weights["quiet"] == pytest.approx([1 / 3] * 3)


def test_young_leads_can_be_weighed():
    snapshots = {"ages": ["0D"], "as_of": "2026-06-01", "immature": "weigh"}
    leads = [(f"open{place}", "2026-05-10", None, None) for place in range(6)]
    table, _ = read_snapshots(history_of(*HAND, *leads, snapshots=snapshots))
    weight = table.weight.droplevel("snapshot_date")
    assert weight["quick"] > 0
    assert weight["young"] == weight["open0"] == 0  # without a label
    assert weight["quiet"] > 1  # it stands for the open ones that were followed for less long
    assert weight[["won", "lost"]].min() >= 1


def test_broken_outcomes_are_left_out_and_noted():
    broken = [
        ("before", "2026-02-01", "won", "2026-01-01"),
        ("undated", "2026-02-01", "won", None),
    ]
    table, _ = read_snapshots(history_of(*HAND, *broken))
    assert not {"before", "undated"} & set(table.lead_ids)
    notes = " ".join(table.notes)
    assert "1 lead (3 snapshots) left out: outcomes dated before the lead was created." in notes
    assert "1 lead (3 snapshots) left out: won or lost without a date" in notes
    assert "snapshots left out: the lead was won or lost by then." in notes


def test_without_closing_dates_a_lead_is_looked_at_once():
    rows = [(*row[:3], None) for row in HAND]
    X, y = build_snapshots(history_of(*rows))
    assert len(X) == len(rows)
    assert X["days_since_created"].tolist() == [0] * len(rows)
    assert y.fillna(-1).tolist() == [1, 1, 0, 0, -1, 1]


def test_features_at_a_date_leave_out_leads_that_came_later():
    history = open_history(make_config(), tables=TABLES)
    day = pd.Timestamp("2026-02-10")
    X = build_features(history, day)
    known = TABLES["leads"]["created"] <= day
    assert (
        X.index.get_level_values("lead_id").tolist() == TABLES["leads"]["lead_id"][known].tolist()
    )
    assert set(X.index.get_level_values("snapshot_date")) == {day}
    assert 0 < known.sum() < len(known)
    pd.testing.assert_frame_equal(build_features(history, "2026-02-10"), X)


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("soon", "`at` must be a date. Got 'soon'. Pass for example at='2026-01-31'."),
        ("NaT", "`at` must be a date. Got 'NaT'."),
        ("2020-01-01", "No lead was created by 2020-01-01: the first came in on 2026-01-0"),
    ],
)
def test_days_that_cannot_be_looked_at(at, message):
    with pytest.raises(DataError, match=re.escape(message)):
        build_features(open_history(make_config(), tables=TABLES), at)


def test_the_same_expression_for_training_and_scoring():
    """A lead's snapshot in training equals the features at that date."""
    history = open_history(make_config(), tables=TABLES)
    X, _ = build_snapshots(history)
    lead, day = X.index[X["activities_30d"].argmax()]
    pd.testing.assert_series_equal(build_features(history, day).loc[lead, day], X.loc[lead, day])


def test_kinds_found_for_training_are_those_of_scoring():
    found = make_config(
        activities=[
            {"path": "t", "name": "touches", "lead": "lead_id", "at": "at", "kind": "kind"},
            {"path": "c", "name": "calls", "lead": "lead", "at": "when", "kind_value": "call"},
        ]
    )
    table, config = read_snapshots(open_history(found, tables=TABLES))
    assert config.activities[0].kinds
    scored = read_leads_at(open_history(config, tables=TABLES), "2026-03-20", only_open=False)
    assert list(scored.X) == list(table.X)


def test_no_activities_before_any_snapshot():
    later = {
        "touches": TABLES["touches"].assign(at=pd.Timestamp("2027-01-01")),
        "calls": TABLES["calls"].assign(when=pd.Timestamp("2027-01-01")),
    }
    touches, calls = make_config().activities
    found = touches.model_copy(update={"kinds": []})
    X, _ = build_snapshots(
        open_history(make_config(activities=[found, calls]), tables={**TABLES, **later})
    )
    assert [name for name in X if name.startswith("call")]
    assert (X.filter(regex="^(call|activities)_.*d$") == 0).all(axis=None)
    only = make_config(activities=[found])
    tables = {name: t for name, t in TABLES.items() if name != "calls"} | {
        "touches": later["touches"]
    }
    X, _ = build_snapshots(open_history(only, tables=tables))
    assert list(X) == ["source", "size", "days_since_created"]


def test_only_open_leads_are_scored():
    history = open_history(make_config(), tables=TABLES)
    day = pd.Timestamp("2026-04-15")
    everyone = read_leads_at(history, day, only_open=False)
    scored = read_leads_at(history, day, only_open=True)
    outcomes = TABLES["outcomes"]
    closed = set(outcomes["lead_id"][outcomes["closed"] <= day])
    assert set(scored.lead_ids) == set(everyone.lead_ids) - closed
    assert 0 < len(scored.X) < len(everyone.X)
    rows = [("a", "2026-01-01", "won", "2026-01-05"), ("b", "2026-01-01", "lost", "2026-01-05")]
    with pytest.raises(
        DataError, match="No lead was open on 2026-01-05: there is nothing to score"
    ):
        read_leads_at(history_of(*rows), "2026-01-05", only_open=True)


def test_a_column_of_the_leads_with_the_name_of_a_feature():
    leads = TABLES["leads"].assign(visit_7d=1, activities_30d=2)
    history = open_history(make_config(), tables={**TABLES, "leads": leads})
    message = "The columns ['visit_7d', 'activities_30d'] of the leads have the names of activity"
    with pytest.raises(DataError, match=re.escape(message)):
        build_snapshots(history)


def test_a_feature_that_is_not_there():
    features = {"context": ["source", "sizes"]}
    history = open_history(make_config(features=features), tables=TABLES)
    with pytest.raises(DataError, match=r"'sizes' is missing. Did you mean 'size'?"):
        read_snapshots(history)


def test_a_company_of_more_than_200_leads_is_a_name_and_no_company():
    size = {"A": 200, "B": 201}
    ids = [f"{firm}{place}" for firm, count in size.items() for place in range(count)]
    leads = pd.DataFrame({"lead_id": ids, "created": "2026-01-01", "source": "web"})
    leads["account"] = leads["lead_id"].str[0]
    calls = pd.DataFrame({"lead": ids, "when": "2026-02-20"})
    accounts = pd.DataFrame({"account_id": ["A", "B"], "size": [1, 2]})
    tables = {**TABLES, "leads": leads, "calls": calls, "accounts": accounts}
    X = build_features(open_history(make_config(), tables=tables), "2026-03-01")
    people = X["active_people_30d"].groupby(leads["account"].to_numpy()).unique()
    assert people.map(list).to_dict() == {"A": [200], "B": [1]}


def test_excluded_features_stay_out():
    features = {"context": ["source"], "exclude": {"visit_7d": "told by hand"}}
    config = make_config(features=features)
    table, config = read_snapshots(open_history(config, tables=TABLES))
    assert "visit_7d" not in table.X
    assert "visit_30d" in table.X
    assert config.features.exclude["visit_7d"] == "told by hand"
    again = name_features(config)
    assert again.features.families() == config.features.families()


def test_accounts_go_with_the_rows():
    table, _ = read_snapshots(open_history(make_config(), tables=TABLES))
    accounts = TABLES["leads"].set_index("lead_id")["account"]
    expected = accounts.reindex(table.lead_ids)
    assert table.account.fillna("").tolist() == expected.fillna("").tolist()
    assert table.account.isna().any()


def test_a_day_before_all_leads_is_refused():
    history = history_of(*HAND)
    early = replace(history, as_of=pd.Timestamp("2020-01-01"))
    with pytest.raises(DataError, match="No lead was created by 2020-01-01"):
        read_snapshots(early)


def test_weights_by_how_soon_a_lead_closed_tell_the_future(real_data):
    """Why `equal_leads` is no default: most loan applications are declined within a minute."""
    log = pd.read_csv(
        real_data / "bpi_challenge_2012" / "events_flat.csv.gz",
        usecols=["case_id", "activity", "reg_date", "timestamp"],
        dtype={"case_id": str},
    )
    ends = log[log["activity"].isin(["A_APPROVED", "A_DECLINED", "A_CANCELLED"])]
    ends = ends.drop_duplicates("case_id").rename(columns={"timestamp": "closed"})
    cases = log.drop_duplicates("case_id")[["case_id", "reg_date"]]
    cases = cases.merge(ends[["case_id", "activity", "closed"]], how="left")
    shares = {}
    for equal_leads in (False, True):
        config = Config.model_validate(
            {
                "leads": {"path": "cases.csv", "id": "case_id", "created": "reg_date"},
                "outcome": {
                    "column": "activity",
                    "won": ["A_APPROVED"],
                    "lost": ["A_DECLINED", "A_CANCELLED"],
                    "closed": "closed",
                    "horizon": "30D",
                },
                "snapshots": {
                    "ages": ["0D", "1D", "3D", "7D", "14D"],
                    "as_of": "2012-03-14",
                    "equal_leads": equal_leads,
                },
            }
        )
        table = read_snapshots(open_history(config, tables={"leads": cases}))[0].closed()
        first = table.take((table.X["days_since_created"] == 0).to_numpy())
        shares[equal_leads] = np.average(first.y, weights=first.weight)
    assert shares[False] == pytest.approx(first.y.mean()) == pytest.approx(0.16, abs=0.01)
    assert shares[True] == pytest.approx(0.06, abs=0.01)
