import pytest

from leadml.config import Config, load_config
from leadml.errors import ConfigError

# as in the contract
CONTRACT = """\
[leads]
path = "leads.csv"
id = "lead_id"
created = "created_at"            # optional, as are account and value
account = "account_id"
value = "deal_value"
missing = ["Select", "unknown"]   # texts that mean empty

[outcome]
column = "status"
won = ["won"]
lost = ["lost"]                   # any other value, and empty, is open: never trained on as lost
closed = "closed_at"              # optional
horizon = "90D"

[features]                        # a column in none of these lists is not used, and is reported
demographic = ["title", "country"]
firmographic = ["industry", "employees"]
behavioral = ["visits", "pages_per_visit"]
email = ["opens", "clicks"]
context = ["source"]
bant = { budget = "budget", authority = "role", need = "pain", time = "timeframe" }
exclude = { Tags = "written by sales after the outcome" }
protected = ["gender", "age"]     # found, left out; move into a family to use them
monotone = { visits = 1 }

[bands]
hot = 65
warm = 45

[handoff]
required = ["email"]
min_fit = 50
min_engagement = 50
sales_ready = []                  # boolean columns; one of them must be true where any is listed
"""

SMALL = """\
[leads]
path = "leads.csv"
id = "lead_id"

[outcome]
column = "status"
won = ["won"]
lost = ["lost"]

[features]
behavioral = ["visits"]
"""


def load(folder, text) -> Config:
    path = folder / "leadml.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def problems_of(folder, text) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    first, *lines = str(caught.value).splitlines()
    assert first.startswith(str(folder / "leadml.toml"))
    return [line.removeprefix("  - ") for line in lines]


def test_the_contract_loads(tmp_path):
    config = load(tmp_path, CONTRACT)
    assert config.leads.path == str(tmp_path / "leads.csv")
    assert config.leads.missing == ["Select", "unknown"]
    assert config.outcome.horizon == "90D"
    families = config.features.families()
    assert families["title"] == "demographic"
    assert families["employees"] == "firmographic"
    assert families["visits"] == "behavioral"
    assert families["clicks"] == "email"
    assert families["source"] == "context"
    assert families["pain"] == "bant"
    assert not {"Tags", "gender", "age"} & set(families)
    assert config.features.bant.columns() == {
        "B": "budget",
        "A": "role",
        "N": "pain",
        "T": "timeframe",
    }
    assert config.features.monotone == {"visits": 1}
    assert (config.bands.hot, config.bands.warm) == (65, 45)
    assert config.handoff.min_fit == 50
    assert config.role_columns() == [
        *["lead_id", "created_at", "account_id", "deal_value", "status", "closed_at"]
    ]


def test_defaults(tmp_path):
    config = load(tmp_path, SMALL)
    assert (config.bands.hot, config.bands.warm) == (65, 45)
    assert config.outcome.horizon == "90D"
    assert config.handoff.required == []
    assert config.role_columns() == ["lead_id", "status"]


def test_an_absolute_path_stays(tmp_path):
    text = SMALL.replace("leads.csv", "/data/leads.csv")
    assert load(tmp_path, text).leads.path == "/data/leads.csv"


@pytest.mark.parametrize(
    ("written", "read"),
    [("[1]", ["1"]), ("1", ["1"]), ("true", ["true"]), ('["1", 2]', ["1", "2"]), ('"x"', ["x"])],
)
def test_outcomes_are_compared_as_text(tmp_path, written, read):
    assert load(tmp_path, SMALL.replace('won = ["won"]', f"won = {written}")).outcome.won == read


