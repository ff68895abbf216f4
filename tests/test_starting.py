"""A proposal for a whole history: what is written is what was proposed, and training takes it."""

import tomllib

import pandas as pd
import pytest
import small_sales

from leadml.batch import check_book
from leadml.checking import check_leads
from leadml.config import load_config
from leadml.errors import ConfigError, DataError
from leadml.rows import read_rows
from leadml.starting import propose

TABLES = small_sales.make_tables(400)
CLOSED = TABLES["outcomes"]
#: What happens at the closing alone, and would make a fine rule.
LATE = pd.DataFrame({"lead_id": CLOSED["lead_id"], "at": CLOSED["closed"], "kind": "trial"})


def start_from(folder, tables=TABLES, **options):
    """Write the tables, propose settings for them and write those beside them."""
    small_sales.write_tables(folder, tables)
    files = {name: str(folder / f"{name}.csv") for name in tables}
    files["touches"] = str(folder / "touches.parquet")
    start = propose(
        files["leads"],
        linked={name: files[name] for name in ("accounts", "contacts") if name in files},
        outcomes=files.get("outcomes"),
        activities=[files["touches"]],
        path="leads.csv",
        paths={path: path.rpartition("/")[2] for path in files.values()},
        **{"horizon": "30D", **options},
    )
    (folder / "leadml.toml").write_text(start.config_toml, encoding="utf-8")
    (folder / "rules.toml").write_text(start.rules_toml, encoding="utf-8")
    return start


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    return tmp_path_factory.mktemp("sales")


@pytest.fixture(scope="module")
def start(sales):
    touches = pd.concat([TABLES["touches"], LATE], ignore_index=True)
    return start_from(sales, {**TABLES, "touches": touches})


def test_what_is_written_is_what_was_proposed(start, sales):
    written = load_config(sales / "leadml.toml")
    beside = start.proposal.config.with_paths(lambda path: str(sales / path))
    assert written == beside


def test_the_roles_of_each_table(start):
    config = start.proposal.config
    assert config.leads.model_dump(exclude={"missing"}, exclude_none=True) == {
        "path": "leads.csv", "id": "lead_id", "created": "created", "account": "account_id"
    }  # fmt: skip
    assert config.accounts.model_dump() == {"path": "accounts.csv", "id": "account_id"}
    assert config.outcome.path == "outcomes.csv"
    assert config.outcome.lead == "lead_id"
    assert (config.outcome.column, config.outcome.closed) == ("status", "closed")
    assert (config.outcome.won, config.outcome.lost) == (["won"], ["lost"])
    [touches] = config.activities
    assert touches.model_dump(exclude_defaults=True) == {
        "path": "touches.parquet", "lead": "lead_id", "at": "at", "kind": "kind",
        "measures": ["seconds"],
    }  # fmt: skip
    assert config.features.firmographic == ["industry"]
    assert config.features.context == ["source"]
    assert config.has_history


def test_the_rules_name_what_a_training_counts(start, sales):
    """A kind that only ends a deal is in no snapshot: a rule of it would be refused."""
    columns = {rule["column"] for rule in tomllib.loads(start.rules_toml)["rules"]}
    assert {"demo_30d", "visit_30d"} <= columns
    assert not {name for name in columns if "trial" in name}
    assert all(name.endswith("_30d") for name in columns if "visit" in name)
    book = check_book(sales / "rules.toml", load_config(sales / "leadml.toml"))
    assert len(book.rules) == len(tomllib.loads(start.rules_toml)["rules"])


@pytest.mark.usefixtures("start")
def test_a_proposal_can_be_learned_from(sales):
    config = load_config(sales / "leadml.toml")
    table, named = read_rows(config)
    assert table.closed().y.nunique() == 2
    assert "demo_30d" in named.features.behavioral
    assert check_leads(config).passed


def test_ids_may_be_numbers_with_empty_cells(tmp_path):
    """An account id beside empty cells reads as 7.0 in the leads and 7 in its table."""
    tables = {name: table.copy() for name, table in TABLES.items()}
    for name in ("leads", "outcomes", "touches"):
        tables[name]["lead_id"] = tables[name]["lead_id"].str[1:].astype(int)
    for name in ("leads", "accounts"):
        tables[name]["account_id"] = tables[name]["account_id"].str[1:].astype(int)
    tables["leads"].loc[::9, "account_id"] = None
    assert tables["leads"]["account_id"].dtype == float
    config = start_from(tmp_path, tables).proposal.config
    assert (config.leads.id, config.leads.account) == ("lead_id", "account_id")
    assert config.features.firmographic == ["industry"]
    found = check_leads(load_config(tmp_path / "leadml.toml")).readiness.set_index("check")
    assert found.loc["wins", "value"] == str((CLOSED["status"] == "won").sum())


def test_people_have_a_role_and_their_columns_families(tmp_path):
    people = [f"P{place % 150:03d}" for place in range(400)]
    contacts = pd.DataFrame(
        {"contact_id": sorted(set(people)), "account_id": "A001", "job_title": "CFO"}
    )
    contacts["job_title"] = ["CFO", "Clerk", "Head of IT"] * 50
    leads = TABLES["leads"].assign(contact_id=people)
    start = start_from(tmp_path, {**TABLES, "leads": leads, "contacts": contacts})
    config = load_config(tmp_path / "leadml.toml")
    assert config.leads.contact == "contact_id"
    assert config.leads.account == "account_id"
    assert config.contacts.id == "contact_id"
    assert config.features.demographic == ["job_title"]
    assert "contact_id" not in config.features.families()
    assert "contact_id" not in config.features.exclude
    assert start.proposal.config.contacts.path == "contacts.csv"


def test_outcomes_may_stand_in_the_leads(tmp_path):
    leads = TABLES["leads"].merge(CLOSED, on="lead_id", how="left")
    leads["status"] = leads["status"].fillna("open")
    tables = {"leads": leads, "accounts": TABLES["accounts"], "touches": TABLES["touches"]}
    config = start_from(tmp_path, tables).proposal.config
    assert config.outcome.path is None
    assert config.outcome.lead is None
    assert config.outcome.closed == "closed"
    assert "[outcome]\ncolumn" in (tmp_path / "leadml.toml").read_text(encoding="utf-8")


def test_leaks_are_left_out_of_the_proposal_unless_kept(tmp_path):
    status = TABLES["leads"]["lead_id"].map(CLOSED.set_index("lead_id")["status"])
    leads = TABLES["leads"].assign(mood=status.map({"won": "happy", "lost": "sad"}).fillna("new"))
    tables = {**TABLES, "leads": leads}
    start = start_from(tmp_path, tables)
    assert start.proposal.config.features.exclude["mood"].startswith("LEAK: ")
    assert "LEAK: " in start.config_toml
    kept = start_from(tmp_path, tables, keep=["mood"])
    config = load_config(tmp_path / "leadml.toml")
    assert config.features.keep == ["mood"]
    assert "mood" in config.features.families()
    assert "LOOK: " in kept.config_toml
    with pytest.raises(ConfigError, match=r"`keep` names 'mod', which is no column. Did you mean"):
        start_from(tmp_path, tables, keep=["mod"])


def test_outcomes_without_the_leads_ids(tmp_path):
    with pytest.raises(DataError, match="outcomes has no column with the leads' ids"):
        start_from(tmp_path, {**TABLES, "outcomes": CLOSED[["status", "closed"]]})
