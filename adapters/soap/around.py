"""The header blocks of an envelope as people are shown them: no password, and of what is long its length."""

from lxml import etree

from gateway import Document

_SECRET = frozenset({"Password"})
_LONG = frozenset({"BinarySecurityToken", "CipherValue", "DigestValue", "Nonce", "SignatureValue"})


def around(envelope: bytes) -> Document:
    """Return the header blocks of an envelope that we wrote, by name."""
    root = etree.fromstring(envelope)
    header = next((child for child in root if etree.QName(child).localname == "Header"), None)
    return {} if header is None else _children(header)


def _children(element: etree._Element) -> Document:
    found: dict[str, object] = {}
    for child in element:
        name = etree.QName(child).localname
        shown = _shown(child, name)
        known = found.get(name)
        found[name] = shown if known is None else [*(known if isinstance(known, list) else [known]), shown]
    return found


def _shown(element: etree._Element, name: str) -> object:
    if len(element):
        return _children(element)
    text = element.text or ""
    if name in _SECRET:
        return "***"
    if name in _LONG:
        return f"({len(text)} characters)"
    return text or {etree.QName(key).localname: value for key, value in element.attrib.items()}
