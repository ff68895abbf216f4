import tomllib

import pytest

from leadml.config import Config
from leadml.data.starter_history import activity_tables, linked_tables

FLAT = {
    "leads": {"path": "leads.csv", "id": "id", "created": "day", "account": "a", "contact": "c"},
    "outcome": {"column": "won", "won": ["1"], "lost": ["0"]},
}
ODD = 'tables/"our"\\touches é.csv'


def read(lines):
    return tomllib.loads("\n".join(lines))


def test_without_a_history_nothing_is_written():
    config = Config.model_validate(FLAT)
    assert activity_tables(config) == []
    assert linked_tables(config) == []


def test_linked_tables_read_back():
    linked = {"accounts": {"path": ODD, "id": 'the "id"'}, "contacts": {"path": "p", "id": "p#1"}}
    config = Config.model_validate({**FLAT, **linked})
    assert read(linked_tables(config)) == linked
    only = Config.model_validate({**FLAT, "contacts": linked["contacts"]})
    assert read(linked_tables(only)) == {"contacts": linked["contacts"]}


@pytest.mark.parametrize("as_of", [None, "2026-01-31"])
def test_activities_and_snapshots_read_back(as_of):
    activities = [
        {"path": ODD, "lead": "id", "at": "when", "kind": 'the "kind"', "measures": ["s", "m"]},
        {"path": "crm.duckdb#main.calls", "name": "phone", "lead": "id", "at": "t",
         "kind_value": "call"},
    ]  # fmt: skip
    settings = {"windows": ["10D"], "ages": ["0D", "5D"], "half_life": "36h", "as_of": as_of}
    config = Config.model_validate({**FLAT, "activities": activities, "snapshots": settings})
    found = Config.model_validate({**FLAT, **read(activity_tables(config))})
    assert found == config
    text = "\n".join(activity_tables(config))
    assert ("# as_of" in text) == (as_of is None)


def test_snapshots_alone_are_a_history():
    config = Config.model_validate({**FLAT, "snapshots": {"ages": ["7D"]}})
    found = read(activity_tables(config))
    assert "activities" not in found
    assert found["snapshots"]["ages"] == ["7D"]
