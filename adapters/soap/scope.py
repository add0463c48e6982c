"""What prefixes mean in a whole message, where they mean the same everywhere; knows no plan."""

from collections.abc import Mapping

from lxml import etree

_XML = "http://www.w3.org/XML/1998/namespace"


def scope(content: bytes, payload: etree._Element) -> Mapping[str | None, str] | None:
    """Return the namespaces by prefix, None unless all are declared on the payload or above it.

    lxml makes a table for each element that is asked; a message without declarations further down needs one. There can
    be no more declarations than the bytes hold the word, in any encoding that holds ASCII as ASCII.
    """
    declared = 0
    for element in (payload, *payload.iterancestors()):
        above = element.getparent()
        outer = {} if above is None else above.nsmap
        declared += sum(1 for prefix, uri in element.nsmap.items() if outer.get(prefix) != uri and uri != _XML)
    return payload.nsmap if content.count(b"xmlns") == declared else None
