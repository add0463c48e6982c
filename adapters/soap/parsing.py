"""From an answer's bytes to one well-formed XML document, hardened; knows no SOAP but where an envelope begins.

What makes parsing itself expensive is refused before the parser sees it: a DOCTYPE of any kind (fifty thousand
attribute declarations in one keep libxml2 busy for half a minute), encodings that could hide one, and elements with
attributes by the ten thousand.
"""

import codecs
import re
from itertools import islice
from typing import Literal

from lxml import etree

from adapters.soap.plan import XSI
from adapters.soap.tolerate import CHARSET, Leniency
from gateway import InvalidAnswer, mask_text

_ENCODINGS = {
    "utf-8": "UTF-8",
    "us-ascii": "US-ASCII",
    "ascii": "US-ASCII",
    "iso-8859-1": "ISO-8859-1",
    "windows-1252": "WINDOWS-1252",
}
_DECLARED = re.compile(rb"""<\?xml\s[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._:-]+)["'][^>]*\?>""")
_DECLARATION = re.compile(r"<\?xml\s[^>]*?\?>")
_ENVELOPE = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?Envelope(?=[\s>/])")
_BEGINNING = re.compile(rb"<\?xml\s|" + _ENVELOPE.pattern)
_ATTRIBUTE = re.compile(rb"=\s*[\"']")
_BLANK = re.compile(rb"\s*")
_SEARCHED = 64 * 1024
_MOST_BEFORE = 100
_MANY_ATTRIBUTES = 2_000
_ATTRIBUTES_EACH = 20
_HEAD = 1_000
_UNDECODABLE = 6003  # I18N_CONV_FAILED, which lxml has no name for
_UTF8_BOM = codecs.BOM_UTF8
_WIDE = (codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE, b"\x00<", b"<\x00")


def parse_answer(content: bytes, leniency: Leniency) -> etree._Element:
    """Return the document's root, without comments and processing instructions; raises InvalidAnswer saying why not."""
    content, encoding = _decodable(content, leniency)
    _refuse_costly(content)
    try:
        return _root(content, encoding)
    except etree.XMLSyntaxError as error:
        mended = _mended(content, error, leniency)
        if mended is content:
            raise invalid(_why_unreadable(content, error) + leniency.hint) from error
    except ValueError as error:
        raise invalid("can't be decoded") from error
    return _parsed_again(mended, encoding, leniency)


def _parsed_again(content: bytes, encoding: str, leniency: Leniency) -> etree._Element:
    """Parse what was mended, which may need the other mending as well."""
    if _DECLARED.match(content):
        encoding = _declared(content, encoding)
    _refuse_costly(content)
    try:
        return _root(content, encoding)
    except etree.XMLSyntaxError as error:
        mended = _mended(content, error, leniency)
        if mended is content:
            raise invalid(_why_unreadable(content, error) + leniency.hint) from error
    try:
        return _root(mended, encoding)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise invalid("is not well-formed XML, whatever is tolerated") from error


def _root(content: bytes, encoding: str) -> etree._Element:
    parser = etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    root = etree.fromstring(content, parser)
    document = root.getroottree().docinfo
    if document.internalDTD is not None or document.doctype:
        raise invalid("has a DOCTYPE, which SOAP forbids")
    return root


def _decodable(content: bytes, leniency: Leniency) -> tuple[bytes, str]:
    """Return the content in an encoding that is ASCII where XML's own signs are, and which one that is."""
    if content.startswith(_WIDE):
        return _narrowed(content), "UTF-8"
    if leniency.charset is not None:
        content = _in_its_charset(content, leniency)
    return content, _declared(content, "UTF-8")


def _declared(content: bytes, otherwise: str) -> str:
    found = _DECLARED.search(content, 0, _HEAD)
    if found is None or content.startswith(_UTF8_BOM):
        return otherwise
    name = found[1].decode("ascii")
    if name.lower() not in _ENCODINGS:
        raise invalid(f"is in {mask_text(name[:40])}, which is not read")
    return _ENCODINGS[name.lower()]


def _narrowed(content: bytes) -> bytes:
    """UTF-16 could hide from us what the parser sees, so it becomes UTF-8 first."""
    bom = content.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE))
    try:
        text = content.decode("utf-16" if bom else "utf-16-be" if content.startswith(b"\x00") else "utf-16-le")
    except UnicodeDecodeError as error:
        raise invalid("can't be decoded") from error
    return _undeclared(text)


def _undeclared(text: str) -> bytes:
    """Return a document as UTF-8, without the declaration, which would say something else."""
    declaration = _DECLARATION.match(text)
    return (text[declaration.end() :] if declaration else text).encode("utf-8", "surrogatepass")


