import pytest

from leadml.errors import (
    ConfigError,
    DataError,
    LeadmlError,
    MissingExtraError,
    ModelFolderError,
    all_problems,
    did_you_mean,
)


@pytest.mark.parametrize("error", [ConfigError, DataError, MissingExtraError, ModelFolderError])
def test_one_except_catches_them_all(error):
    with pytest.raises(LeadmlError, match="wrong"):
        raise error("wrong")
    assert issubclass(error, ValueError)


def test_a_missing_extra_is_an_import_error():
    assert issubclass(MissingExtraError, ImportError)


@pytest.mark.parametrize(
    ("got", "hint"),
    [
        ("Lead Sorce", " Did you mean 'Lead Source'?"),
        ("LEAD SOURCE", " Did you mean 'Lead Source'?"),
        ("visit", " Did you mean 'visits'?"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_did_you_mean(got, hint):
    assert did_you_mean(got, ["Lead Source", "visits"]) == hint


def test_nothing_accepted_gives_no_hint():
    assert did_you_mean("x", []) == ""


def test_all_problems_are_counted():
    assert all_problems("x.toml", ["a", "b"]) == "x.toml has 2 problems:\n  - a\n  - b"
