"""What both directions share where a server has no WSDL and messages say their types themselves; knows no lxml."""

from dataclasses import dataclass
from datetime import tzinfo

from adapters.soap.plan import Soap

APACHE = "http://xml.apache.org/xml-soap"
PERL = "http://namespaces.soaplite.com/perl"
RETURN = "return"
"""What the first value of an answer is called: SOAP 1.1 section 7.1 gives no meaning to the name it comes with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """How one server speaks: its methods' namespace, how objects are written, what base64 stands for.

    `binary` are the dotted paths that hold binary data, lists add no step; with `base64_text`, charsets of which
    the first that fits is taken, base64 anywhere else is text. With `digits`,
    numbers come as text.
    """

    soap: Soap
    namespace: str
    maps: bool = False
    binary: frozenset[str] = frozenset()
    base64_text: tuple[str, ...] = ()
    digits: bool = False
    zone: tzinfo | None = None
