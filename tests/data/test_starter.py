import tomllib

import numpy as np
import pandas as pd
import pytest

from leadml.config import load_config
from leadml.data.schema import infer_config
from leadml.data.sources import read_leads
from leadml.data.starter import config_toml, starter_rules_toml
from leadml.data.toml_text import comment, quoted

ODD = 'visits "home"\\page\nof us\t\x7f\x01 # [x] = é'


def leads_of(n: int = 60, **columns) -> pd.DataFrame:
    frame = {"id": range(n), "won": np.where(np.arange(n) % 3, "no", "yes")}
    return read_leads(pd.DataFrame(frame | columns))


def rules_for(leads: pd.DataFrame, **options) -> dict:
    text = starter_rules_toml(leads, infer_config(leads, "x", **options))
    return tomllib.loads(text)


def back(folder, proposal):
    path = folder / "leadml.toml"
    path.write_text(config_toml(proposal), encoding="utf-8")
    config = load_config(path)
    leads = config.leads.model_copy(update={"path": proposal.config.leads.path})
    return config.model_copy(update={"leads": leads})


@pytest.mark.parametrize("value", [ODD, "", "plain", "a'b", 'a"""b', "\\", "\u2028", "日本"])
def test_quoted_texts_read_back(value):
    assert tomllib.loads(f"a = {quoted(value)}\n{quoted(value)} = 1")["a"] == value
    assert tomllib.loads(comment(value)) == {}


def test_a_proposal_reads_back_as_it_was(tmp_path):
    n = np.arange(60)
    leads = leads_of(
        **{
            ODD: n % 7,
            "What is your current occupation": np.where(n % 2, "Working Professional", "Student"),
            "Gender": np.where(n % 2, "f", "m"),
            "Budget": np.where(n % 2, "yes", "no"),
            "Lost 'reason'": np.where(n % 2, "price", ODD),
            'Only "one"': ODD,
            "created_at": "2024-01-05",
            "closed_at": "2024-03-05",
            "city": np.where(n % 2, "Select", "Ulm"),
        }
    )
    proposal = infer_config(leads, "data/leads.csv")
    assert ODD in proposal.config.features.behavioral
    assert back(tmp_path, proposal) == proposal.config
    assert rules_for(leads)["rules"][0]["column"]


def test_every_note_is_in_the_file():
    leads = leads_of(visits=range(60), Tags=["a", "b"] * 30)
    text = config_toml(infer_config(leads, "x"))
    assert "More of it never lowers the score." in text
    assert '"Tags" = "Sales fills it in while working the lead' in text


def test_profile_features_of_titles_emails_and_phones():
    n = range(60)
    leads = leads_of(
        **{
            "Job Title": [f"Director {i}" for i in n],
            "Email": [f"a{i}@b.example" for i in n],
            "Phone": [None if i % 3 else f"+49 30 23125 {i:03d}" for i in n],
        }
    )
    rules = rules_for(leads)["rules"]
    by_column = {}
    for rule in rules:
        by_column.setdefault(rule["column"], []).append(rule)
    assert by_column["Job Title_seniority"][-1]["bant"] == "authority"
    assert by_column["Email_domain"][0]["is_in"] == ["corporate"]
    assert by_column["Phone_present"][0]["is_true"] is True
    assert by_column["Phone"][0] == {
        "name": "Phone: missing",
        "family": "demographic",
        "column": "Phone",
        "is_missing": True,
        "points": -3,
    }


def test_opting_out_costs_and_engagement_pays():
    n = np.arange(60)
    leads = leads_of(
        **{
            "Do Not Email": np.where(n % 4, "No", "Yes"),
            "visits": n % 5,
            "time spent on site": n * 37,
            "demo requested": np.where(n % 4, "no", "yes"),
            "days since last visit": n,
            "emails bounced": n % 3,
        }
    )
    rules = rules_for(leads)["rules"]
    points = {rule["name"]: rule.get("points") for rule in rules}
    assert points["Do Not Email: yes"] < 0 < points["demo requested: yes"]
    assert points["emails bounced: any"] < 0
    assert points["days since last visit: two months or more"] < 0
    visits = next(rule for rule in rules if rule["name"] == "visits")
    assert visits["cap"] >= visits["per_unit"] > 0
    steps = [rule for rule in rules if rule["column"] == "time spent on site"]
    assert steps[0]["below"] == steps[1]["at_least"]
    assert steps[0]["points"] < steps[1]["points"]


def test_known_good_sources():
    sources = ["Referral", "Partner", "Direct Traffic", "Cold list", "Olark Chat", "Referral Sites"]
    rules = rules_for(leads_of(**{"Lead Source": sources * 10}))["rules"]
    assert [sorted(rule["is_in"]) for rule in rules] == [
        ["Partner", "Referral"],
        ["Direct Traffic"],
    ]
    assert rules[0]["points"] > rules[1]["points"] > 0


def test_outcomes_are_not_looked_at():
    n = np.arange(60)
    leads = leads_of(visits=n % 5, source=np.where(n % 2, "Referral", "Web"))
    turned = leads.assign(won=leads["won"].to_numpy()[::-1])
    proposals = [infer_config(each, "x") for each in (leads, turned)]
    assert starter_rules_toml(leads, proposals[0]) == starter_rules_toml(turned, proposals[1])


def test_bant_answers():
    n = np.arange(60)
    leads = leads_of(
        **{
            "budget": np.where(n % 2, "approved", "none yet"),
            "decision maker": np.where(n % 2, "yes", "no"),
            "pain points": [f"pain {i % 7}" for i in n],
            "timeframe": np.where(n % 2, "next year", "within 30 days"),
        }
    )
    rules = {rule["bant"]: rule for rule in rules_for(leads)["rules"] if "bant" in rule}
    assert rules["budget"]["is_in"] == ["approved"]
    assert rules["authority"]["is_true"] is True
    assert rules["need"]["is_missing"] is False
    assert rules["time"]["is_in"] == ["within 30 days"]


def test_nothing_known_still_gives_a_book_with_a_rule():
    for leads in (leads_of(product=["a", "b", "c"] * 20), leads_of(x1=np.arange(60) % 7)):
        assert [rule["points"] for rule in rules_for(leads)["rules"]] == [0]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("x_education/Leads.csv", {"missing": ["Select"], "exclude": ["Tags"]}),
        ("maven_crm/sales_pipeline.csv", {}),
    ],
)
def test_real_data(real_data, tmp_path, name, options):
    leads = read_leads(real_data / name, missing=options.get("missing", ()))
    proposal = infer_config(leads, name, **options)
    assert back(tmp_path, proposal) == proposal.config
    rules = tomllib.loads(starter_rules_toml(leads, proposal))
    assert sum(rules["caps"].values()) <= 110
    used = proposal.config.features.families()
    assert {rule["column"] for rule in rules["rules"]} <= set(used)
    whole = [rule.get("points", rule.get("cap")) for rule in rules["rules"]]
    assert all(points == int(points) for points in whole)
