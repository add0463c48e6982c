"""What the manual shows is run: mappings with what goes in and what comes out, TOML, JSON, settings' examples."""

import json
import re
import runpy
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from pydantic import TypeAdapter

from gateway import app
from gateway.edge.accesslog import explain
from gateway.errors import ConfigError, TranslationError
from gateway.message import Context, Document, MessageId
from gateway.offered import keys
from gateway.translate.compile import compile_operation, compile_row
from gateway.translate.load import parse_mapping

ROOT = Path(__file__).parent.parent
MADE = SimpleNamespace(**runpy.run_path(str(ROOT / "docs/generate.py")))
PAGES = sorted([*ROOT.glob("*.md"), *MADE.PAGES])
FENCE = re.compile(r"^( *)```(?P<kind>[a-z ]+)\n(?P<text>.*?)^\1```$", re.MULTILINE | re.DOTALL)
NAME = "mappings/contoh.toml"
CONTEXT = Context(
    id=MessageId("0198c0de-0000-7000-8000-000000000001"),
    client="klik-pelalawan",
    now=datetime.fromisoformat("2026-11-24T10:15:00+07:00"),
    login={"user": "gateway", "password": "rahasia"},
)
WIRE = msgspec.json.Encoder(order="deterministic", decimal_format="number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A mapping, what is given to it on which side, and what comes of it."""

    line: int
    mapping: str
    side: str
    given: str
    kind: str
    expected: str


def blocks(page: Path) -> Iterator[tuple[int, str, str]]:
    text = page.read_text("utf-8")
    for found in FENCE.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, found["kind"], found["text"]


def examples(page: Path) -> Iterator[Example]:
    mapping, given = "", None
    for line, kind, text in blocks(page):
        if kind == "toml mapping":
            mapping, given = text, None
        elif kind == "text findings":
            yield Example(line=line, mapping=mapping, side="file", given="", kind=kind, expected=text)
        elif given is None and kind.startswith("json "):
            given = (kind.removeprefix("json "), text)
        elif given is not None:
            yield Example(line=line, mapping=mapping, side=given[0], given=given[1], kind=kind, expected=text)
            given = None


EXAMPLES = [(page, example) for page in PAGES for example in examples(page)]


def configurations(page: Path) -> Iterator[tuple[int, str, str]]:
    """Yield each gateway.toml of a page with the mapping that follows it, "" if none does."""
    found: list[tuple[int, str, str]] = []
    for line, kind, text in blocks(page):
        if kind == "toml gateway":
            found.append((line, text, ""))
        elif kind == "toml mapping" and found and not found[-1][2]:
            found[-1] = (*found[-1][:2], text)
    yield from found


CONFIGURATIONS = [(page, *found) for page in PAGES for found in configurations(page)]


def document(text: str) -> Document:
    found: Document = json.loads(text, parse_float=Decimal)
    return found


def translated(example: Example) -> Document:
    mapping = parse_mapping(example.mapping, NAME)
    given = document(example.given)
    if example.side == "row":
        (feed,) = [name for name, section in mapping.operations.items() if section.row is not None]
        row: Document = compile_row(mapping, feed).read(given)
        return row
    (name,) = [name for name, section in mapping.operations.items() if section.row is None]
    operation = compile_operation(mapping, name)
    if example.side == "theirs":
        return operation.translator.to_canonical(operation.opened(given))
    if errors := operation.request.check(given):
        raise TranslationError("request", errors)
    operation.translator.to_headers(given, CONTEXT)
    return operation.translator.to_native(given, CONTEXT)


def outcome(example: Example) -> Sequence[str]:
    if example.side == "file":
        return findings(example.mapping)
    try:
        return wire(translated(example))
    except TranslationError as error:
        return (explain(error) or "").split("; ")


def wire(found: Document) -> Sequence[str]:
    return msgspec.json.format(WIRE.encode(found)).decode().splitlines()


def findings(mapping: str) -> Sequence[str]:
    try:
        parsed = parse_mapping(mapping, NAME)
        for name in parsed.operations:
            compile_operation(parsed, name)
    except ConfigError as error:
        return [str(finding) for finding in error.findings]
    return []


@pytest.mark.parametrize(
    ("page", "example"), EXAMPLES, ids=[f"{page.relative_to(ROOT)}:{example.line}" for page, example in EXAMPLES]
)
def test_an_example_gives_what_the_page_says(page: Path, example: Example) -> None:
    wanted = example.expected.splitlines() if example.kind.startswith("text") else wire(document(example.expected))
    assert outcome(example) == wanted, page


@pytest.mark.parametrize(
    ("config", "mapping"),
    [found[2:] for found in CONFIGURATIONS],
    ids=[f"{page.relative_to(ROOT)}:{line}" for page, line, *_ in CONFIGURATIONS],
)
def test_gateway_check_has_nothing_to_say_about_a_configuration_that_is_shown(
    config: str, mapping: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("mappings", "wsdl"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "gateway.toml").write_text(config, "utf-8")
    if mapping:
        (agency,) = tomllib.loads(config)["agency"].values()
        (tmp_path / agency["mapping"]).write_text(mapping, "utf-8")
    if "[gateway.sftp]" in config:
        keys.made(tmp_path / "sftp-host.key")
    monkeypatch.chdir(tmp_path)
    secrets = dict.fromkeys(re.findall(r"\$\{(\w+)\}", config), "rahasia")
    # Examples show a part of what the shipped mappings hold.
    assert [finding for finding in app.check(Path("gateway.toml"), secrets) if not finding.warning] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_toml_and_json_block_is_whole(page: Path) -> None:
    for _, kind, text in blocks(page):
        if kind.startswith("toml"):
            tomllib.loads(text)
        elif kind.startswith("json"):
            json.loads(text)


@pytest.mark.parametrize("page", MADE.PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_generated_parts_are_up_to_date(page: Path) -> None:
    text = page.read_text("utf-8")
    assert MADE.filled(text) == text, "run `make docs`"


def as_read(value: object) -> object:
    """Return a value with tuples for lists, as loading makes it."""
    if isinstance(value, dict):
        return {key: as_read(inner) for key, inner in value.items()}
    return tuple(map(as_read, value)) if isinstance(value, list | tuple) else value


def test_every_setting_says_what_it_means_and_its_example_is_accepted() -> None:
    for section in MADE.SECTIONS:
        for setting in MADE.settings(section):
            assert setting.meaning, f"{section}.{setting.key}"
            if setting.example is not None:
                TypeAdapter(setting.kind).validate_python(as_read(setting.example))


def test_every_section_has_its_table_in_the_configuration_reference() -> None:
    named = set(
        re.findall(r"<!-- generated: settings ([\w-]+) -->", (ROOT / "docs/configuration.md").read_text("utf-8"))
    )
    assert named == MADE.SECTIONS.keys()


def test_every_error_has_its_heading() -> None:
    headings: Mapping[str, None] = dict.fromkeys(
        re.findall(r"^### ([a-z-]+)$", (ROOT / "docs/errors.md").read_text("utf-8"), re.MULTILINE)
    )
    assert headings.keys() == MADE.STATUS.keys()
