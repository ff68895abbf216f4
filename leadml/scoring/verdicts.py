"""Verdicts: what a model says of a block of leads, and the scored table made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadml.scored import BANDS, STAGES
from leadml.scoring.bands import Bands, assign_stages
from leadml.scoring.columns import Floats
from leadml.scoring.handoff import BANT_TEXTS
from leadml.scoring.scale import round_scores


@dataclass(frozen=True)
class Verdicts:
    """What a model says of a block of leads, an entry a lead.

    Attributes
    ----------
    raw_scores : array
        Before rounding and clipping.
    probability, fit, engagement : arrays
        NaN where the model has none.
    qualified : array of bool
    bant : array of int
        Places in `leadml.scoring.handoff.BANT_TEXTS`.
    reasons : list of Arrow arrays of texts
    points : array or None
        The sum of a rule book's points.
    unread : dict of text to array of bool
        What is wrong, and with which leads: values not of their column's kind, where training
        met none such.
    """

    raw_scores: Floats
    probability: Floats
    fit: Floats
    engagement: Floats
    qualified: NDArray[np.bool_]
    bant: NDArray[np.intp]
    reasons: Sequence[Any]
    points: Floats | None
    unread: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    def to_arrow(self, lead_ids: Any, bands: Bands, name: str, version: str) -> Any:
        """Return the scored table in Arrow; texts of few values are dictionaries."""
        n_leads = len(self.raw_scores)
        scores = round_scores(self.raw_scores)
        every = np.arange(101)
        band_of = _places(bands.assign(every), BANDS)
        stage_of = _places(assign_stages(every), STAGES)
        points = pa.nulls(n_leads, pa.float64()) if self.points is None else pa.array(self.points)
        columns = {
            "lead_id": lead_ids,
            "probability": _floats(self.probability),
            "score": pa.array(scores),
            "band": _texts(band_of[scores], BANDS),
            "stage": _texts(stage_of[scores], STAGES),
            "fit": _floats(self.fit),
            "engagement": _floats(self.engagement),
            "qualified": pa.array(self.qualified),
            "bant": _texts(self.bant, BANT_TEXTS),
            **{f"reason_{rank + 1}": texts for rank, texts in enumerate(self.reasons)},
            "points": points,
            "model": _texts(np.zeros(n_leads), (name,)),
            "version": _texts(np.zeros(n_leads), (version,)),
        }
        return pa.table(columns)


def as_plain(table: Any) -> Any:
    """Return an Arrow table with dictionaries as the texts they stand for."""
    for place, column in enumerate(table.schema):
        if pa.types.is_dictionary(column.type):
            plain = table.column(place).cast(column.type.value_type)
            table = table.set_column(place, column.name, plain)
    return table


def _places(values: NDArray[Any], texts: Sequence[str]) -> NDArray[np.int8]:
    return np.array([texts.index(value) for value in values], dtype=np.int8)


def _texts(places: NDArray[Any], texts: Sequence[str]) -> Any:
    indices = pa.array(np.asarray(places, dtype=np.int8))
    return pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.string()))


def _floats(values: Floats) -> Any:
    return pa.array(values, from_pandas=True)  # NaN is null
