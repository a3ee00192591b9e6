"""Text from elsewhere, made safe for the places of a page that read markdown.

Streamlit interprets markdown in headings, captions, alerts, badges, labels and metric values.
`st.text` and table cells print text as it is and need none of this.
"""

from __future__ import annotations

import string
from urllib.parse import urlsplit

#: After a colon or at sign an invisible joiner keeps addresses from becoming links.
_JOINER = "\u2060"
_ESCAPED = {ord(mark): "\\" + mark for mark in string.punctuation}
_ESCAPED |= {ord(mark): "\\" + mark + _JOINER for mark in ":@"}


def literal(text: object) -> str:
    """The text so that markdown prints it letter by letter, on one line.

    A backslash before any punctuation mark makes markdown, Streamlit's directives and formulas
    print the mark itself; web and mail addresses stay text.
    """
    visible = "".join(c if c.isprintable() else " " for c in str(text))
    return " ".join(visible.split()).translate(_ESCAPED).replace("www", f"w{_JOINER}ww")


def web_link(url: object) -> str | None:
    """The URL if it is a plain web address, else None: no other scheme becomes a link."""
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None
