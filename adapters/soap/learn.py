"""From an answer that was read with every check to its skeleton; refuses whatever a skeleton could get wrong."""

import re
from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from adapters.soap.plan import ENCODING, NIL, XSI, Field, Shape
from adapters.soap.quick import is_plain
from adapters.soap.skeleton import Content, Form, Piece, Start, Unlearnable, joined
from adapters.soap.skeleton_source import reads_items
from adapters.soap.table import is_usual, table_of

_START = re.compile(r"""<[^\W\d][^<>"']*(?:"[^"<]*"[^<>"']*|'[^'<]*'[^<>"']*)*>""")
_ATTRIBUTE = re.compile(r"""(?<=\s)([^\s=<>"']+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_END = re.compile(r"</[^<>]*>")
_BLANK = re.compile(r"[ \t\r\n]*")
_MOST_WALKED = 2_000
_WALKED_FIRST = 20
"""Items of a list that are looked at one by one before the rest is tried by what they have in common."""
_ENCODINGS = tuple(f"{{{uri}}}" for uri in ENCODING.values())


def learnt(text: str, payload: etree._Element, shape: Shape) -> tuple[str, Content, str]:
    """Return what is before a payload's content, that, and what is after it; raises Unlearnable."""
    if text.count("<!") or text.count("<?") > text.startswith("<?xml"):
        raise Unlearnable
    walk = _Walk(text)
    place = sum(1 for _ in _before(payload))
    start = next(found for number, found in enumerate(_START.finditer(text)) if number == place)
    if start[0].endswith("/>"):
        return text[: start.end()], Content(shape=shape), text[start.end() :]
    content, end = walk.content(payload, shape, start.end())
    return text[: start.end()], content, text[end:]


def _before(payload: etree._Element) -> Iterator[etree._Element]:
    for element in payload.getroottree().getroot().iter():
        if element is payload:
            return
        yield element


class _Walk:
    """One answer's elements beside its text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._walked = 0

    def content(self, element: etree._Element, shape: Shape, at: int) -> tuple[Content, int]:
        """Return what is inside an element, and where that ends."""
        if shape.text is not None or shape.odd:
            raise Unlearnable
        pieces: dict[str, Piece] = {}
        last, count = "", 0
        children = iter(element)
        for child in children:
            field = _field(shape, child)
            piece, at = self._piece(child, field, at)
            if field.name in pieces and (not field.many or last != field.name):
                raise Unlearnable
            pieces[field.name] = joined(pieces.get(field.name, piece), piece)
            count = count + 1 if last == field.name else 1
            last = field.name
            if count == _WALKED_FIRST:
                at = self._skipped(pieces[field.name], children, at)
        blank, at = self._taken(_BLANK, at)
        return Content(shape=shape, pieces=tuple(pieces.values()), blank=blank), at

    def _skipped(self, piece: Piece, children: Iterator[etree._Element], at: int) -> int:
        found = reads_items(piece)(self._text, at)
        if found is None:
            return at
        items, end = found
        for _ in items:
            next(children)
        return end

    def _piece(self, child: etree._Element, field: Field, at: int) -> tuple[Piece, int]:
        self._walked += 1
        if self._walked > _MOST_WALKED:
            raise Unlearnable
        blank, at = self._taken(_BLANK, at)
        start, at = self._taken(_START, at)
        form: Form = "null" if _is_null(child, field) else "text"
        piece = Piece(field=field, blank=blank, forms=((form, _held(start, field)),))
        if form == "null":
            end, at = ("", at) if start.endswith("/>") else self._taken(_END, at)
            if len(piece.forms[0][1]) > 1:
                raise Unlearnable
            return replace(piece, forms=(("null", (start + end,)),)), at
        if field.shape is None or field.shape.text is not None:
            return self._text_piece(piece, start, at)
        if start.endswith("/>"):
            return replace(piece, inner=Content(shape=field.shape)), at
        inner, at = self.content(child, field.shape, at)
        end, at = self._taken(_END, at)
        return replace(piece, inner=inner, end=end), at

    def _text_piece(self, piece: Piece, start: str, at: int) -> tuple[Piece, int]:
        if start.endswith("/>"):
            return replace(piece, forms=(("empty", piece.forms[0][1]),)), at
        end, after = self._taken(_END, self._text.find("<", at))
        return replace(piece, end=end), after

    def _taken(self, what: re.Pattern[str], at: int) -> tuple[str, int]:
        found = what.match(self._text, at)
        if found is None:
            raise Unlearnable
        return found[0], found.end()


def _field(shape: Shape, child: etree._Element) -> Field:
    if shape.item is not None:
        field = shape.fields[0]
        if not is_usual(field):
            raise Unlearnable
    else:
        row = table_of(shape).rows.get(str(child.tag))
        if row is None:
            raise Unlearnable
        field = row[0]
    type_ = f"{{{XSI}}}type"
    held = {} if field.shape is None else field.shape.by_attribute
    for tag in map(str, child.attrib):
        known = tag == NIL or (tag == type_ and not field.variants) or tag.startswith(_ENCODINGS)
        if not known and (tag not in held or not _is_held(held[tag])):
            raise Unlearnable
    if field.shape is not None and field.shape.text is not None and not _is_held(field.shape.text):
        raise Unlearnable
    return field


def _is_held(field: Field) -> bool:
    """Tell whether a skeleton can hold an attribute, or the text beside one; a prefix may mean anything."""
    return is_plain(field) and field.kind != "any" and not field.tag.startswith("{")


def _held(start: str, field: Field) -> Start:
    """Return a start tag with the declared attributes' values taken out."""
    held = {} if field.shape is None else field.shape.by_attribute
    parts, at = [], 0
    for found in _ATTRIBUTE.finditer(start):
        if found[1] in held:
            begin, end = found.span(2 if found[2] is not None else 3)
            parts += [start[at:begin], held[found[1]].name]
            at = end
    return (*parts, start[at:])


def _is_null(child: etree._Element, field: Field) -> bool:
    said = child.get(NIL)
    if said is not None and (said not in {"true", "1"} or not field.nillable):
        raise Unlearnable
    return said is not None
