"""The errors that leadml raises, and the did-you-mean they share."""

from collections.abc import Iterable
from difflib import get_close_matches


class LeadmlError(ValueError):
    """Say in plain words what is wrong, what is accepted and what to do."""


class ConfigError(LeadmlError):
    """A settings file (`leadml.toml`, `rules.toml`) cannot be used."""


class DataError(LeadmlError):
    """A table of leads cannot be used."""


class ModelFolderError(LeadmlError):
    """A model folder is missing, damaged, or of another format."""


class MissingExtraError(LeadmlError, ImportError):
    """An optional dependency is not installed."""


def did_you_mean(got: str, accepted: Iterable[str]) -> str:
    """Return `" Did you mean 'x'?"` for the closest accepted text, else an empty text.

    Examples
    --------
    >>> did_you_mean("Sorce", ["Lead Source", "Source"])
    " Did you mean 'Source'?"
    >>> did_you_mean("abc", ["xyz"])
    ''
    """
    options = {text.casefold(): text for text in accepted}
    close = get_close_matches(got.casefold(), options, n=1, cutoff=0.6)
    return f" Did you mean {options[close[0]]!r}?" if close else ""


def all_problems(where: str, problems: list[str]) -> str:
    """Return one message that lists every problem found in `where`.

    Examples
    --------
    >>> print(all_problems("rules.toml", ["line 3: no points"]))
    rules.toml has 1 problem:
      - line 3: no points
    """
    count = f"{len(problems)} problem" + ("s" if len(problems) != 1 else "")
    return "\n".join([f"{where} has {count}:", *(f"  - {problem}" for problem in problems)])
