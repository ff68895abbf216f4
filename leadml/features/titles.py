"""Read the rank and the business function out of job titles in five languages."""

import re
from functools import cache

import pandas as pd

from leadml.features._title_words import (
    FALLBACK_FUNCTION,
    FUNCTION,
    LINKS,
    RANK_PHRASES,
    SENIORITY,
)
from leadml.features._values import fold, map_unique

# what follows a title to name both genders, such as Leiter:in, Director/a or (m/w/d)
_GENDER_ENDINGS = re.compile(r"(?<=\w)\s?[:*/_·(-]{1,2}(innen|in|rice|trice|euse|ere|e|a|ka)\b\)?")
_GENDER_MARKS = re.compile(r"\(?\b[mwfdhx]([/|][mwfdhx])+\b\)?")
_INITIALS = re.compile(r"\b(\w)\.(?=\w\b)")


def compute_seniority(titles: pd.Series) -> pd.Series:
    """Return the rank that each job title names.

    Titles may be English, German, Polish, French or Spanish. The words before "of", "to", "für"
    and the like count first, so an "Assistant to the CEO" is an assistant. Of several ranks the
    first in the list below is taken, so a "Founder & CEO" is an owner.

    Parameters
    ----------
    titles : Series of str, shape (n_leads,)

    Returns
    -------
    Series of str, shape (n_leads,)
        'student', 'assistant', 'owner', 'c_level', 'vp', 'director', 'head', 'manager',
        'specialist', or 'other' where no word is known; NaN where the title is missing.

    Examples
    --------
    >>> compute_seniority(pd.Series(["VP of Sales", "Inhaberin", "Jefa de compras"])).tolist()
    ['vp', 'owner', 'head']
    """
    return map_unique(titles, find_seniority)


def compute_function(titles: pd.Series) -> pd.Series:
    """Return the business function that each job title names first.

    Parameters
    ----------
    titles : Series of str, shape (n_leads,)

    Returns
    -------
    Series of str, shape (n_leads,)
        'sales', 'marketing', 'finance', 'it', 'engineering', 'operations', 'hr', 'legal',
        'product', 'support', 'procurement', 'research', 'administration'; 'general_management'
        for those who run the whole company; 'other' where no word is known; NaN where missing.

    Examples
    --------
    >>> compute_function(pd.Series(["VP of Sales", "Leiter Einkauf", "Founder & CEO"])).tolist()
    ['sales', 'procurement', 'general_management']
    """
    return map_unique(titles, find_function)


def find_seniority(title: object) -> str | None:
    """Return the rank of one title; None where it holds no word."""
    words = _words(str(title))
    if not words:
        return None
    for rank, phrases in _patterns("rank_phrases").items():
        words = phrases.sub(rank, words)
    for part in (_link().split(words, maxsplit=1)[0], words):
        for rank, pattern in _patterns("seniority").items():
            if pattern.search(part):
                return rank
    return "other"


def find_function(title: object) -> str | None:
    """Return the business function of one title; None where it holds no word."""
    words = _words(str(title))
    if not words:
        return None
    found = [
        # the longest of the words that start first: "product marketing" is not product
        (match.start(), -match.end(), name)
        for name, pattern in _patterns("function").items()
        if (match := pattern.search(words))
    ]
    if found:
        return min(found)[2]
    fallbacks = _patterns("fallback_function").items()
    return next((name for name, pattern in fallbacks if pattern.search(words)), "other")


def _words(title: str) -> str:
    """Return a title's words as the word lists have them, with one blank between."""
    text = _GENDER_ENDINGS.sub("", _GENDER_MARKS.sub(" ", fold(title)))
    text = re.sub(r"[^\w&+]+|_", " ", _INITIALS.sub(r"\1", text))
    return _without_umlauts(text).strip()


def _without_umlauts(text: str) -> str:
    """Read "Geschaeftsfuehrer" as "Geschaftsfuhrer", which `fold` makes of the umlauts."""
    return re.sub(r"([aou])e", r"\1", text)


@cache
def _patterns(name: str) -> dict[str, re.Pattern[str]]:
    lists = {
        "rank_phrases": RANK_PHRASES,
        "seniority": SENIORITY,
        "function": FUNCTION,
        "fallback_function": FALLBACK_FUNCTION,
    }
    return {label: _pattern(terms) for label, terms in lists[name].items()}


@cache
def _link() -> re.Pattern[str]:
    return _pattern(LINKS, before=r"(?<=\w ) *")


def _pattern(terms: str, before: str = "") -> re.Pattern[str]:
    """Return what finds any of the terms as whole words, the longest first."""
    options = sorted({" ".join(term.split()) for term in terms.split(",")}, key=len, reverse=True)
    parts = [re.escape(_without_umlauts(term)).replace(r"\*", r"\w*") for term in options]
    return re.compile(rf"{before}\b(?:{'|'.join(parts)})(?!\w)")
