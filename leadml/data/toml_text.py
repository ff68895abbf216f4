"""Write TOML texts, comments and tables that people will edit."""

import json
from collections.abc import Iterable, Mapping
from typing import Any


def quoted(value: str | float | bool) -> str:
    r"""Return a value as TOML.

    Examples
    --------
    >>> print(quoted('the "old" C:\\ drive'), quoted(2.0), quoted(True))
    "the \"old\" C:\\ drive" 2 true
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value:.12g}"
    # a JSON text is a TOML text, but for the one control character that JSON leaves as it is
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def listed(values: Iterable[str | float | bool]) -> str:
    """Return values as a TOML array on one line.

    Examples
    --------
    >>> listed(["a", "b"])
    '["a", "b"]'
    """
    return "[" + ", ".join(map(quoted, values)) + "]"


def comment(text: str) -> str:
    r"""Return a text as one comment, without the line breaks and controls that would end it.

    Examples
    --------
    >>> comment("held 'a\nb'\x07")
    "# held 'a b'"
    """
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return "# " + " ".join(plain.split())


def entry(key: str, value: str, note: str = "") -> str:
    """Return one `key = value` line with its note behind it.

    Examples
    --------
    >>> entry("id", '"lead_id"', "the id")
    'id = "lead_id"  # the id'
    """
    return f"{key} = {value}" + (f"  {comment(note)}" if note else "")


def table(name: str, pairs: dict[str, str]) -> list[str]:
    """Return the lines of a table of quoted keys; none where it is empty."""
    rows = [f"{quoted(key)} = {value}" for key, value in pairs.items()]
    return ["", f"[{name}]", *rows] if rows else []


def array_table(name: str, values: Mapping[str, Any], note: str = "") -> list[str]:
    r"""Return the lines of one `[[name]]` table, with a note above it.

    Examples
    --------
    >>> print("\n".join(array_table("rules", {"is_in": ["a", "b"], "points": 3.0}, "why")))
    # why
    [[rules]]
    is_in = ["a", "b"]
    points = 3
    """
    head = [comment(note)] if note else []
    texts = {
        key: listed(value) if isinstance(value, list) else quoted(value)
        for key, value in values.items()
    }
    return [*head, f"[[{name}]]", *(entry(key, text) for key, text in texts.items())]
