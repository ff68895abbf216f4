"""The scored table: the columns that every model, engine and export writes."""

import pandas as pd

from leadml.errors import DataError

SCORED_COLUMNS = (
    "lead_id",
    "probability",
    "score",
    "band",
    "stage",
    "fit",
    "engagement",
    "qualified",
    "bant",
)
LAST_COLUMNS = ("points", "model", "version")
BANDS = ("hot", "warm", "cold")
STAGES = ("decision", "evaluation", "consideration", "awareness")


def reason_columns(count: int) -> list[str]:
    """Return the names of the first `count` reason columns.

    Examples
    --------
    >>> reason_columns(2)
    ['reason_1', 'reason_2']
    """
    return [f"reason_{position}" for position in range(1, count + 1)]


def check_scored(table: pd.DataFrame) -> None:
    """Raise where a table is not a scored table.

    Parameters
    ----------
    table : DataFrame of shape (n_leads, n_columns)

    Raises
    ------
    DataError
        Naming every column that is missing, out of place or out of range.

    Examples
    --------
    >>> import pandas as pd
    >>> check_scored(pd.DataFrame({"lead_id": [1]}))
    Traceback (most recent call last):
        ...
    leadml.errors.DataError: This is not a scored table: it lacks 'probability', 'score', ...
    """
    reasons = [name for name in table.columns if str(name).startswith("reason_")]
    expected = [*SCORED_COLUMNS, *reasons, *LAST_COLUMNS]
    lacking = [name for name in expected if name not in table.columns]
    if lacking:
        message = "This is not a scored table: it lacks " + ", ".join(map(repr, lacking)) + "."
        raise DataError(message)
    if list(table.columns[: len(expected)]) != expected:
        message = f"The scored table's columns are out of order. Accepted order: {expected}."
        raise DataError(message)
    problems = []
    if not table["probability"].dropna().between(0, 1).all():
        problems.append("`probability` lies outside 0 to 1")
    if not table["score"].between(0, 100).all():
        problems.append("`score` lies outside 0 to 100")
    if not table["band"].isin(BANDS).all():
        problems.append(f"`band` holds other values than {BANDS}")
    if not table["stage"].isin(STAGES).all():
        problems.append(f"`stage` holds other values than {STAGES}")
    if problems:
        message = "The scored table is not sound: " + "; ".join(problems) + "."
        raise DataError(message)
