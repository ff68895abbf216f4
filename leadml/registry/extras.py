"""Extra columns: what a scored table has behind its own columns, where it is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.errors import DataError, all_problems, did_you_mean
from leadml.scoring.columns import Floats

if TYPE_CHECKING:
    from leadml.registry.bundle import LeadModel


@dataclass(frozen=True)
class Extra:
    """Columns that a scored table has where they are asked for.

    Attributes
    ----------
    columns : tuple of str
    find_lack : callable
        Returns why a model has none, or None where it has.
    compute : callable
        Returns the columns, shape (n_leads, n_columns), by the model, raw columns of the shape
        (n_leads, n_columns) with an index as in `LeadTable.X`, and the leads' probabilities.
    of_rules : bool, default=True
        Whether a model folder's rule book can have them too.
    """

    columns: tuple[str, ...]
    find_lack: Callable[["LeadModel"], str | None]
    compute: Callable[["LeadModel", pd.DataFrame, Floats], pd.DataFrame]
    of_rules: bool = True


def find_columns(which: Sequence[str]) -> list[str]:
    """Return the names of the columns that extras give, each once."""
    return [column for name in dict.fromkeys(which) for column in EXTRAS[name].columns]


def check_extras(
    model: "LeadModel | None", which: Sequence[str], *, by_rules: bool = False
) -> None:
    """Raise where columns cannot be put behind the scored table.

    Parameters
    ----------
    model : LeadModel or None
        None for a rule book alone.
    which : sequence of str
    by_rules : bool, default=False
        Whether the rule book of the folder scores.

    Raises
    ------
    DataError
        Naming every problem.
    """
    problems = []
    for name in which:
        if name not in EXTRAS:
            guess = did_you_mean(name, EXTRAS)
            problems.append(f"{name!r} is not known.{guess} Accepted: {', '.join(EXTRAS)}.")
        elif model is None:
            problems.append(f"{name!r} needs a model folder; a rule book alone has none.")
        elif by_rules and not EXTRAS[name].of_rules:
            problems.append(f"{name!r} is of the learned model alone. Leave out --by rules.")
        elif lack := EXTRAS[name].find_lack(model):
            problems.append(lack)
    if problems:
        raise DataError(all_problems("--with", problems))


def _find_lack_of_value(model: "LeadModel") -> str | None:
    if model.value is not None:
        return None
    named = model.config.leads.value
    told = f"column {named!r} held too few values" if named else "give its column in leadml.toml"
    return (
        f"the model {model.scorer.name!r} was trained without deal values ([leads] value: {told}). "
        "Train it again with them, or leave out 'value'."
    )


def _compute_value(model: "LeadModel", X: pd.DataFrame, probability: Floats) -> pd.DataFrame:
    value = np.empty(0)
    if model.value is not None and len(X):
        value = model.value.predict(model.value[0].select(X))
    columns = {"deal_value": value, "expected_value": probability * value}
    return pd.DataFrame(columns, index=X.index)


def _find_lack_of_interval(model: "LeadModel") -> str | None:
    if model.uncertainty is not None:
        return None
    return (
        f"the model {model.scorer.name!r} knows no intervals: it was trained by leadml before 0.4. "
        "Train it again, or leave out 'interval'."
    )


def _compute_interval(model: "LeadModel", X: pd.DataFrame, probability: Floats) -> pd.DataFrame:
    del probability  # the interval is of the model's own
    columns: dict[str, Any] = dict.fromkeys(INTERVAL[:2], np.empty(0))
    columns |= {INTERVAL[2]: np.empty(0, dtype=bool), INTERVAL[3]: pd.Series(dtype="str")}
    if model.uncertainty is not None and len(X):
        table = model.uncertainty.compute_intervals(model.scorer, model.scorer.select(X))
        columns = dict(zip(INTERVAL, (table[name] for name in table), strict=True))
    made = pd.DataFrame(columns, index=X.index)
    return made.astype({INTERVAL[3]: "str"})


INTERVAL = ("probability_lower", "probability_upper", "abstain", "abstain_because")
EXTRAS: dict[str, Extra] = {
    "value": Extra(("deal_value", "expected_value"), _find_lack_of_value, _compute_value),
    "interval": Extra(INTERVAL, _find_lack_of_interval, _compute_interval, of_rules=False),
}
