"""Every message of every WSDL, filled with random values: zeep must write what we write, and read what we read.

Where zeep has no opinion or a wrong one, the reason is one of REASONS; anything else is a failure.
"""

import logging
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from lxml import etree

from adapters.soap.decode import decode
from adapters.soap.encode import encode
from adapters.soap.plan import ANY, MessagePlan
from adapters.soap.planning import read_plans
from gateway import ConfigError
from tests.unit.adapters.soap.drawn import Drawn, Undrawable, plans_of
from tests.unit.adapters.soap.second import Second, Unasked, differ, same

LONGER = int(os.environ.get("LAWS_LONGER", "1"))
REASONS = {
    "an rpc message without parts: zeep has no wrapper for it",
    "an rpc message of which the Body has some parts only: zeep puts all into it",
    "an optional sequence that is not there: zeep demands what is in it",
    "an attribute and an element of one name: zeep takes one for the other",
    "a substitution group: zeep knows none",
    "a null among the items of a list: zeep writes an object of nulls, or fails",
    "an encoded array that is null: zeep fails",
    "an encoded array of nothing: zeep fails where its items have a type",
    "an encoded array of arrays: zeep takes no lists for its items",
    "a schema within a message: zeep takes objects of its own only",
    "an encoded array of binaries: zeep takes no bytes for its items",
    "an encoded array of anyType: zeep takes no values for its items",
    "a choice whose alternatives have a field in common: zeep takes the first of them",
    "a choice of an empty text, 0 or false: zeep takes it for not made, and writes nothing",
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.getLogger("zeep").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("zeep").setLevel(logging.NOTSET)


class Comparison:
    """What came of comparing: how many documents by outcome."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def wsdl(self, path: Path, rounds: int) -> None:
        """Compare every message of a WSDL."""
        plans, second = read_plans(path), Second(path)
        for operation, direction, plan in plans_of(plans):
            for number in range(rounds if plan.payload is not None and not plan.odd else 0):
                try:
                    document = Drawn(Random(f"{path.name} {operation} {direction} {number}")).message(plan)
                except Undrawable:
                    self.counts["nothing that is drawn fits a type's facets"] += 1
                    continue
                sent = encode(plan, document)
                assert declared(document, decode(plan, sent)) == document, (path.name, operation, direction)
                self.compare(second, (operation, direction), plan, document, sent)

    def compare(
        self, second: Second, which: tuple[str, str], plan: MessagePlan, document: dict[str, Any], sent: bytes
    ) -> None:
        """Compare one document, both ways."""
        ours = etree.fromstring(sent).find("{*}Body")[0]
        if plan.payload is None or plan.payload.shape is None:
            self.counts["not an object of ours"] += 1
            return
        try:
            theirs = second.write(*which, plan, document)
        except Unasked as reason:
            assert str(reason) in REASONS
            self.counts[str(reason)] += 1
            return
        if plan.rpc:  # zeep calls the wrapper of an answer as that of the question
            theirs.tag = ours.tag
        assert not differ(ours, theirs, encoded=plan.encoded), (which, document)
        read, expected = second.read(*which, ours), second.expected(*which, plan, document)
        assert same(expected, read), (which, expected, read)
        self.counts["the same"] += 1


def declared(given: Any, read: Any) -> Any:
    """Return what was read without what raw XML adds under its elements' names."""
    if isinstance(given, dict) and isinstance(read, dict):
        raw = bool(given.get(ANY))
        return {name: declared(given.get(name), one) for name, one in read.items() if name in given or not raw}
    if isinstance(given, list) and isinstance(read, list) and len(given) == len(read):
        return [declared(*pair) for pair in zip(given, read, strict=True)]
    return read


@pytest.mark.parametrize("name", ["izin.wsdl", "sipolan.wsdl", "ragam.wsdl"])
def test_our_own_wsdls_are_written_and_read_as_zeep_does(wsdls: Path, name: str) -> None:
    comparison = Comparison()

    comparison.wsdl(wsdls / name, 40 * LONGER)

    assert comparison.counts["the same"] >= 40


def test_public_wsdls_are_written_and_read_as_zeep_does(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    comparison = Comparison()
    for path in sorted((corpus / "wsdl").rglob("*.wsdl")):
        try:
            comparison.wsdl(path, 5 * LONGER)
        except ConfigError:
            continue  # test_corpus.py says what becomes of those

    with capsys.disabled():
        print(f"\ndifferential: {dict(comparison.counts.most_common())}")  # noqa: T201
    assert comparison.counts["the same"] >= 3_200 * LONGER
