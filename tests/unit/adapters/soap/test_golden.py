"""Each case: the WSDL, its port and the operation; the document (and headers); a line of dashes; the envelope."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from adapters.soap.encode import encode
from adapters.soap.planning import read_plans

CASES = sorted((Path(__file__).parent / "golden").glob("*.case"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_document_becomes_this_envelope(case: Path, wsdls: Path) -> None:
    given, expected = case.read_text("utf-8").split("\n----\n")
    where, written = given.split("\n", 1)
    wsdl, port, operation = where.split()
    message = json.loads(written, parse_float=Decimal)

    plan = read_plans(wsdls / wsdl, port=port).operations[operation].request
    envelope = encode(plan, message["document"], message.get("headers"), header_namespace="urn:kunci")

    assert canonical(envelope) == canonical(expected.encode())


def canonical(envelope: bytes) -> str:
    """Canonical XML without the blanks that only make a case readable."""
    parsed = etree.fromstring(envelope, etree.XMLParser(remove_blank_text=True))
    return etree.canonicalize(etree.tostring(parsed, encoding="unicode"))
