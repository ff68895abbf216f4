"""Text files that verbs write."""

import os
from pathlib import Path

from leadml.errors import DataError


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all.

    Raises
    ------
    DataError
        Where its folder does not exist, or it cannot be written.
    """
    if not path.parent.is_dir():
        message = f"The folder {path.parent} does not exist. Create it, or write elsewhere."
        raise DataError(message)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}. Write elsewhere."
        raise DataError(message) from None
    finally:
        part.unlink(missing_ok=True)
