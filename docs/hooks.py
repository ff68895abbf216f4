"""What MkDocs does to a page beside its plugins."""

import re
from typing import Any

_NO_DESCRIPTION = re.compile(r'–\s*<div class="doc-md-description">\s*</div>')


def on_page_content(html: str, **_: Any) -> str:
    """Take out the dash behind a parameter whose name and type say all."""
    return _NO_DESCRIPTION.sub("", html)
