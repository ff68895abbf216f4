"""Read a TOML file, check it against a pydantic model, and say where each problem stands."""

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from leadml.errors import ConfigError, all_problems, did_you_mean

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*(?:"([^"]+)"|'([^']+)'|([A-Za-z0-9_-]+))\s*=""")


def read_toml(path: str | Path) -> dict[str, Any]:
    """Return a TOML file as a dictionary.

    Raises
    ------
    ConfigError
        Where the file does not exist or is not TOML.
    """
    path = Path(path)
    if not path.is_file():
        message = f"{path} does not exist. Pass the path of a TOML file."
        raise ConfigError(message)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path} is not valid TOML: {error}."
        raise ConfigError(message) from None


def validate_toml(path: str | Path, model: type[Model]) -> Model:
    """Read `path` and return it as a `model`; raise one error that lists every problem by line.

    Raises
    ------
    ConfigError
        Each problem with its line, table, key, the value met and what is accepted.
    """
    path = Path(path)
    values = read_toml(path)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        places = line_numbers(path.read_text(encoding="utf-8-sig"))
        problems = [_describe(details, places, model) for details in error.errors()]
        raise ConfigError(all_problems(str(path), problems)) from None


def line_numbers(text: str) -> dict[Place, int]:
    r"""Return the line of every table and key of a TOML text.

    Examples
    --------
    >>> line_numbers("[bands]\nhot = 65\n[[rules]]\nname = 'x'")
    {('bands',): 1, ('bands', 'hot'): 2, ('rules', 0): 3, ('rules', 0, 'name'): 4}
    """
    places: dict[Place, int] = {}
    table: Place = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header[2].strip("\"'")
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
                table = (name, counts[name])
            else:
                table = tuple(name.split("."))
            places.setdefault(table, number)
        elif key := _KEY.match(line):
            places.setdefault((*table, key[1] or key[2] or key[3]), number)
    return places


def line_of(place: Place, places: dict[Place, int]) -> int | None:
    """Return the line of `place`, or of the nearest table or key around it."""
    while place and place not in places and (*place, 0) not in places:
        place = place[:-1]
    return places.get(place, places.get((*place, 0)))


def _describe(details: ErrorDetails, places: dict[Place, int], model: type[BaseModel]) -> str:
    place = details["loc"]
    line = line_of(place, places)
    where = f"line {line}: " if line else ""
    name = _dotted(place)
    if details["type"] == "missing":
        return f"{where}{name} is missing. Add it."
    if details["type"] == "extra_forbidden":
        accepted = _fields_at(model, place[:-1])
        hint = did_you_mean(str(place[-1]), accepted)
        return f"{where}{name} is not known. Accepted: {', '.join(accepted)}.{hint}"
    reason = details["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if isinstance(details["input"], dict):  # a whole table: the reason names what met what
        return f"{where}{name}: {reason}"
    got = repr(details["input"])
    got = got if len(got) <= 60 else got[:57] + "..."
    hint = ""
    if details["type"] == "literal_error":
        accepted = re.findall("'([^']*)'", str(details.get("ctx", {}).get("expected", "")))
        hint = did_you_mean(str(details["input"]), accepted)
    return f"{where}{name} {reason.removesuffix('.')}. Got {got}.{hint}"


def _dotted(place: Place) -> str:
    """Return `('rules', 0, 'points')` as `[rules 1] points`, `('leads',)` as `[leads]`."""
    parts = [str(part + 1) if isinstance(part, int) else part for part in place]
    if not parts:
        return "the file"
    if len(parts) == 1 or isinstance(place[-1], int):
        return f"[{' '.join(parts)}]"
    return f"[{' '.join(parts[:-1])}] {parts[-1]}"


def _fields_at(model: type[BaseModel], place: Place) -> list[str]:
    """Return the keys accepted by the table at `place` of a model."""
    current: Any = model
    for part in place:
        if isinstance(part, int):
            continue
        field = current.model_fields.get(part)
        if field is None:
            return []
        current = field.annotation
        for inner in getattr(current, "__args__", ()):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                current = inner
        if not (isinstance(current, type) and issubclass(current, BaseModel)):
            return []
    return list(current.model_fields)
