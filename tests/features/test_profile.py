import json
import re

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from leadml.errors import DataError
from leadml.features.email_domains import (
    DISPOSABLE_DOMAINS,
    FREE_DOMAINS,
    compute_email_domain,
)
from leadml.features.profile import ProfileFeatures

KINDS = {
    "job": "title",
    "mail": "email",
    "phone": "phone",
    "consent": "boolean",
    "created": "date",
    "revenue": "number",
    "notes": "text",
}


@parametrize_with_checks([ProfileFeatures(), ProfileFeatures(missing=["n/a"])])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture
def leads():
    index = pd.MultiIndex.from_product(
        [[11, 12, 13, 14], [pd.Timestamp("2025-03-01")]], names=["lead_id", "snapshot_date"]
    )
    return pd.DataFrame(
        {
            "source": ["Google", " google", "Google", "Select"],
            "job": ["VP of Sales", "Leiter Einkauf", "xyz", None],
            "mail": ["ann@acme.com", "bo@gmx.de", "not an address", "c@yopmail.com"],
            "phone": ["+49 30 1", "", None, "select"],
            "consent": ["ja", "NO", "tak", "maybe"],
            "created": ["2025-02-01", "2025-03-02", "soon", "2025-02-28T12:00:00+02:00"],
            "revenue": ["1.5", "n/a", " 20 ", "inf"],
            "notes": ["long text"] * 4,
            "visits": [1, 2, 3, 4],
            "returning": [True, False, True, True],
        },
        index=index,
    )


@pytest.fixture
def fitted(leads):
    return ProfileFeatures(kinds=KINDS, missing=["SELECT", "n/a"]).fit(leads)


def values(series):
    return [None if pd.isna(value) else value for value in series]


def test_every_kind_gives_its_features(leads, fitted):
    expected = {
        "source": ["Google", "Google", "Google", None],
        "job_seniority": ["vp", "head", "other", None],
        "job_function": ["sales", "procurement", "other", None],
        "mail_domain": ["corporate", "free", None, "disposable"],
        "phone_present": ["yes", "no", "no", "no"],
        "consent": ["yes", "no", "yes", None],
        "created_age_days": [28.0, None, None, 14 / 24],
        "revenue": [1.5, None, 20.0, None],
        "visits": [1.0, 2.0, 3.0, 4.0],
        "returning": ["yes", "no", "yes", "yes"],
    }
    features = fitted.transform(leads)
    assert features.index.equals(leads.index)
    assert {name: values(column) for name, column in features.items()} == expected
    assert list(features) == list(fitted.get_feature_names_out()) == list(fitted.source_)
    assert features.dtypes[["created_age_days", "revenue", "visits"]].eq("float64").all()


def test_fitted_attributes(leads, fitted):
    assert fitted.feature_names_in_.tolist() == list(leads)
    assert fitted.n_features_in_ == 10
    assert fitted.kinds_ == {"source": "category", **KINDS, "visits": "number"} | {
        "returning": "boolean"
    }
    assert fitted.source_["job_function"] == "job"
    assert fitted.unused_ == {"notes": "free text gives no feature"}
    assert fitted.unreadable_ == {"consent": 1, "created": 1, "revenue": 1}


def test_kinds_are_inferred_from_the_dtype():
    table = pd.DataFrame(
        {
            "a": pd.Series([1, None], dtype="Int64"),
            "b": pd.Series([True, None], dtype=object),
            "c": pd.Series(["x", None], dtype="category"),
            "d": pd.to_datetime(["2025-01-01", None]),
            "e": pd.Series([None, None], dtype=object),
            "f": [1.0, np.inf],
        }
    )
    kinds = ["number", "boolean", "category", "date", "category", "number"]
    features = ProfileFeatures().fit(table)
    assert list(features.kinds_.values()) == kinds
    assert values(features.transform(table)["f"]) == [1.0, None]


def test_the_most_frequent_spelling_is_kept_and_ties_go_by_the_alphabet():
    table = pd.DataFrame({"a": ["web Form", "Web form", "Web  form", *["CALL", "call"] * 2]})
    features = ProfileFeatures().fit(table)
    assert features.transform(table)["a"].tolist() == ["Web form"] * 3 + ["CALL"] * 4
    later = pd.DataFrame({"a": ["WEB FORM ", " New  One"]})
    assert features.transform(later)["a"].tolist() == ["Web form", "New One"]


