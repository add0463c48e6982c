"""Elements that no schema describes, as documents: text, or fields by local name; knows no plan."""

from collections.abc import Callable
from typing import Any

from lxml import etree

from adapters.soap.lexical import BLANKS
from adapters.soap.plan import NIL, TEXT
from gateway import Document

MOST_ATTRIBUTES = 100  # reading them one by one costs quadratic time in lxml

Markup = Callable[[str], bool]
"""Whether an attribute, by its Clark name, says nothing that belongs into a document."""


class Unheld(ValueError):
    """Something that a document has no place for; its text says what was expected instead."""


def whole(element: etree._Element, is_markup: Markup) -> Any:
    """Return all that an element says, attributes as `@name`; raises Unheld for what would be lost."""
    if element.get(NIL) in {"true", "1"}:
        return None
    attributes = _attributes(element, is_markup)
    if not len(element):
        text = element.text or ""
        return {**attributes, TEXT: text} if attributes else text
    if stray_text(element):
        raise Unheld("text or elements, not both")
    return {**attributes, **fields(element, lambda child: whole(child, is_markup))}


def told(element: etree._Element) -> Any:
    """Return what an element tells people: of text its text alone, whatever its attributes; never fails."""
    if element.get(NIL) in {"true", "1"}:
        return None
    if not len(element):
        return element.text or ""
    text = stray_text(element)
    return {**fields(element, told), **({TEXT: text} if text else {})}


def fields(element: etree._Element, read: Callable[[etree._Element], Any]) -> Document:
    """Return an element's children by local name, a repeated name as a list."""
    found: dict[str, list[Any]] = {}
    for child in element:
        found.setdefault(etree.QName(child).localname, []).append(read(child))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def stray_text(element: etree._Element) -> str:
    """Return the text that stands beside an element's children."""
    return "".join(filter(None, (element.text, *(child.tail for child in element)))).strip(BLANKS)


def as_xml(element: etree._Element) -> str:
    """Return an element as XML that stands for itself, with the namespaces that it names and no others.

    Raises Unheld for one in a namespace that is no address on its own.
    """
    text = etree.tostring(element, encoding="unicode", with_tail=False)
    named = [prefix for prefix in element.nsmap if prefix and f"{prefix}:" in text]
    try:
        return _canonical(element, named)
    except etree.C14NError as error:  # Canonical XML 1.1 section 1.3: relative namespaces have no canonical form
        raise Unheld("absolute namespaces") from error


def _canonical(element: etree._Element, named: list[str]) -> str:
    return etree.tostring(element, method="c14n", exclusive=True, inclusive_ns_prefixes=named, with_tail=False).decode()


def _attributes(element: etree._Element, is_markup: Markup) -> dict[str, str]:
    if not element.attrib:
        return {}
    if len(element.attrib) > MOST_ATTRIBUTES:
        raise Unheld(f"at most {MOST_ATTRIBUTES} attributes")
    kept = [(str(tag), str(text)) for tag, text in element.attrib.items() if not is_markup(str(tag))]
    named = {f"@{tag.rpartition('}')[2]}": text for tag, text in kept}
    if len(named) < len(kept):
        raise Unheld("attributes of different local names")
    return named
