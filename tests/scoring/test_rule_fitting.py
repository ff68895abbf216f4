import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.columns import CategoryColumn, NumberColumn
from leadml.scoring.rule_fitting import fit_rules
from leadml.scoring.rule_steps import Steps, find_cuts, find_steps, round_cut
from leadml.scoring.rule_wording import write_rules
from leadml.scoring.rulebook import RuleBook

SOURCES = ["web", "fair", "referral", "rare"]
PER_LOGIT = 10 / np.log(2)


def make_leads(n=4_000, seed=0):
    """Leads whose odds follow a rule book of round points, and that book's points."""
    random = np.random.default_rng(seed)
    leads = pd.DataFrame(
        {
            "visits": random.poisson(4, n).astype(float),
            "minutes": random.exponential(20, n),
            "source": random.choice(SOURCES, n, p=[0.6, 0.2, 0.196, 0.004]),
            "newsletter": random.choice(["yes", "no"], n, p=[0.2, 0.8]),
            "noise": random.normal(size=n),
        }
    )
    leads.loc[random.random(n) < 0.1, "minutes"] = np.nan
    points = 20.0 * (leads["visits"] >= 6) + 15 * (leads["source"] == "referral")
    points += 12 * (leads["newsletter"] == "yes") - 15 * leads["minutes"].isna()
    won = random.random(n) < expit((points - 15) / PER_LOGIT)
    return leads, won.to_numpy()


def learn(leads, won, count=20, monotone=None, weight=None, chance=None):
    monotone = monotone or {}
    weight = np.ones(len(leads)) if weight is None else weight
    model = LeadBoostingClassifier("additive", monotone=monotone, n_repeats=1, random_state=0)
    model.fit(leads, won, row_weight=weight)
    return fit_rules(
        find_steps(leads, model.table_, weight=weight, monotone=monotone),
        won,
        model.predict_proba(leads)[:, 1] if chance is None else chance,
        weight=weight,
        families=dict.fromkeys(leads.columns, "behavioral"),
        points_per_logit=PER_LOGIT,
        count=count,
    )


@pytest.fixture(scope="module")
def simulated():
    return make_leads()


@pytest.fixture(scope="module")
def book(simulated):
    return learn(*simulated)


def test_the_rules_that_made_the_leads_are_found(book):
    found = {rule.name: rule.points for rule in book.rules}
    truth = {
        "Visits 6 or more": 20, "Source: referral": 15, "Newsletter: yes": 12,
        "Minutes: missing": -15,
    }  # fmt: skip
    for name, points in truth.items():
        assert found.pop(name) == pytest.approx(points, abs=5)
    assert all(abs(points) <= 5 for points in found.values())


def test_points_are_whole_and_never_nothing(book):
    assert all(rule.points == round(rule.points) and rule.points for rule in book.rules)


def test_rules_of_a_feature_exclude_one_another(book, simulated):
    leads, _ = simulated
    for name in leads:
        mine = [rule.fires(leads) for rule in book.rules if rule.column == name]
        assert np.sum(mine, axis=0).max(initial=0) <= 1


@pytest.mark.parametrize("count", [1, 3, 5])
def test_never_more_rules_than_asked_for(simulated, count):
    leads, won = simulated
    # a valley takes many steps, and overlapping ones need a rule a part
    won = won ^ (np.abs(leads["noise"].to_numpy()) > 1.5)
    assert 1 <= len(learn(leads, won, count).rules) <= count


def test_one_rule_is_the_best_one(simulated):
    assert [rule.name for rule in learn(*simulated, count=1).rules] == ["Visits 6 or more"]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_monotone_number_only_gains_or_only_loses(sign):
    random = np.random.default_rng(1)
    leads = pd.DataFrame({"visits": random.integers(0, 20, 3_000)})
    hill = 8 - 1.6 * np.abs(leads["visits"] - 10)
    won = random.random(3_000) < expit(hill.to_numpy() / 3)
    table = learn(leads, won, monotone={"visits": sign}).compile()
    points = table.decide(pd.DataFrame({"visits": np.arange(-1, 25)}))
    assert np.all(sign * np.diff(points) >= 0)
    assert np.ptp(points) > 1
    free = learn(leads, won).compile().decide(pd.DataFrame({"visits": [0, 10, 19]}))
    assert free[1] > max(free[0], free[2]) + 5


def test_a_rare_level_is_never_named(book):
    named = {level for rule in book.rules for level in rule.is_in or ()}
    assert "referral" in named
    assert "rare" not in named


def test_what_most_leads_are_is_worth_nothing(book, simulated):
    leads, _ = simulated
    assert all(rule.fires(leads).mean() <= 0.5 for rule in book.rules)


