"""Every `<agency>/*.case` is translated and compared: by the pilot's configuration, or by a mapping.toml beside it."""

import json
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.http import HttpClient
from adapters.soap.adapter import SoapAdapter
from gateway.errors import FieldError, TranslationError
from gateway.message import Context, Document, MessageId
from gateway.native import Contract
from gateway.translate.compile import Compiled, compile_operation, compile_row
from gateway.translate.load import load_mapping

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PILOT = tomllib.loads((ROOT / "gateway.toml").read_text("utf-8"))
CONTEXT = Context(
    id=MessageId("0198c0de-0000-7000-8000-000000000001"),
    client="golden",
    now=datetime.fromisoformat("2026-11-24T10:15:00+07:00"),
    login={"user": "gateway", "password": "rahasia"},
)
WIRE = msgspec.json.Encoder(order="deterministic", decimal_format="number")

Errors = set[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    agency: str
    operation: str
    direction: str
    given: Document
    expected: Document | Errors


def read(path: Path) -> Case:
    """Split a case into its two header lines, the input, and what stands under the dashes."""
    above, _, below = path.read_text("utf-8").partition("\n----")
    first, second, given = above.split("\n", 2)
    agency, operation = first.removeprefix("operation:").strip().split("/")
    expected = below.lstrip("-").strip()
    return Case(
        agency=agency,
        operation=operation,
        direction=second.removeprefix("direction:").strip(),
        given=decode(given),
        expected=set(errors(expected)) if expected.startswith("error:") else decode(expected),
    )


def decode(text: str) -> Document:
    document: Document = json.loads(text, parse_float=Decimal)
    return document


def errors(lines: str) -> Iterator[tuple[str, str]]:
    for line in lines.splitlines():
        pointer, rule = line.removeprefix("error:").split()
        yield pointer, rule


@cache
def contract(agency: str, operation: str) -> Contract | None:
    section = PILOT["agency"].get(agency, {"adapter": "none"})
    if section["adapter"] != "soap":
        return None
    adapter = SoapAdapter(http=HttpClient(agency), wsdl=ROOT / section["wsdl"], url=section["url"])
    return adapter.contract(section["operation"][operation]["call"])


@cache
def compiled(agency: str, operation: str) -> Compiled:
    own = HERE / agency / "mapping.toml"
    mapping = load_mapping(own if own.exists() else ROOT / PILOT["agency"][agency]["mapping"])
    return compile_operation(mapping, operation, contract=contract(agency, operation))


def request(case: Case) -> Document:
    """Check as the edge does, then build theirs."""
    operation = compiled(case.agency, case.operation)
    if found := operation.request.check(case.given):
        raise TranslationError("request", found)
    return operation.translator.to_native(case.given, CONTEXT)


def reply(case: Case) -> Document:
    operation = compiled(case.agency, case.operation)
    return operation.translator.to_canonical(operation.opened(case.given))


def row(case: Case) -> Document:
    mapping = load_mapping(ROOT / PILOT["agency"][case.agency]["mapping"])
    built: Document = compile_row(mapping, case.operation).read(case.given)
    return built


DIRECTIONS: dict[str, Callable[[Case], Document]] = {"request": request, "reply": reply, "row": row}


def plain(found: Sequence[FieldError]) -> Errors:
    return {(error.pointer, error.rule) for error in found}


def on_the_wire(result: Document | Errors) -> str:
    """Python holds that 1 == True and 1.50 == 1.5; JSON doesn't."""
    if isinstance(result, set):
        return "\n".join(f"error: {pointer} {rule}" for pointer, rule in sorted(result))
    return msgspec.json.format(WIRE.encode(result)).decode()


@pytest.mark.parametrize("path", sorted(HERE.glob("*/*.case")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_case_gives_what_stands_under_its_dashes(path: Path) -> None:
    case = read(path)
    result: Any
    try:
        result = DIRECTIONS[case.direction](case)
    except TranslationError as error:
        result = plain(error.errors)
    assert on_the_wire(result) == on_the_wire(case.expected)


def test_every_agency_of_the_pilot_has_cases() -> None:
    assert {path.parent.name for path in HERE.glob("*/*.case")} >= PILOT["agency"].keys()
