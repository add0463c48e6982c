"""The types that the elements of one answer say they are of (xsi:type), held against the declared ones."""

from lxml import etree

from adapters.soap.lexical import derives
from adapters.soap.plan import ENCODING, XSD, XSI, Field, MessagePlan
from adapters.soap.scope import scope
from adapters.soap.tolerate import Leniency
from adapters.soap.values import Values

TYPE = f"{{{XSI}}}type"
TYPE_NAMESPACES = frozenset({XSD, "http://www.w3.org/1999/XMLSchema", "http://www.w3.org/2000/10/XMLSchema"})
_USUAL_NAMESPACES = 30
_MOST_NAMESPACES = 50_000  # looked through beyond those that are usual, in one answer


class Said:
    """What prefixes mean, and which types have fitted before."""

    def __init__(
        self,
        plan: MessagePlan,
        content: bytes,
        payload: etree._Element | None,
        values: Values,
        leniency: Leniency,
    ) -> None:
        self._scope = scope(content, payload) if plan.encoded and payload is not None else None
        self._fitting: set[tuple[str | None, int]] = set()
        self._looked_through = 0
        self._values = values
        self._leniency = leniency

    def is_usual(self, field: Field, element: etree._Element) -> bool:
        """Tell whether an element's only attribute names a type that fitted before, where prefixes mean the same."""
        if self._scope is None or len(element.attrib) > 1:
            return False
        said = (element.get(TYPE), id(field))
        if said in self._fitting:
            return True
        before = len(self._values.errors)
        self.check(field, element, "")
        fits = self._values.is_right(before) and said[0] is not None
        if fits:
            self._fitting.add(said)
        return fits

    def check(self, field: Field, element: etree._Element, path: str) -> None:
        """xsi:type must name the declared type, or for a simple one its built-in base or a restriction of that."""
        declared = element.get(TYPE)
        if declared is None or field.kind == "any" or field.members or field.listed:
            return
        namespace, name = self.resolved(declared, element, path)
        if (namespace, name) == field.xsi:
            return
        if field.shape is not None:
            fits = field.shape.item is not None and (namespace, name) in {(uri, "Array") for uri in ENCODING.values()}
        else:
            plain = namespace in TYPE_NAMESPACES or namespace in ENCODING.values()
            fits = plain and (derives(name, field.type) or derives(field.type, name))
            # What is encoded must be decoded: of binary nothing can be taken for something else.
            fits = fits or (plain and "Binary" not in name + field.type and self._leniency.allows("guessed-types"))
        if not fits:
            wanted = field.xsi[1] if field.xsi else field.kind
            self._values.wrong(path, "native", declared, expected=f"type {wanted}")

    def resolved(self, name: str, element: etree._Element, path: str) -> tuple[str, str]:
        """Return a type's (namespace, name); what lxml makes for each look-up grows with the namespaces declared."""
        prefix, _, local = name.strip().rpartition(":")
        if self._scope is not None:
            return self._scope.get(prefix or None) or "", local
        if self._looked_through > _MOST_NAMESPACES:
            self._values.wrong(path, "native", expected="fewer namespaces")
            return "", local
        known = element.nsmap
        self._looked_through += max(0, len(known) - _USUAL_NAMESPACES)
        return known.get(prefix or None) or "", local