def test_equal_leads_give_equal_books(book, simulated):
    assert learn(*simulated) == book


def test_a_weight_of_one_half_twice_is_one_lead(simulated):
    leads, won = (part[:1_500] for part in simulated)
    chance = np.full(len(won), won.mean())
    once = learn(leads, won, chance=chance)
    twice = pd.concat([leads, leads], ignore_index=True)
    half = np.full(2 * len(won), 0.5)
    again = learn(twice, np.tile(won, 2), weight=half, chance=np.tile(chance, 2))
    where = RuleBook(rules=once.rules).compile().decide(leads)
    assert np.corrcoef(where, again.compile().decide(leads))[0, 1] > 0.95
    assert len(once.rules) == pytest.approx(len(again.rules), abs=3)


def test_nothing_to_tell_gives_no_rule():
    leads = pd.DataFrame({"same": np.ones(200), "code": [f"c{place}" for place in range(200)]})
    won = np.arange(200) % 2 == 0
    assert learn(leads, won, chance=np.full(200, 0.5)).rules == []


def test_cuts_are_round_and_part_the_values():
    values = np.random.default_rng(0).lognormal(3, 1, 5_000)
    cuts = find_cuts(values)
    assert cuts == sorted(set(cuts))
    codes = NumberColumn("x", tuple(cuts)).codes(values)
    assert np.bincount(codes, minlength=len(cuts) + 1)[:-1].min() > 0
    assert all(len(f"{cut:g}".strip("0.").replace(".", "")) <= 2 for cut in cuts)
    assert find_cuts(np.array([np.nan, 3.0, 3.0])) == []


@pytest.mark.parametrize(
    ("low", "high", "cut"),
    [(2, 3, 3), (0, 1, 1), (5_099.1, 5_191, 5_100), (-7, -2, -5), (-0.5, 0, 0), (1e-5, 3e-5, 2e-5)],
)
def test_the_most_readable_number_between_two(low, high, cut):
    assert round_cut(low, high) == cut


def test_any_two_neighbours_are_parted():
    random = np.random.default_rng(0)
    for low in random.normal(scale=[1e-9, 1.0, 1e13], size=(200, 3)).ravel():
        high = np.nextafter(low, np.inf)
        assert low < round_cut(low, high) <= high


def test_columns_that_read_alike_have_rules_of_their_own():
    visits = np.random.default_rng(0).integers(0, 2, (1_000, 2))
    leads = pd.DataFrame(visits, columns=["page_views", "Page views"])
    won = np.random.default_rng(1).random(1_000) < 0.1 + 0.4 * visits.sum(axis=1)
    names = [rule.name for rule in learn(leads, won).rules]
    assert len(names) == len(set(names)) == 2
    assert all(name.startswith("Page views ") for name in names)


def test_words():
    def words(column, points, *, is_whole=False):
        sets = np.ones((1, column.n_codes), dtype=bool)
        steps = Steps(column, np.zeros(1, np.int32), sets, np.zeros(1, np.int8), is_whole)
        rules = write_rules(steps, np.array(points, dtype=float), "context")
        return {rule.name: rule.describe_condition() for rule in rules}

    days = NumberColumn("visits_30d", (1.0, 2.0, 1_500.0))
    assert words(days, [-1, 2, 3, 4, 0], is_whole=True) == {
        "Visits (30 days) 1,500 or more": "visits_30d at least 1500",
        "Visits (30 days) 2 to 1,499": "visits_30d at least 2 and below 1500",
        "Visits (30 days) 1": "visits_30d at least 1 and below 2",
        "Visits (30 days) below 1": "visits_30d below 1",
    }
    # equal neighbours are one rule
    assert words(days, [0, 2, 2, 0, -1]) == {
        "Visits (30 days) 1 to below 1,500": "visits_30d at least 1 and below 1500",
        "Visits (30 days): missing": "visits_30d is missing",
    }
    assert words(days, [2, 2, 2, 2, 0]) == {"Visits (30 days): known": "visits_30d is there"}
    color = CategoryColumn("Color", ("red", "green", "blue", "grey"))
    assert words(color, [2, 2, -1, 2, 0, 1]) == {
        "Color: red, green or 1 more": "Color is red or green or grey",
        "Color: missing": "Color is missing",
        "Color: blue": "Color is blue",
    }
    opted = CategoryColumn("opted_out", ("no", "yes"))
    assert words(opted, [0, -5, 0, 0]) == {"Opted out: yes": "opted_out is true"}
    assert words(opted, [3, 0, 0, 0]) == {"Opted out: no": "opted_out is false"}
