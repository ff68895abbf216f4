import pytest

from leadml.config import Config
from leadml.features.activity_plan import make_plan, make_stem


def plan(*tables, account=None, **snapshots):
    activities = [{"path": f"{place}.csv", "lead": "l", "at": "a"} for place in range(len(tables))]
    return make_plan(
        Config.model_validate(
            {
                "leads": {"path": "leads.csv", "id": "id", "created": "c", "account": account},
                "outcome": {"column": "s", "won": ["won"], "lost": ["lost"]},
                "activities": [
                    {**base, "name": f"t{place}", **table}
                    for place, (base, table) in enumerate(zip(activities, tables, strict=True))
                ],
                "snapshots": {"windows": ["7D", "30D"], **snapshots},
            }
        )
    )


def kinds(*names, **more):
    return {"kind": "kind", "kinds": list(names), **more}


def test_names_in_order_with_their_families():
    found = plan(kinds("Visit", measures=["Page Views"]), {"kind_value": "email"}, account="firm")
    behavioral = [
        "visit_7d",
        "visit_active_days_7d",
        "visit_page_views_7d",
        "visit_30d",
        "visit_active_days_30d",
        "visit_page_views_30d",
        "visit_decayed",
        "days_since_visit",
    ]
    email = [
        "email_7d",
        "email_active_days_7d",
        "email_30d",
        "email_active_days_30d",
        "email_decayed",
    ]
    over = [
        "activities_7d",
        "activities_30d",
        "activities_velocity_7d",
        "days_since_activity",
        "active_people_7d",
        "active_people_30d",
    ]
    assert found.names() == {
        **dict.fromkeys(behavioral, "behavioral"),
        **dict.fromkeys([*email, "days_since_email"], "email"),
        **dict.fromkeys(over, "behavioral"),
        "days_since_created": "context",
    }
    assert list(found.names()) == [
        *behavioral, *email, "days_since_email", *over, "days_since_created"
    ]  # fmt: skip


def test_one_age_needs_no_age_and_one_window_has_no_velocity():
    names = plan(kinds("visit"), ages=["0D"], windows=["14D"]).names()
    assert "days_since_created" not in names
    assert not [name for name in names if "velocity" in name]


def test_no_kinds_no_features():
    assert list(plan(kinds()).names()) == ["days_since_created"]
    assert list(plan().names()) == ["days_since_created"]


def test_a_familys_table_may_be_told():
    assert plan(kinds("visit", family="email")).names()["visit_7d"] == "email"


def test_spellings_of_a_kind_are_one():
    (kind,) = plan(kinds("Page View", "page_view", "PageView")).kinds
    assert kind.values == ("Page View", "page_view", "PageView")
    assert kind.stem == "page_view"


def test_content_and_sales_ready_by_their_words_or_as_told():
    found = plan(kinds("visit", "white paper", "Demo booked", "webinar", "pricing_page"))
    words = [(kind.stem, kind.is_content, kind.is_sales_ready) for kind in found.kinds]
    assert words == [
        ("visit", False, False),
        ("white_paper", True, False),
        ("demo_booked", False, True),
        ("webinar", True, False),
        ("pricing_page", False, True),
    ]
    assert "days_content_to_sales_ready" in found.names()
    told = plan(kinds("visit", "webinar", "demo"), content=["visit"], sales_ready=[])
    assert (told.content, told.sales_ready) == ([0], [])
    assert "days_content_to_sales_ready" not in told.names()


@pytest.mark.parametrize(
    ("tables", "stems"),
    [
        ([kinds("call"), kinds("call")], ["call", "t1_call"]),
        ([{"kind_value": "call"}, kinds("Call", "email")], ["call", "t1_call", "email"]),
        # features over all kinds, and the lead's age, have these names
        ([kinds("activity")], ["t0_activity"]),
        ([kinds("activities")], ["t0_activities"]),
        ([kinds("active people")], ["t0_active_people"]),
        ([kinds("created")], ["t0_created"]),
        # a sum that has the name of another kind's count
        ([kinds("page", "page_views", measures=["views"])], ["page", "t0_page_views"]),
        ([kinds("visit", "visit active days")], ["visit", "t0_visit_active_days"]),
    ],
)
def test_no_two_features_share_a_name(tables, stems):
    found = plan(*tables, account="firm")
    assert [kind.stem for kind in found.kinds] == stems
    names = [name for kind in found.kinds for name in kind.names(found.windows)]
    names += found.overall_names()
    assert len({*names, "days_since_created"}) == len(names) + 1 == len(found.names())


def test_a_measure_that_names_its_kind():
    (session,) = plan({"kind_value": "session", "measures": ["session_seconds", "clicks"]}).kinds
    assert session.sum_name("session_seconds", 7) == "session_seconds_7d"
    assert session.sum_name("clicks", 7) == "session_clicks_7d"
    (clicks,) = plan({"kind_value": "clicks", "measures": ["clicks"]}).kinds
    assert clicks.sum_name("clicks", 7) == "clicks_clicks_7d"  # the count is `clicks_7d`


@pytest.mark.parametrize(
    ("text", "stem"),
    [
        ("E-Mail geöffnet", "e_mail_geoffnet"),
        ("  ", "other"),
        ("デモ", "other"),
        ("Demo (DE) / 2", "demo_de_2"),
        ("x" * 60, "x" * 40),
        ("a" * 39 + " b", "a" * 39),
    ],
)
def test_stems(text, stem):
    assert make_stem(text) == stem


def test_kinds_without_ascii_letters_stay_apart():
    found = plan(kinds("визит", "письмо"))
    stems = {kind.stem: kind.values for kind in found.kinds}
    assert stems == {"kind_1": ("визит",), "kind_2": ("письмо",)}
