"""Laws of messages that say their types: what is written is read back, and what is mutated ends in agreed errors."""

import json
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.soap.spoken import Spoken
from adapters.soap.spoken_read import read
from adapters.soap.spoken_write import is_name, write
from gateway import Fault, InvalidAnswer, TranslationError
from tests.unit.adapters.soap.conftest import corpus

__all__ = ["corpus"]

HALF_A_BLINK = 0.05
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]) | st.sampled_from("\t\n\r"), max_size=20)
NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_.-]{0,8}", fullmatch=True)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=2)
PLAIN = st.none() | st.booleans() | st.integers(-(2**200), 2**200) | DECIMALS | TEXT


def values(names: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        PLAIN,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, min_size=1, max_size=4),
        max_leaves=12,
    )


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@given(data=st.data(), maps=st.booleans())
def test_every_value_is_read_back_as_it_was_written(soap: Any, data: st.DataObject, maps: bool) -> None:
    spoken = Spoken(soap=soap, namespace="urn:x", maps=maps)
    value = data.draw(values(TEXT if maps else NAMES))

    found = read(spoken, "gema", write(spoken, "gemaResponse", {"hasil": value}, {}))

    assert found == {"return": value}


@given(values(TEXT), TEXT)
def test_what_cant_be_written_is_an_error_of_the_request(value: Any, name: str) -> None:
    spoken = Spoken(soap="1.1", namespace="urn:x")
    try:
        write(spoken, "gema", {name: value}, {})
    except TranslationError:
        return
    assert is_name(name)


@given(values(NAMES), st.lists(st.tuples(st.integers(0, 4000), st.binary(max_size=3)), min_size=1, max_size=4))
def test_a_mutated_answer_is_read_or_ends_in_the_agreed_error(value: Any, mutations: list[tuple[int, bytes]]) -> None:
    spoken = Spoken(soap="1.1", namespace="urn:x", base64_text=("utf-8", "iso-8859-1"))
    content = write(spoken, "gemaResponse", {"hasil": value, "n": 1, "d": Decimal("1.5")}, {})
    for at, octets in mutations:
        place = at % len(content)
        content = content[:place] + octets + content[place + 1 :]
    try:
        found = read(spoken, "gema", content)
    except InvalidAnswer as error:
        assert error.maybe_done
    else:
        assert isinstance(found, dict | Fault)


def test_the_corpus_of_attacks_ends_in_the_agreed_error_and_soon(corpus: Path) -> None:
    folder = corpus / "xml-attacks"
    for name in json.loads((folder / "manifest.json").read_text()):
        content = (folder / name).read_bytes()
        started = time.thread_time()
        with suppress(InvalidAnswer):
            read(Spoken(soap="1.1", namespace="urn:x"), "AjukanIzin", content)
        assert time.thread_time() - started < HALF_A_BLINK, name
