"""What a signature is over: each reference leads to exactly one element; whatever else it asks for is refused."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

from adapters.soap.wrap import invalid
from adapters.soap.wss import CANONICAL, DS, EXCLUSIVE, HASHES, ID, SIGNATURES
from gateway import InvalidAnswer

_IDS = etree.XPath("//@*[local-name()='Id' or local-name()='ID' or local-name()='id']", smart_strings=False)
_CROWDED = etree.XPath("boolean(//*[@*[101]])")
_MOST = 20
_MOST_NAMESPACES = 200
_PARTS = ([f"{DS}SignedInfo", f"{DS}SignatureValue"], [f"{DS}SignedInfo", f"{DS}SignatureValue", f"{DS}KeyInfo"])
_HEADS = [f"{DS}CanonicalizationMethod", f"{DS}SignatureMethod"]
_REFERENCE = [f"{DS}Transforms", f"{DS}DigestMethod", f"{DS}DigestValue"]
_PREFIXES = f"{{{EXCLUSIVE}}}InclusiveNamespaces"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """The algorithms that are let in, by their names in XML."""

    methods: frozenset[str]
    digests: frozenset[str]

    @classmethod
    def beside(cls, *, sha1: bool) -> "Allowed":
        """Return those that hold today, and SHA-1 where somebody can't do without."""
        hashes = {name for name in HASHES if name != "sha1" or sha1}
        return cls(
            methods=frozenset(uri for (_, name), uri in SIGNATURES.items() if name in hashes),
            digests=frozenset(HASHES[name] for name in hashes),
        )


def referred(signature: etree._Element, root: etree._Element, allowed: Allowed) -> Sequence[etree._Element]:
    """Return the elements that a signature is over; raises InvalidAnswer for anything out of the ordinary."""
    if _CROWDED(root) or not _is_roomy(root):
        # The canonical form sorts them, in quadratic time.
        raise invalid("has too many attributes or namespaces on one element")
    if _tags(signature) not in _PARTS or _tags(signature[0])[:2] != _HEADS:
        raise refused("is built in an unusual way")
    canonical, method, *references = signature[0]
    if not 0 < len(references) <= _MOST:
        raise refused(f"is over nothing, or over more than {_MOST} elements")
    if not _is_canonical(canonical):
        raise refused("is canonicalized in a way that is not let in")
    if method.get("Algorithm") not in allowed.methods or len(method):
        raise refused(f"is made in a way that is not let in{_weak(method)}")
    known = by_id(root)
    return [_target(reference, known, allowed) for reference in references]


def by_id(root: etree._Element) -> Mapping[str, etree._Element]:
    """Return elements by `#` and their wsu:Id, those only whose id stands nowhere else, in whatever attribute."""
    attributes = _IDS(root)
    assert isinstance(attributes, list)  # noqa: S101 -- what this expression gives
    often = Counter(map(str, attributes))
    return {f"#{found.get(ID)}": found for found in root.iter(etree.Element) if often[found.get(ID, "")] == 1}


def refused(what: str) -> InvalidAnswer:
    """Return why a signature does not count."""
    return invalid(f"has a signature that {what}")


def _target(reference: etree._Element, known: Mapping[str, etree._Element], allowed: Allowed) -> etree._Element:
    if reference.tag != f"{DS}Reference" or _tags(reference) != _REFERENCE:
        raise refused("has a reference that is built in an unusual way")
    transforms, method, _ = reference
    if _tags(transforms) != [f"{DS}Transform"] or not _is_canonical(transforms[0]):
        raise refused("transforms what it is over in a way that is not let in")
    if method.get("Algorithm") not in allowed.digests or len(method):
        raise refused(f"has a digest that is not let in{_weak(method)}")
    found = known.get(reference.get("URI", ""))
    if found is None:
        raise refused("refers to no element, or not to exactly one")
    return found


def _is_roomy(root: etree._Element) -> bool:
    """Whether no element has more namespaces than anybody needs."""
    in_scope = 0
    for event, _ in etree.iterwalk(root, events=("start-ns", "end-ns")):
        in_scope += 1 if event == "start-ns" else -1
        if in_scope > _MOST_NAMESPACES:
            return False
    return True


def _is_canonical(method: etree._Element) -> bool:
    return method.get("Algorithm") in CANONICAL and all(child.tag == _PREFIXES for child in method)


def _weak(method: etree._Element) -> str:
    return " (SHA-1; `sha1` lets it in)" if method.get("Algorithm", "").endswith("sha1") else ""


def _tags(element: etree._Element) -> list[str]:
    return [str(child.tag) for child in element]
