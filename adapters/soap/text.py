"""Text as XML takes it: what it can't hold, and what must be escaped; knows no types."""

import re

# XML 1.0 section 2.2: what no document can hold, not even as a character reference.
CONTROL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# That, and what must be escaped.
SPECIAL = re.compile("[^\t\n\u0020-%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# The same within double quotes, where line ends and tabs would become blanks.
QUOTED = re.compile("[^ !#-%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(text: str) -> str:
    """Return text as an element's content."""
    # A bare carriage return would reach the other side as a line feed (XML 1.0 section 2.11).
    if "&" in text or "<" in text or ">" in text or "\r" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return text


def as_attribute(text: str) -> str:
    """Return text as an attribute's value, to be put between double quotes."""
    return escaped(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