def _in_its_charset(content: bytes, leniency: Leniency) -> bytes:
    """Read by the agency's charset what is not in the encoding that it says it is in, or that nobody says."""
    found = _DECLARED.search(content, 0, _HEAD)
    said = found[1].decode("ascii").lower() if found else "utf-8"
    if leniency.charset in {None, said} or content.isascii() or content.startswith(_UTF8_BOM):
        return content
    told = _decoded(content, said)
    if said == "utf-8" and told is not None:
        return content
    text = _decoded(content, str(leniency.charset))
    if text is None or text == told:
        return content
    leniency.used.add(CHARSET)
    # Junk may stand before the declaration, and is another matter.
    return _DECLARATION.sub("<?xml version='1.0'?>", text, count=1).encode()


def _decoded(content: bytes, charset: str) -> str | None:
    try:
        return content.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return None


def _refuse_costly(content: bytes) -> None:
    if b"<!" in content and (found := doctype(content)) != "none":
        is_html = content[:_HEAD].lower().lstrip(_UTF8_BOM + b" \t\r\n").startswith(b"<!doctype html")
        hidden = "has too much before its envelope" if found == "hidden" else "has a DOCTYPE, which SOAP forbids"
        raise invalid("is an HTML page" if is_html else hidden)
    if (signs := content.count(b"=")) > _MANY_ATTRIBUTES:
        most = _MANY_ATTRIBUTES + _ATTRIBUTES_EACH * content.count(b"<")
        if signs > most and any(True for _ in islice(_ATTRIBUTE.finditer(content), most, None)):
            raise invalid("has elements with thousands of attributes")


def doctype(content: bytes) -> Literal["none", "there", "hidden"]:
    """Tell whether there is a DOCTYPE before the root, or so much else that one could be hidden in it.

    The content is in an encoding that is ASCII where XML's own signs are.
    """
    at = len(_UTF8_BOM) if content.startswith(_UTF8_BOM) else 0
    for _ in range(_MOST_BEFORE):
        blank = _BLANK.match(content, at)
        at = blank.end() if blank else at
        if content.startswith(b"<?", at):
            end = content.find(b"?>", at) + 2
        elif content.startswith(b"<!--", at):
            end = content.find(b"-->", at + 4) + 3
        else:
            return "there" if content[at : at + 9].upper() == b"<!DOCTYPE" else "none"
        if end < at:
            return "none"
        at = end
    return "hidden"


def _mended(content: bytes, error: etree.XMLSyntaxError, leniency: Leniency) -> bytes:
    """Return the content without a deviation that the agency's section tolerates, itself where there is none."""
    if _code(error) == etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE:
        envelope = _ENVELOPE.search(content, 0, _SEARCHED)
        missing = "prefix xsi " in (error.msg or "")
        if envelope is None or not missing or not leniency.allows("undeclared-xsi"):
            return content
        return b'%b xmlns:xsi="%b"%b' % (content[: envelope.end()], XSI.encode(), content[envelope.end() :])
    beginning = _BEGINNING.search(content, 0, _SEARCHED)
    if beginning is None or beginning.start() == 0 or b"<!" in content[: beginning.start()]:
        return content
    return content[beginning.start() :] if leniency.allows("leading-junk") else content


def _why_unreadable(content: bytes, error: etree.XMLSyntaxError) -> str:
    start = content[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not content.strip():
        return "is empty"
    if start.startswith((b"<!doctype html", b"<html", b"<br", b"<b>")):
        return "is an HTML page"
    if b"<?xml" in start and not content.startswith((b"<?xml", b"\xef\xbb\xbf<?xml")):
        return "has something before its XML declaration; a PHP notice or a blank line in an included file does that"
    return _why_broken(error) if start.startswith(b"<") else "is text, not XML"


def _why_broken(error: etree.XMLSyntaxError) -> str:
    if _code(error) == etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE and "prefix xsi " in (error.msg or ""):
        return "uses the prefix xsi without declaring it"
    if _code(error) in {etree.ErrorTypes.ERR_INVALID_CHAR, etree.ErrorTypes.ERR_INVALID_ENCODING, _UNDECODABLE}:
        return f"is in another encoding than it says (set `charset`), or has what XML forbids: {_said(error)}"
    return f"is not well-formed XML: {_said(error)}"


def _code(error: etree.XMLSyntaxError) -> int:
    return int(getattr(error, "code", 0))


def _said(error: etree.XMLSyntaxError) -> str:
    return mask_text(error.msg or "")


def invalid(what: str) -> InvalidAnswer:
    """Return the error that says what an answer is or has."""
    return InvalidAnswer(f"the answer {what}", maybe_done=True)