@pytest.mark.parametrize("codes", [[7, 8, 7], [7.0, 8.0, np.nan], pd.array([7, 8, None], "Int64")])
def test_numbers_as_categories_have_no_decimal_point(codes):
    table = pd.DataFrame({"code": codes})
    features = ProfileFeatures(kinds={"code": "category"}).fit_transform(table)
    assert features["code"].tolist()[:2] == ["7", "8"]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["yes", "TRUE", "1", "ja", "Oui", "si", "sí", "tak", "y", "t", 1, 1.0, True], "yes"),
        (["no", "False", "0", "nein", "NON", "nie", "n", "f", 0, 0.0, False], "no"),
    ],
)
def test_answers_in_five_languages(answers, expected):
    for answer in answers:
        table = pd.DataFrame({"a": pd.Series([answer], dtype=object)})
        features = ProfileFeatures(kinds={"a": "boolean"}).fit_transform(table)
        assert features["a"].tolist() == [expected], answer


def test_email_domains():
    emails = {
        "a@acme.co.uk": "corporate",
        " B@GMail.COM ": "free",
        "c@wp.pl": "free",
        "d@laposte.net": "free",
        "e@sub.mailinator.com": "disposable",
        "f@notmailinator.com": "corporate",
        "g@localhost": None,
        "@acme.com": None,
        "two words@acme.com": None,
        "h@i@acme.com": None,
        None: None,
    }
    assert values(compute_email_domain(pd.Series([*emails]))) == [*emails.values()]
    assert not FREE_DOMAINS & DISPOSABLE_DOMAINS


def test_a_date_is_known_only_from_its_day_on():
    index = pd.MultiIndex.from_arrays(
        [[1, 1, 1], pd.to_datetime(["2025-01-01", "2025-01-10", "2025-01-31"])],
        names=["lead_id", "snapshot_date"],
    )
    table = pd.DataFrame({"trial": pd.to_datetime(["2025-01-10"] * 3)}, index=index)
    features = ProfileFeatures().fit_transform(table)
    assert values(features["trial_age_days"]) == [None, 0.0, 21.0]


@pytest.mark.parametrize(
    "day", ["2025-01-01T01:00:00+02:00", pd.Timestamp("2024-12-31T18:00:00", tz="America/New_York")]
)
def test_time_zones_are_compared_in_utc(day):
    index = pd.MultiIndex.from_tuples(
        [(1, pd.Timestamp("2025-01-01", tz="UTC"))], names=["lead_id", "snapshot_date"]
    )
    table = pd.DataFrame({"day": [day]}, index=index)
    features = ProfileFeatures(kinds={"day": "date"}).fit_transform(table)
    assert features["day_age_days"].tolist() == [pytest.approx(1 / 24)]


def test_dates_far_away_do_not_overflow(leads):
    table = leads[["created"]].assign(created=["9999-12-31", "0001-01-01", "2025-02-01", None])
    features = ProfileFeatures(kinds={"created": "date"}).fit_transform(table)
    assert values(features["created_age_days"])[0] is None
    assert features["created_age_days"].iloc[1] > 700_000


def test_dates_without_snapshots_are_unused(leads):
    table = leads.reset_index(drop=True)[["created", "visits"]]
    features = ProfileFeatures(kinds={"created": "date"}).fit(table)
    assert list(features.transform(table)) == ["visits"]
    assert "snapshot_date" in features.unused_["created"]


def test_snapshots_seen_in_fit_are_needed_later(leads, fitted):
    with pytest.raises(DataError, match="no level 'snapshot_date'"):
        fitted.transform(leads.reset_index(drop=True))


def test_one_row_alone_equals_the_batch(leads, fitted):
    batch = fitted.transform(leads)
    for place in range(len(leads)):
        assert_frame_equal(fitted.transform(leads.iloc[[place]]), batch.iloc[[place]])


def test_row_order_does_not_matter(leads, fitted):
    turned = leads[::-1]
    again = clone(fitted).fit(turned)
    assert_frame_equal(again.transform(turned)[::-1], fitted.transform(leads))
    assert again.to_dict() == fitted.to_dict()


def test_a_table_without_rows_is_transformed_but_not_fitted(leads, fitted):
    assert fitted.transform(leads.iloc[:0]).shape == (0, 10)
    with pytest.raises(DataError, match="is empty: 0 rows, 10 columns"):
        clone(fitted).fit(leads.iloc[:0])


