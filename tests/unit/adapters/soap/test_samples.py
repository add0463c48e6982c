"""node-soap's samples, each a WSDL with a call and an answer: what passes, and why the others don't."""

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from adapters.soap.decode import decode
from adapters.soap.encode import encode
from adapters.soap.lexical import TYPES
from adapters.soap.plan import TEXT, Field, MessagePlan
from adapters.soap.planning import read_plans
from gateway import ConfigError, InvalidAnswer, TranslationError
from tests.unit.adapters.soap.second import differ

NOTHING = {TEXT: ""}
BROKEN = "the WSDL can't be used: broken, or it imports what is not there"
REASONS = {
    BROKEN,
    "the operation can't be planned",
    "there is no such file",
    "an example that is not XML",
    "the document does not fit its WSDL",
    "the answer does not fit its WSDL",
    "node-soap writes another element, or none, where the WSDL says this one",
    "what the options of node-soap change",
}


class Differs(Exception):
    """Why a sample does not pass."""


def as_ours(value: Any, field: Field) -> Any:
    """Return a value in node-soap's notation in ours: `attributes` and `$value`, one item for a list, texts."""
    if field.many:
        return [_one(item, field) for item in (value if isinstance(value, list) else [value])]
    return _one(value, field)


def _one(value: Any, field: Field) -> Any:
    if isinstance(value, dict):
        attributes = value.get("attributes", {})
        inner = {name: one for name, one in value.items() if name not in {"attributes", "$attributes", "$value"}}
        if field.shape is None:
            return _one(value.get("$value", ""), field)
        known = {found.name: found for found in field.shape.everything}
        taken = {f"@{name}": one for name, one in attributes.items() if f"@{name}" in known}
        if "$value" in value and TEXT in known:
            taken[TEXT] = value["$value"]
        return taken | {name: as_ours(one, known[name]) if name in known else one for name, one in inner.items()}
    if isinstance(value, str) and field.kind in {"integer", "number", "boolean"}:
        return TYPES[field.type].read(value)
    return value


def request(folder: Path, plan: MessagePlan) -> None:
    given = json.loads((folder / "request.json").read_text(), parse_float=Decimal)
    document = as_ours(given, plan.payload) if plan.payload is not None else given
    document = document if isinstance(document, dict) else {TEXT: document}
    try:
        theirs = etree.fromstring((folder / "request.xml").read_bytes()).find("{*}Body")
        for element in theirs.iter():  # laid out for people
            element.text = element.text if (element.text or "").strip() else None
    except etree.XMLSyntaxError as error:
        raise Differs("an example that is not XML") from error
    try:
        ours = etree.fromstring(encode(plan, document)).find("{*}Body")
    except TranslationError as error:
        raise Differs("the document does not fit its WSDL") from error
    if differ(ours, theirs, encoded=plan.encoded):
        raise Differs("node-soap writes another element, or none, where the WSDL says this one")


def reply(folder: Path, plan: MessagePlan | None) -> None:
    if plan is None or not (folder / "response.xml").exists() or not (folder / "response.json").exists():
        raise Differs("there is no such file")
    theirs = json.loads((folder / "response.json").read_text(), parse_float=Decimal)
    try:
        ours = decode(plan, (folder / "response.xml").read_bytes())
    except InvalidAnswer as error:
        raise Differs("the answer does not fit its WSDL") from error
    expected = NOTHING if theirs is None else theirs if plan.payload is None else as_ours(theirs, plan.payload)
    if ours != expected:
        raise Differs("what the options of node-soap change")


def outcomes(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield what came of a sample: its direction, and "" or why it does not pass."""
    name = folder.name.partition("__")[0]
    try:
        plans = read_plans(folder / "soap.wsdl")
    except ConfigError:
        yield from ((one, BROKEN) for one in ("request", "reply"))
        return
    if name not in plans.operations:
        yield from ((one, "the operation can't be planned") for one in ("request", "reply"))
        return
    operation = plans.operations[name]
    checks = (("request", request, operation.request), ("reply", reply, operation.reply))
    for direction, check, plan in checks:
        try:
            check(folder, plan)  # type: ignore[operator]
        except Differs as reason:
            yield direction, str(reason)
        else:
            yield direction, ""


def test_samples_pass_or_say_why_not(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = sorted((corpus / "wsdl/vpulim_node-soap/request-response-samples").iterdir())
    found = {(folder.name, direction): reason for folder in folders for direction, reason in outcomes(folder)}

    assert set(found.values()) <= {"", *REASONS}
    passed = [name for name, reason in found.items() if not reason]
    with capsys.disabled():
        print(f"\nsamples: {len(passed)} of {len(found)} pass")  # noqa: T201
        for reason, count in Counter(found.values()).most_common():
            print(f"  {count:3} {reason or 'pass'}")  # noqa: T201
        for (name, direction), reason in found.items():
            print(f"    {name}, {direction}: {reason or 'pass'}")  # noqa: T201
    assert len(passed) >= 18
    assert sum(direction == "reply" for _, direction in passed) >= 9
