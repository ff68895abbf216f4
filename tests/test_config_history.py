import pytest

from leadml.config import Config, load_config
from leadml.config_history import SnapshotsTable
from leadml.errors import ConfigError

HISTORY = """\
[leads]
path = "leads.csv"
id = "lead_id"
created = "created"
account = "account_id"
contact = "contact_id"

[accounts]
path = "accounts.parquet"
id = "account_id"

[contacts]
path = "crm.duckdb#contacts"
id = "contact_id"

[[activities]]
path = "touches.parquet"
lead = "lead_id"
at = "touch_timestamp"
kind = "touch_type"
measures = ["session_duration_seconds"]

[[activities]]
path = "postgresql://crm:${CRM_PASSWORD}@host:5432/crm#sales.calls"
lead = "lead_id"
at = "at"
kind_value = "call"

[outcome]
path = "outcomes.csv"
lead = "lead_id"
column = "status"
won = ["won"]
lost = ["lost"]
closed = "closed_at"

[snapshots]
ages = ["14D", "0D", "14D"]
windows = ["30D", "7D"]
as_of = 2026-06-01
"""


def load(folder, text) -> Config:
    path = folder / "leadml.toml"
    path.write_text(text)
    return load_config(path)


def problems(folder, *changes):
    text = HISTORY
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    first, *lines = str(caught.value).splitlines()
    assert first.startswith(str(folder / "leadml.toml"))
    return [line.removeprefix("  - ") for line in lines]


def test_a_history_loads(tmp_path):
    config = load(tmp_path, HISTORY)
    assert config.has_history
    assert config.accounts.path == str(tmp_path / "accounts.parquet")
    assert config.contacts.path == str(tmp_path / "crm.duckdb#contacts")
    touches, calls = config.activities
    assert touches.path == str(tmp_path / "touches.parquet")
    assert calls.path == "postgresql://crm:${CRM_PASSWORD}@host:5432/crm#sales.calls"
    assert [table.title for table in config.activities] == ["touches", "calls"]
    assert config.snapshots.age_days() == [0, 14]
    assert config.snapshots.window_days() == [7, 30]
    assert config.snapshots.as_of == "2026-06-01"
    assert (config.snapshots.immature, config.snapshots.memory) == ("leave_out", None)


def test_again_and_again():
    assert SnapshotsTable(every="30D", until="90D").age_days() == [0, 30, 60, 90]
    assert SnapshotsTable(every="7D").age_days()[-2:] == [350, 357]
    assert SnapshotsTable().age_days() == [0, 14, 30]
    assert SnapshotsTable().window_days() == [7, 30, 90]


SPAN = "must be a positive time span such as '90D'"
DAYS = "must be a number of whole days such as '30D'"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('ages = ["14D", "0D", "14D"]', "ages = []", "line 38: [snapshots] ages List should have"),
        ('"14D", "0D", "14D"', '"12h"', f"line 38: [snapshots ages 1] {DAYS}. Got '12h'."),
        ('"14D", "0D", "14D"', '"30"', f"line 38: [snapshots ages 1] {DAYS}. Got '30'."),
        ('"14D", "0D", "14D"', '"-1D"', f"line 38: [snapshots ages 1] {DAYS}. Got '-1D'."),
        ('"30D", "7D"', '"soon"', f"line 39: [snapshots windows 1] {DAYS}. Got 'soon'."),
        ('"30D", "7D"', '"0D"', "line 37: [snapshots]: `windows` must be at least '1D' long."),
        ("as_of = 2026-06-01", 'every = "0D"', "[snapshots]: `every` must be at least '1D'."),
        ("as_of = 2026-06-01", 'half_life = "0D"', f"line 40: [snapshots] half_life {SPAN}."),
        ("as_of = 2026-06-01", 'as_of = "soon"', "must be a date such as '2026-01-31'. Got 'soon'"),
        ("as_of = 2026-06-01", 'immature = "weight"', "Did you mean 'weigh'?"),
        ("as_of = 2026-06-01", 'window = ["7D"]', "Did you mean 'windows'?"),
        ('kind_value = "call"', "", "line 23: [activities 2]: takes one of `kind`, the column"),
        ('kind_value = "call"', 'kind = "k"\nkind_value = "v"', "takes one of `kind`, the column"),
        ('kind_value = "call"', 'knd = "k"', "line 27: [activities 2] knd is not known."),
        ('at = "at"\n', "", "line 23: [activities 2] at is missing. Add it."),
        (
            'kind_value = "call"',
            'kind_value = "c"\nname = "touches"',
            "'touches' stands there twice",
        ),
        (
            'kind_value = "call"',
            'kind_value = "c"\nname = "leads"',
            "is called 'leads', as another",
        ),
        ('kind_value = "call"', 'kind_value = "c"\nfamily = "bant"', "'behavioral' or 'email'"),
        ('account = "account_id"\n', "", "[accounts] needs `account` in [leads]"),
        ('contact = "contact_id"\n', "", "[contacts] needs `contact` in [leads]"),
        ('created = "created"\n', "", "[snapshots] and [[activities]] need `created` in [leads]"),
        ('path = "outcomes.csv"\n', "", "`path` and `lead` go together: a table of outcomes"),
        ('id = "account_id"\n\n[contacts]', "[contacts]", "line 8: [accounts] id is missing. Add"),
    ],
)
def test_each_wrong_line_says_what_to_do(tmp_path, old, new, message):
    found = problems(tmp_path, (old, new))
    assert any(message in line for line in found), found


def test_all_problems_are_told_at_once(tmp_path):
    found = problems(tmp_path, ('"30D", "7D"', '"soon"'), ('at = "at"\n', ""), ("as_of", "as_off"))
    assert len(found) == 3


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://crm:geheim@host/crm#calls",
        "postgresql://crm:ge#heim@host/crm#calls",
        "postgresql://crm:ge/heim@host/crm#calls",
        "postgresql://crm:ge:heim@host:5432/crm#calls",
        "postgresql://:geheim@host/crm#calls",
        "postgresql://host/crm?user=crm&password=geheim#calls",
    ],
)
@pytest.mark.parametrize(
    "table", ["touches.parquet", "accounts.parquet", "leads.csv", "outcomes.csv"]
)
def test_a_password_is_refused_and_not_shown(tmp_path, address, table):
    (found,) = problems(tmp_path, (f'path = "{table}"', f'path = "{address}"'))
    assert "`path` holds a password. Put it into an environment variable" in found
    assert "heim" not in found
    with pytest.raises(ValueError, match="holds a password") as caught:
        Config.model_validate({"leads": {"path": address, "id": "id"}})
    assert "heim" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://crm@host/crm#calls",
        "postgresql://host:5432/crm#calls",
        "postgresql://crm:$CRM_PASSWORD@host/crm#calls",
        "postgresql://host/crm?user=crm&password=${CRM_PASSWORD}#calls",
        "crm.duckdb#calls",
        "C:/exports/calls.csv",
    ],
)
def test_addresses_without_a_password_are_accepted(address):
    table = {"path": address, "lead": "l", "at": "a", "kind_value": "call"}
    leads = {"path": "leads.csv", "id": "id", "created": "c"}
    outcome = {"column": "s", "won": ["won"], "lost": ["lost"]}
    settings = {"leads": leads, "activities": [table], "outcome": outcome}
    assert Config.model_validate(settings).activities[0].title == "calls"
