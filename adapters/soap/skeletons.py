"""The skeletons of one operation's answers: what is tried before an answer is parsed; forgets and gives up."""

from datetime import tzinfo
from typing import Any, NamedTuple

from lxml import etree

from adapters.soap.learn import learnt
from adapters.soap.plan import Field, MessagePlan
from adapters.soap.skeleton import Content, Unlearnable, together
from adapters.soap.skeleton_source import Read, reads
from gateway import Document

_MOST = 4
_MOST_LEARNT = 40
"""After so many an operation's answers are taken for ever different ones, and not learnt from any more."""
_ENCODINGS = {"utf-8": "utf-8", "us-ascii": "ascii", "iso-8859-1": "latin-1", "windows-1252": "cp1252"}
"""Python's names of those that answers are parsed in."""


class _Known(NamedTuple):
    before: str
    content: Content
    after: str
    plain: Read
    escaped: Read


class Skeletons:
    """Those of one message, the one that matched last first; several threads may read and learn."""

    __slots__ = ("_encoding", "_known", "_learnt", "_zone")

    def __init__(self, zone: tzinfo | None) -> None:
        self._known: tuple[_Known, ...] = ()
        self._learnt = 0
        self._encoding = ""
        self._zone = zone

    def read(self, content: bytes, charset: str | None = None) -> Document | None:
        """Return the document of an answer that matches wholly and has only right values, else None.

        Where its agency has a `charset`, what an answer that is not UTF-8 says of itself is not to be believed.
        """
        if not self._known or (charset and self._encoding != "utf-8" and not content.isascii()):
            return None
        try:
            text = content.decode(self._encoding)
            if not text.isascii() and ("\ufffe" in text or "\uffff" in text):
                return None
            for known in self._known:
                found = (known.escaped if "&" in text else known.plain)(text, 0)
                if found is not None and found[1] == len(text):
                    document: Document = found[0]
                    return document
        except ValueError:
            """Of another encoding, or with a value that is not right at once."""
        return None

    def learn(self, content: bytes, root: etree._Element, payload: Field, document: Any) -> None:
        """Learn from an answer that deviates in nothing, if what is learnt reads it the same."""
        if self._learnt >= _MOST_LEARNT or payload.shape is None:
            return
        encoding = _ENCODINGS.get((root.getroottree().docinfo.encoding or "utf-8").lower(), "")
        if not encoding or (self._known and encoding != self._encoding):
            return
        self._learnt += 1
        try:
            text = content.decode(encoding)
            before, inside, after = learnt(text, root, payload.shape)
            known, others = self._joined(before, inside, after)
            if (known.escaped if "&" in text else known.plain)(text, 0) != (document, len(text)):
                return
        except (Unlearnable, ValueError):
            return
        self._encoding = encoding
        self._known = (known, *others)[:_MOST]

    def _joined(self, before: str, inside: Content, after: str) -> tuple[_Known, tuple[_Known, ...]]:
        """Return a skeleton with what one of the same markup has besides, where they go together, and the others."""
        others = self._known
        for one in self._known:
            if (one.before, one.after) == (before, after) and (both := together(one.content, inside)) is not None:
                inside, others = both, tuple(each for each in self._known if each is not one)
                break
        plain, escaped = (reads(before, inside, after, zone=self._zone, escaped=way) for way in (False, True))
        return _Known(before, inside, after, plain, escaped), others


def skeletons_of(plan: MessagePlan, zone: tzinfo | None) -> Skeletons:
    """Return the skeletons of a message whose times without a zone are of this one."""
    found: Skeletons | None = plan.kept.get(("skeletons", zone))
    if found is None:
        found = plan.kept["skeletons", zone] = Skeletons(zone)
    return found