def test_a_column_can_answer_bant_and_have_a_family(tmp_path):
    config = load(tmp_path, SMALL + 'bant = { need = "visits" }\n')
    assert config.features.families() == {"visits": "behavioral"}
    assert config.features.bant.columns() == {"N": "visits"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'id = "lead_id"',
            'idd = "lead_id"',
            "line 3: [leads] idd is not known. Accepted: path,",
        ),
        ('id = "lead_id"', "", "line 1: [leads] id is missing"),
        ('id = "lead_id"', "id = 3", "line 3: [leads] id should be a valid string. Got 3."),
        ("[features]", "[feature]", "line 10: [feature] is not known. Accepted: leads, accounts"),
        ("behavioral", "behavoral", "Did you mean 'behavioral'?"),
        ('["visits"]', '"visits"', "line 11: [features] behavioral should be a valid list"),
        ('["lost"]', '["won"]', "line 5: [outcome]: `won` and `lost` share ['won']"),
        ('["visits"]', '["visits", "status"]', "['status'] have a role in [leads] or [outcome]"),
    ],
)
def test_one_wrong_line(tmp_path, old, new, expected):
    assert expected in " ".join(problems_of(tmp_path, SMALL.replace(old, new)))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            "monotone = { visit = 1 }",
            "'visit', which is in no family. Did you mean 'visits'?",
        ),
        (
            "monotone = { visits = 2 }",
            "line 12: [features monotone] visits should be -1 or 1",
        ),
        ('kinds = { visits = "numer" }', "line 12: [features kinds] visits should be 'number'"),
        ('email = ["visits"]', "'visits' stands in `behavioral` and in `email`."),
        ('protected = ["visits"]', "'visits' stands in `behavioral` and in `protected`."),
        ('exclude = { visits = "late" }', "'visits' stands in `behavioral` and in `exclude`."),
        ('bant = { budgt = "b" }', "line 12: [features bant] budgt is not known."),
        (
            "[bands]\nhot = 165",
            "line 13: [bands] hot should be less than or equal to 100.",
        ),
        ("[bands]\nhot = 10", "line 12: [bands]: `hot` must not lie below `warm`, but 10 < 45."),
        ("[handoff]\nmin_fit = -3", "line 13: [handoff] min_fit should be greater than or equal"),
    ],
)
def test_one_line_more(tmp_path, more, expected):
    assert expected in " ".join(problems_of(tmp_path, SMALL + more + "\n"))


@pytest.mark.parametrize("horizon", ['"-30D"', '"0D"', '"a month"', '"NaT"', '"3M"'])
def test_horizon_is_a_positive_time_span(tmp_path, horizon):
    text = SMALL.replace("[features]", f"horizon = {horizon}\n[features]")
    expected = (
        f"line 10: [outcome] horizon must be a positive time span such as '90D'. Got {horizon}"
    )
    assert problems_of(tmp_path, text)[0].startswith(expected.replace('"', "'"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("[features]", 'horizon = "90"\n[features]', id="90 nanoseconds"),
        pytest.param('["won"]', "[]", id="nothing is won"),
        pytest.param('column = "status"', 'column = "lead_id"', id="the id is the outcome"),
        pytest.param(
            '["visits"]',
            '["visits"]\nbant = { need = "Tags" }\nexclude = { Tags = "late" }',
            id="an excluded column comes back by BANT",
        ),
        pytest.param(
            '["visits"]',
            '["visits"]\nbant = { need = "age" }\nprotected = ["age"]',
            id="a protected column comes back by BANT",
        ),
    ],
)
def test_settings_that_cannot_be_meant(tmp_path, old, new):
    problems_of(tmp_path, SMALL.replace(old, new))


def test_a_kind_gets_a_did_you_mean(tmp_path):
    found = problems_of(tmp_path, SMALL + 'kinds = { visits = "numer" }\n')
    assert "Did you mean 'number'?" in found[0]


def test_every_problem_at_once(tmp_path):
    text = SMALL.replace('id = "lead_id"', 'idd = "x"') + "[bands]\nhot = 165\n[handof]\n"
    found = problems_of(tmp_path, text)
    assert sorted(problem.split(":")[0] for problem in found) == [
        *["line 1", "line 13", "line 14", "line 3"]
    ]


def test_the_day_of_the_first_contact_is_a_role_and_needs_the_day_of_the_lead():
    state = {
        "leads": {"path": "leads.csv", "id": "id", "created": "created", "contacted": "called"},
        "outcome": {"column": "won", "won": ["1"], "lost": ["0"]},
    }
    assert "called" in Config.model_validate(state).role_columns()
    del state["leads"]["created"]
    with pytest.raises(ValueError, match=r"`contacted` needs `created` in \[leads\]"):
        Config.model_validate(state)