def test_state_goes_through_json(leads, fitted):
    again = ProfileFeatures.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert_frame_equal(again.transform(leads), fitted.transform(leads), check_exact=True)
    for name in ("kinds_", "source_", "unused_", "unreadable_", "spellings_", "n_features_in_"):
        assert getattr(again, name) == getattr(fitted, name)
    assert again.feature_names_in_.tolist() == fitted.feature_names_in_.tolist()
    assert clone(again).fit(leads).to_dict() == fitted.to_dict()


def test_state_of_an_array_goes_through_json():
    X = np.array([[1.0, np.nan], [2.0, 3.0]])
    features = ProfileFeatures().fit(X)
    again = ProfileFeatures.from_dict(json.loads(json.dumps(features.to_dict())))
    np.testing.assert_array_equal(again.transform(X), X)
    assert again.get_feature_names_out().tolist() == ["x0", "x1"]


def test_only_a_fitted_transformer_has_state():
    with pytest.raises(NotFittedError, match="not fitted"):
        ProfileFeatures().to_dict()


def test_select_takes_columns_by_name(leads, fitted):
    shuffled = leads[leads.columns[::-1]].assign(more=1)
    assert_frame_equal(fitted.transform(fitted.select(shuffled)), fitted.transform(leads))
    assert_frame_equal(fitted.transform(leads.assign(more=1)), fitted.transform(leads))
    with pytest.raises(DataError, match=r"same order(.|\n)*Pass features\.select\(X\)"):
        fitted.transform(shuffled)


@pytest.mark.parametrize("method", ["transform", "select"])
def test_missing_columns_are_all_named(leads, fitted, method):
    renamed = leads.rename(columns={"source": "Sorce", "visits": "qqq"})
    message = (
        "The table of leads has 2 problems:\n  - 'source' is missing. Did you mean 'Sorce'?\n"
        "  - 'visits' is missing.\nIt has: Sorce, job,"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        getattr(fitted, method)(renamed)


def test_columns_without_any_value_of_their_kind_are_reported_together(leads):
    kinds = {"source": "number", "job": "date", "notes": "boolean"}
    message = (
        "has 3 problems:\n  - none of the 4 values of 'source' is a number.\n"
        "  - none of the 3 values of 'job' is a date."
    )
    with pytest.raises(DataError, match=re.escape(message)):
        ProfileFeatures(kinds=kinds).fit(leads)


def test_unknown_kinds_and_columns_are_reported_together(leads):
    kinds = {"sorce": "category", "job": "titel"}
    with pytest.raises(DataError, match=r"Did you mean 'source'\?(.|\n)*Did you mean 'title'\?"):
        ProfileFeatures(kinds=kinds).fit(leads)


def test_names_that_stand_twice_are_refused(leads):
    with pytest.raises(DataError, match="twice in the table: \\['visits'\\]"):
        ProfileFeatures().fit(pd.concat([leads, leads[["visits"]]], axis=1))
    clash = leads[["job"]].assign(job_function="x")
    with pytest.raises(DataError, match="both give \\['job_function'\\]"):
        ProfileFeatures(kinds={"job": "title"}).fit(clash)


def test_set_output(leads, fitted):
    table = fitted.transform(leads)
    assert_frame_equal(fitted.set_output(transform="pandas").transform(leads), table)
    assert_frame_equal(fitted.set_output(transform="default").transform(leads), table)
    numbers = ProfileFeatures().set_output(transform="pandas").fit_transform(np.eye(2))
    assert list(numbers) == ["x0", "x1"]


def test_columns_without_text_names_go_by_their_place():
    table = pd.DataFrame({7: [1.0] * 4, 8: ["a", "A"] * 2})
    assert ProfileFeatures().fit_transform(table)["x1"].tolist() == ["A"] * 4


def test_x_education(real_data):
    leads = pd.read_csv(real_data / "x_education" / "Leads.csv")
    drops = ["Prospect ID", "Lead Number", "Converted"]
    leads = leads.drop(columns=drops)
    features = ProfileFeatures(kinds={"Do Not Email": "boolean"}, missing=["Select"]).fit(leads)
    table = features.transform(leads)
    sources = leads["Lead Source"].value_counts()
    counts = table["Lead Source"].value_counts()
    assert counts["Google"] == sources["Google"] + sources["google"]
    assert "google" not in counts
    assert table["Specialization"].isna().sum() >= 1942
    assert not table.isin(["Select"]).any(axis=None)
    assert set(table["Do Not Email"]) == {"yes", "no"}
    again = ProfileFeatures.from_dict(json.loads(json.dumps(features.to_dict())))
    assert_frame_equal(again.transform(leads), table, check_exact=True)
    assert_frame_equal(features.transform(leads[5:6]), table[5:6])
