"""The model folder: JSON, TOML and LightGBM's text, hashed. Loading one runs no code."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

import leadml
from leadml.config import Config
from leadml.data.lead_table import LEAD_ID, SNAPSHOT_LEVEL, read_snapshot_index, read_table
from leadml.errors import DataError, ModelFolderError, all_problems, did_you_mean
from leadml.registry.extras import EXTRAS, check_extras
from leadml.registry.state import (
    scorer_from_dict,
    scorer_to_dict,
    value_from_dict,
    value_to_dict,
)
from leadml.scoring.engine import Choice
from leadml.scoring.scorer import LeadScorer
from leadml.scoring.uncertainty import Uncertainty
from leadml.scoring.value import FILE as VALUE_FILE
from leadml.scoring.verdicts import Verdicts, as_plain

# Raise it whenever a folder of the present version could not be read, or would score otherwise,
# in an older one. The keys "value" and "uncertainty" have not raised it: an older version leaves
# them alone and gives the scores it always gave, and a folder without them reads as a model without
# deal values and intervals.
FORMAT = 1
MODEL, SUMS = "model.json", "SHA256SUMS"
BOOSTERS = ("booster_*.txt", VALUE_FILE)


@dataclass(frozen=True)
class LeadModel:
    """A loaded model folder.

    Attributes
    ----------
    scorer : LeadScorer
        The learned model.
    rules : LeadScorer or None
        The rule book it was compared with, on the same scale.
    config : Config
        How tables of leads are read.
    info : dict
        What `model.json` says of the training: leads, wins, split, warnings, `no_signal`.
    value : Pipeline or None
        From raw columns to the value of a deal if it is won, where that was learned.
    uncertainty : Uncertainty or None
        How far the model's probabilities may be from the truth.
    """

    scorer: LeadScorer
    rules: LeadScorer | None
    config: Config
    info: Mapping[str, Any]
    value: Pipeline | None = None
    uncertainty: Uncertainty | None = None

    def score_leads(self, leads: str | Path | pd.DataFrame) -> pd.DataFrame:
        """Return the scored table of a file or frame of leads.

        Of a model that counts activities it takes what `build_features` returns, with its index
        or with `lead_id` and `snapshot_date` as columns.
        """
        if self.config.has_history and isinstance(leads, pd.DataFrame):
            levels = [LEAD_ID, SNAPSHOT_LEVEL]
            is_flat = set(levels) <= set(leads.columns)
            return self.scorer.score_leads(leads.set_index(levels) if is_flat else leads)
        return self.scorer.score_leads(read_table(leads, self.config).X)

    def score_arrow(
        self, table: Any, *, n_reasons: int | None = None, keep: Sequence[str] = ()
    ) -> Any:
        """Return the scored table of leads in Arrow, in Arrow; nothing is done row by row.

        Parameters
        ----------
        table : Arrow Table or RecordBatch
            With the columns that the config names; of a model that counts activities, what
            `build_features` returns, with `lead_id` and `snapshot_date` as columns.
        n_reasons : int, default=None
            None takes the model's own.
        keep : sequence of str, default=()
            Columns of the leads to put behind those of the scored table.

        Raises
        ------
        DataError
            Where columns or dates are missing.
        """
        scored, _ = score_columns(self.scorer, self.config, table, n_reasons=n_reasons)
        for name in keep:
            scored = scored.append_column(name, table.column(name))
        return as_plain(scored)

    def compute_extras(
        self, X: pd.DataFrame, which: Sequence[str], probability: Any = None
    ) -> pd.DataFrame:
        """Return columns to put behind the scored table.

        Parameters
        ----------
        X : DataFrame of shape (n_leads, n_columns)
            Raw columns, as `read_table` gives them.
        which : sequence of {"value", "interval"}
            `value` gives `deal_value` (if the deal is won) and `expected_value` (probability times
            deal value). `interval` gives `probability_lower` and `probability_upper` (95 %), and
            `abstain`: whether hardly any such lead was seen in training, `abstain_because` of what.
        probability : array of shape (n_leads,), default=None
            Of winning; None takes the model's own. Where it is NaN, so is the expected value.

        Returns
        -------
        DataFrame of shape (n_leads, n_extra_columns)
            With the index of `X`.

        Raises
        ------
        DataError
            Where the model has none of these.
        """
        check_extras(self, which)
        if probability is None:
            # scikit-learn's estimators refuse a table without rows
            mine = self.scorer.select(X)
            probability = self.scorer.predict_proba(mine)[:, 1] if len(X) else ()
        chance = np.asarray(probability, dtype=float)
        made = [EXTRAS[name].compute(self, X, chance) for name in dict.fromkeys(which)]
        columns = {name: part[name].array for part in made for name in part}
        return pd.DataFrame(columns, index=X.index)

    def score_one(self, lead: Mapping[str, Any]) -> dict[str, Any]:
        """Return the row of the scored table of one lead, given by the config's column names.

        Raises
        ------
        DataError
            Where columns are missing.
        """
        id_column, date_column = index_columns(self.config)
        date = lead.get(date_column) if date_column else None
        return self.scorer.score_one(lead, lead_id=lead.get(id_column), snapshot_date=date)


def score_columns(
    scorer: LeadScorer,
    config: Config,
    table: Any,
    *,
    n_reasons: int | None = None,
    explained: Choice | None = None,
) -> tuple[Any, Verdicts]:
    """Return the scored table of leads given in Arrow, by one of a model's two scorers.

    Raises
    ------
    DataError
        Where columns or dates are missing.
    """
    there = [str(name) for name in table.schema.names]
    id_column, date_column = index_columns(config)
    lacking = [name for name in (id_column, date_column) if name and name not in there]
    if lacking:
        problems = [f"{name!r} is missing.{did_you_mean(name, there)}" for name in lacking]
        message = f"{all_problems('The table of leads', problems)}\nIt has: {', '.join(there)}."
        raise DataError(message)
    index = None
    if date_column:
        index = read_snapshot_index(table.column(date_column).to_pandas().rename(date_column))
    columns = {name: table.column(name) for name in there}
    ids = table.column(id_column)
    return scorer.score_columns(columns, ids, index=index, n_reasons=n_reasons, explained=explained)


def index_columns(config: Config) -> tuple[str, str | None]:
    """Return the columns that say which lead a row is, and on which day, if one does."""
    if config.has_history:
        return LEAD_ID, SNAPSHOT_LEVEL
    return config.leads.id, config.leads.created


def save_model(
    folder: str | Path,
    model: LeadModel,
    files: Mapping[str, str] | None = None,
    *,
    overwrite: bool = False,
) -> Path:
    """Write a model folder, complete or not at all.

    Parameters
    ----------
    folder : str or Path
        A new folder.
    model : LeadModel
    files : dict of name to text, default=None
        More files to put into it: `rules.toml`, `metrics.json`, `card.md`, `report.html`, ...
    overwrite : bool, default=False
        Take the place of a model folder that is there.

    Raises
    ------
    ModelFolderError
        Where the folder is there and `overwrite` is not set, or it is no model folder.
    """
    folder = Path(folder)
    check_target(folder, overwrite=overwrite)
    texts = dict(files or {})
    state = {
        "format": FORMAT,
        "leadml": leadml.__version__,
        "info": dict(model.info),
        "config": _portable(model.config),
        "model": scorer_to_dict(model.scorer, texts),
        "rules": scorer_to_dict(model.rules, texts) if model.rules is not None else None,
    }
    if model.value is not None:
        state["value"] = value_to_dict(model.value, texts)
    if model.uncertainty is not None:
        state["uncertainty"] = model.uncertainty.to_dict()
    texts[MODEL] = json.dumps(state, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    part.mkdir(parents=True)
    try:
        for name, text in texts.items():
            (part / name).write_text(text, encoding="utf-8", newline="\n")
        lines = [f"{_hash(part / name)}  {name}\n" for name in sorted(texts)]
        (part / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")
        if folder.exists():
            # aside first: there is a complete model at every moment but between two renames
            old = part.with_suffix(".old")
            folder.rename(old)
            part.rename(folder)
            shutil.rmtree(old)
        else:
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def load_model(folder: str | Path) -> LeadModel:
    """Load a model folder: check format and hashes first, then parse; nothing is executed.

    Raises
    ------
    ModelFolderError
        Where the folder is not there, of a newer format, or not as it was written.
    """
    folder = Path(folder)
    state = check_folder(folder)
    texts = {path.name: path.read_text(encoding="utf-8") for path in _find_boosters(folder)}
    rules = state["rules"]
    value, unsure = state.get("value"), state.get("uncertainty")
    return LeadModel(
        scorer=scorer_from_dict(state["model"], texts),
        rules=scorer_from_dict(rules, texts) if rules is not None else None,
        config=Config.model_validate(state["config"]),
        info=state["info"],
        value=None if value is None else value_from_dict(value, texts),
        uncertainty=None if unsure is None else Uncertainty.from_dict(unsure),
    )


def check_folder(folder: str | Path) -> dict[str, Any]:
    """Raise where a model folder is not complete and unchanged; return its `model.json`.

    Raises
    ------
    ModelFolderError
        Naming every file that is missing or was changed.
    """
    folder = Path(folder)
    if not (folder / MODEL).is_file() or not (folder / SUMS).is_file():
        message = (
            f"{folder} is no model folder: it lacks {MODEL} or {SUMS}. "
            "Pass the folder that `leadml train --out` wrote."
        )
        raise ModelFolderError(message)
    try:
        state = json.loads((folder / MODEL).read_text(encoding="utf-8"))
        found = state["format"]
    except (ValueError, KeyError, TypeError):
        message = f"{folder / MODEL} is not readable. Restore the folder from where it was written."
        raise ModelFolderError(message) from None
    if found != FORMAT:
        message = (
            f"{folder} has format {found!r}; this leadml reads format {FORMAT}. "
            "Train the model again, or install the leadml version that wrote it "
            f"({state.get('leadml')})."
        )
        raise ModelFolderError(message)
    problems = []
    for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
        wanted, _, name = line.partition("  ")
        path = folder / name
        if Path(name).name != name or not path.is_file():
            problems.append(f"{name} is missing")
        elif _hash(path) != wanted:
            problems.append(f"{name} was changed")
    listed = {line.partition("  ")[2] for line in (folder / SUMS).read_text().splitlines()}
    needed = {MODEL, *(path.name for path in _find_boosters(folder))}
    problems += [f"{name} is not listed in {SUMS}" for name in sorted(needed - listed)]
    if problems:
        message = (
            f"{folder} is not as it was written: {', '.join(problems)}. "
            "Restore it, or train the model again."
        )
        raise ModelFolderError(message)
    return dict(state)


def _find_boosters(folder: Path) -> list[Path]:
    return [path for pattern in BOOSTERS for path in folder.glob(pattern)]


def check_target(folder: str | Path, *, overwrite: bool) -> None:
    """Raise where a model cannot be written to `folder`, before any work is done.

    Raises
    ------
    ModelFolderError
    """
    folder = Path(folder)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / MODEL).is_file():
        message = f"{folder} exists and is no model folder. Choose another name for the model."
        raise ModelFolderError(message)
    if not overwrite:
        message = f"{folder} holds a model already. Choose another name, or pass --overwrite."
        raise ModelFolderError(message)


def _portable(config: Config) -> dict[str, Any]:
    """Return a config without the folders and hosts that its tables were read from."""
    return config.with_paths(lambda source: Path(source).name).model_dump()


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
