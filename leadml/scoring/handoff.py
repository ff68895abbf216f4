"""The hand-off: which leads marketing passes to sales, and which BANT questions are answered."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadml.config import BantColumns, HandoffTable
from leadml.errors import DataError
from leadml.scoring.columns import TextColumn
from leadml.scoring.lookups import Look
from leadml.scoring.rulebook import TRUE_TEXTS, RuleBook

NOT_MET = ("no", "false", "0", "n", "f", "none", "nein", "non", "nie")

# codes: 0 another text, 1 one of the words, 2 missing
_EMPTY = TextColumn("", "", ("",), whole=True)
_YES = TextColumn("", "", TRUE_TEXTS, whole=True)
_NO = TextColumn("", "", NOT_MET, whole=True)

Codes = Mapping[Hashable, NDArray[Any]]
Mask = NDArray[np.bool_]


class Handoff:
    """The hand-off policy, BANT and disqualifying rules, on codes of the columns they read.

    Parameters
    ----------
    policy : HandoffTable or None
    bant : BantColumns or None
    book : RuleBook or None
        Its `disqualify` and BANT rules.
    """

    def __init__(
        self, policy: HandoffTable | None, bant: BantColumns | None, book: RuleBook | None
    ) -> None:
        self._policy = policy or HandoffTable()
        self._columns = (bant or BantColumns()).columns()
        self._disqualify = [rule for rule in book.rules if rule.disqualify] if book else []
        self._bant = book.find_bant_rules() if book else {}

    def looks(self, raw: Sequence[str], features: Sequence[str]) -> list[Look]:
        """Return what is read, of raw columns where there is one of the name, else of features.

        Raises
        ------
        DataError
            Where the policy names a column that is neither.
        """
        policy = self._policy
        named = [*policy.required, *policy.sales_ready]
        lacking = [name for name in named if name not in raw and name not in features]
        if lacking:
            message = f"The hand-off policy names columns that the leads do not have: {lacking}."
            raise DataError(message)
        wanted: dict[Hashable, tuple[str, Any]] = {}
        for name in [*policy.required, *self._columns.values()]:
            wanted["empty", name] = name, _EMPTY
        for name in policy.sales_ready:
            wanted["yes", name] = name, _YES
        for name in self._columns.values():
            wanted["no", name] = name, _NO
        for rule in [*self._disqualify, *(rule for rules in self._bant.values() for rule in rules)]:
            wanted["rule", rule.name] = rule.column, rule.compile(rule.name)[0]
        return [Look(key, column, name, raw=name in raw) for key, (name, column) in wanted.items()]

    @property
    def needs_points(self) -> bool:
        """Whether `fit` or `engagement` decide who is qualified."""
        return self._policy.min_fit > 0 or self._policy.min_engagement > 0

    def find_qualified(self, codes: Codes, fit: Any, engagement: Any) -> Mask:
        """Return which leads pass the policy, shape (n_leads,)."""
        policy = self._policy
        qualified = np.ones(len(fit), dtype=bool)
        # a minimum of 0 asks for nothing, of a classifier without reasons (NaN) neither
        for values, least in ((fit, policy.min_fit), (engagement, policy.min_engagement)):
            if least > 0:
                qualified &= np.asarray(values) >= least
        for name in policy.required:
            qualified &= codes["empty", name] == 0
        if policy.sales_ready:
            qualified &= np.any([codes["yes", name] == 1 for name in policy.sales_ready], axis=0)
        for rule in self._disqualify:
            qualified &= ~self._fires(rule, codes)
        return qualified

    def find_bant(self, codes: Codes, n_leads: int) -> NDArray[np.intp]:
        """Return the BANT letters of each lead as places in `BANT_TEXTS`, shape (n_leads,).

        The rule book's BANT rules say when a letter is met. A letter without rules is met where
        its column is filled with anything but a no.
        """
        met = {
            letter: (codes["empty", name] == 0) & (codes["no", name] == 0)
            for letter, name in self._columns.items()
        }
        for letter, rules in self._bant.items():
            met[letter] = np.any([self._fires(rule, codes) for rule in rules], axis=0)
        places = np.zeros(n_leads, dtype=np.intp)
        if not met:
            return places
        for place, letter in enumerate("BANT"):
            places += met.get(letter, np.zeros(n_leads, dtype=bool)) * np.intp(1 << place)
        return places + 1

    @staticmethod
    def _fires(rule: Any, codes: Codes) -> Mask:
        fires: Mask = rule.compile(rule.name)[1][codes["rule", rule.name]]
        return fires


def _bant_texts() -> tuple[str, ...]:
    """Return an empty text for no BANT columns, then the letters met, by their bits."""
    texts = [
        "".join(letter if met >> place & 1 else "-" for place, letter in enumerate("BANT"))
        for met in range(16)
    ]
    return ("", *texts)


BANT_TEXTS = _bant_texts()
