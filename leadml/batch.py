"""Score a file of leads with a model folder, or with a rule book alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leadml.config import Config, load_config
from leadml.data.lead_table import LeadTable, read_table
from leadml.data.sources import write_table
from leadml.errors import ConfigError, DataError, all_problems, did_you_mean
from leadml.pipelines import MODEL, RULES, make_profile, make_rules, make_scorer
from leadml.registry.bundle import LeadModel, load_model
from leadml.registry.extras import check_extras
from leadml.rows import read_rows, read_rows_at
from leadml.scoring.rulebook import RuleBook, check_rules, load_rules
from leadml.scoring.scorer import LeadScorer


def open_scorer(
    source: str | Path,
    leads: str | Path | pd.DataFrame,
    *,
    by: str = MODEL,
    history: str | Path | None = None,
    at: str | pd.Timestamp | None = None,
) -> tuple[LeadScorer, LeadTable]:
    """Return a fitted scorer and the leads as it reads them.

    Parameters
    ----------
    source : str or Path
        A model folder, or a `rules.toml` with its `leadml.toml` beside it, which needs no history.
    leads : str, Path or DataFrame
        A table of leads; or, for a model that counts activities, the `leadml.toml` that names all
        tables: its open leads are scored.
    by : {"model", "rules"}, default="model"
        Which of the two of a model folder.
    history : str or Path, default=None
        The `leadml.toml` that names the activities, where `leads` is a table.
    at : str or Timestamp, default=None
        The day to look at the leads; see `leadml.rows.read_rows_at`.

    Raises
    ------
    LeadmlError
        Where there is no such thing, or the leads do not fit it.
    """
    return open_all(source, leads, by=by, history=history, at=at)[:2]


def open_all(
    source: str | Path,
    leads: str | Path | pd.DataFrame,
    *,
    by: str = MODEL,
    history: str | Path | None = None,
    at: str | pd.Timestamp | None = None,
) -> tuple[LeadScorer, LeadTable, LeadModel | None]:
    """Return what `open_scorer` does, and the model folder; None of a rule book alone."""
    source = Path(source)
    if source.suffix == ".toml":
        return *_open_rules(source, leads, at), None
    scorer, model = load_scorer(source, by=by)
    table, notes = read_rows_at(model.config, leads, history=history, at=at)
    return scorer, replace(table, notes=notes), model


def load_scorer(source: str | Path, *, by: str = MODEL) -> tuple[LeadScorer, LeadModel]:
    """Return the model or the rules of a model folder, and the whole folder.

    Raises
    ------
    LeadmlError
        Where there is no such folder, or no rule book in it.
    """
    model = load_model(source)
    if by == MODEL:
        return model.scorer, model
    if model.rules is None:
        message = f"{source} holds no rule book. Train with one: leadml train ... --rules FILE."
        raise DataError(message)
    return model.rules, model


def score_leads(
    source: str | Path,
    leads: str | Path | pd.DataFrame,
    out: str | Path | None = None,
    *,
    by: str = "model",
    n_reasons: int | None = None,
    history: str | Path | None = None,
    at: str | pd.Timestamp | None = None,
    extras: Sequence[str] = (),
    tell: Callable[[str], None] = lambda note: None,  # noqa: ARG005
) -> pd.DataFrame:
    """Score a table of leads and, where `out` is given, write the scored table.

    Parameters
    ----------
    source : str or Path
        A model folder, or a `rules.toml` with its `leadml.toml` beside it.
    leads : str, Path or DataFrame
    out : str or Path, default=None
        `.csv`, `.csv.gz`, `.parquet` or `.jsonl`.
    by : {"model", "rules"}, default="model"
    n_reasons : int, default=None
        None takes the model's own, 3.
    history, at : optional
        For a model that counts activities; see `open_scorer`.
    extras : sequence of {"value"}, default=()
        Columns to put behind those of the scored table; see `LeadModel.compute_extras`.
    tell : callable, default does nothing
        Called with what to know of the leads, such as how many came in later.

    Returns
    -------
    DataFrame of shape (n_leads, n_columns)
        The scored table, see `leadml.scored`.

    Raises
    ------
    LeadmlError
    """
    scorer, table, model = open_all(source, leads, by=by, history=history, at=at)
    check_extras(model, extras, by_rules=by == RULES)
    for note in table.notes:
        tell(note)
    if n_reasons is not None:
        scorer.set_params(n_reasons=n_reasons)
    scored = scorer.score_leads(table.X)
    if extras and model is not None:
        more = model.compute_extras(table.X, extras, scored["probability"])
        for name in more:
            scored[name] = more[name].to_numpy()
    if out is not None:
        write_table(scored, out)
    return scored


def explain_leads(
    source: str | Path,
    leads: str | Path | pd.DataFrame,
    lead_ids: Sequence[str],
    *,
    by: str = MODEL,
    history: str | Path | None = None,
    at: str | pd.Timestamp | None = None,
) -> list[tuple[pd.Series, pd.DataFrame]]:
    """Return for each lead asked for its scored row and its whole sum, line by line.

    Returns
    -------
    list of (Series, DataFrame)
        A row of the scored table, with the interval of a model that knows it (see
        `LeadModel.compute_extras`), and the lines that `LeadScorer.explain` gives.

    Raises
    ------
    DataError
        Naming every id that no lead has.
    """
    scorer, table, model = open_all(source, leads, by=by, history=history, at=at)
    ids = pd.Index(table.X.index.get_level_values("lead_id").astype(str))
    places = ids.get_indexer([str(lead_id) for lead_id in lead_ids])
    lacking = [lead for lead, place in zip(lead_ids, places, strict=True) if place < 0]
    if lacking:
        problems = [
            f"no lead has the id {lead!r}.{did_you_mean(str(lead), ids)}" for lead in lacking
        ]
        raise DataError(all_problems("The table of leads", problems))
    unsure = by == MODEL and model is not None and model.uncertainty is not None
    told = []
    for place in places:
        X = table.take(np.array([place])).X
        row = scorer.score_leads(X).iloc[0]
        if unsure and model is not None:
            row = pd.concat([row, model.compute_extras(X, ["interval"]).iloc[0]])
        told.append((row, scorer.explain(X)))
    return told


def check_book(
    path: str | Path,
    config: Config,
    leads: str | Path | pd.DataFrame | None = None,
    tables: Mapping[str, Any] | None = None,
) -> RuleBook:
    """Read a rule book and check it against the columns of its leads.

    Raises
    ------
    LeadmlError
        Every problem with its line.
    """
    load_rules(path)  # its own problems come first, without reading the leads
    table, config = read_rows(config, leads, tables)
    features = make_profile(config, keep_raw=True).fit(table.X).get_feature_names_out()
    return check_rules(path, features, config.features.exclude)


def _open_rules(
    path: Path, leads: str | Path | pd.DataFrame, at: str | pd.Timestamp | None
) -> tuple[LeadScorer, LeadTable]:
    beside = path.with_name("leadml.toml")
    if not beside.is_file():
        message = f"{path} needs a leadml.toml beside it, which says what the columns mean."
        raise ConfigError(message)
    config = load_config(beside)
    is_settings = not isinstance(leads, pd.DataFrame) and Path(leads).suffix == ".toml"
    if config.has_history:
        # the features that a training would have: a few leads alone would show fewer
        book = check_book(path, config)
        _, config = read_rows(config)
        table, notes = read_rows_at(config, leads, history=beside, at=at)
        table = replace(table, notes=notes)
    else:
        book = check_book(path, config, config.leads.path if is_settings else leads)
        table = read_table(config.leads.path if is_settings else leads, config)
    scorer = make_scorer(config, make_rules(config, book), name=RULES, rules=book)
    return scorer.fit(table.X), table
