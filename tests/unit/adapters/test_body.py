"""JSON bodies keep their digits, and what is no JSON object is never taken for one."""

import asyncio
from decimal import Decimal
from types import MappingProxyType

import pytest
from multidict import CIMultiDict

from adapters.body import encode, read, read_now
from adapters.http import LARGE, HttpAnswer
from gateway import Answer, InvalidAnswer, TranslationError, Unread


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    return asyncio.run(read(HttpAnswer(status=status, headers=CIMultiDict(headers), body=body), "dinkes"))


def test_numbers_keep_their_digits_both_ways() -> None:
    body = b'{"biaya":1250000.50,"besar":123456789012345678901234567890,"nol":0.10}'
    document = answer(body).document
    assert document == {"biaya": Decimal("1250000.50"), "besar": 123456789012345678901234567890, "nol": Decimal("0.10")}
    assert encode(document) == body


@pytest.mark.parametrize(("size", "in_a_thread"), [(LARGE - 100, False), (LARGE + 100, True)])
async def test_only_a_large_document_leaves_the_event_loop(size: int, in_a_thread: bool) -> None:
    turns: list[None] = []
    asyncio.get_running_loop().call_soon(turns.append, None)
    body = b'{"isi":"%s"}' % (b"x" * size)
    got = await read(HttpAnswer(status=200, headers=CIMultiDict(), body=body), "dinkes")
    assert got.document == {"isi": "x" * size}
    assert bool(turns) == in_a_thread
    assert got.size == len(body)


def test_a_list_becomes_items() -> None:
    assert answer(b'[{"a":1}]').document == {"items": [{"a": 1}]}


@pytest.mark.parametrize(
    ("body", "looks"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<!DOCTYPE html><html>Selamat datang</html>", "a page or XML"),
        (b'{"a":1', "cut short or damaged"),
        (b'{"a":1}{"b":2}', "cut short or damaged"),
        (b'\xef\xbb\xbf{"a":1}', "something else"),
        (b"Notice: Undefined index", "something else"),
        (b'{"a":"\xe9"}', "cut short or damaged"),
        (b'{"a":NaN}', "cut short or damaged"),
        (b'{"a":1e999999999}', "cut short or damaged"),
        (b"[" * 100_000, "cut short or damaged"),
        (b'"ok"', "a lone str"),
        (b"1", "a lone int"),
        (b"null", "a lone NoneType"),
    ],
)
def test_what_is_no_json_object_is_an_invalid_answer(body: bytes, looks: str) -> None:
    with pytest.raises(InvalidAnswer, match=f"dinkes: its answer is {looks}") as caught:
        answer(body)
    assert caught.value.maybe_done


def test_space_around_a_document_is_of_no_matter() -> None:
    assert answer(b' \n{"a":1}\r\n').document == {"a": 1}


@pytest.mark.parametrize("status", [400, 404, 500, 502, 503])
@pytest.mark.parametrize("body", [b"", b"<html>", b'"teks"'])
def test_an_error_status_may_come_without_a_document(status: int, body: bytes) -> None:
    unread = Unread(text=body.decode()) if body else None
    assert answer(body, status) == Answer(document=None, http_status=status, unread=unread)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"<html>Gagal \xc3\xa9</html>\n", Unread(text="<html>Gagal \xe9</html>\n")),
        (b'{"a":"\xe9"}', Unread(octets=b'{"a":"\xe9"}')),
        (b"\x1b[2J\x00", Unread(octets=b"\x1b[2J\x00")),
        (b"", Unread()),
    ],
)
def test_rule_11_3_what_cant_be_read_is_kept_to_the_byte_and_reads_the_same_again(body: bytes, kept: Unread) -> None:
    with pytest.raises(InvalidAnswer) as caught:
        answer(body)
    found = caught.value.answer
    assert found is not None
    assert (found.http_status, found.unread, kept.body) == (200, kept, body)
    with pytest.raises(InvalidAnswer) as again:
        read_now(HttpAnswer.kept(found), "dinkes")
    assert str(again.value) == str(caught.value)
    assert again.value.answer == found


def test_what_is_kept_and_can_be_read_is_read() -> None:
    found = Answer(http_status=418, unread=Unread(text='{"biaya":1.50}'))
    assert read_now(HttpAnswer.kept(found), "dinkes") == Answer(document={"biaya": Decimal("1.50")}, http_status=418)


def test_an_error_status_is_passed_on_with_its_document() -> None:
    got = answer(b'{"pesan":"kuota habis"}', 429, **{"Retry-After": "7"})
    assert got == Answer(document={"pesan": "kuota habis"}, http_status=429, headers={"retry-after": "7"})


@pytest.mark.parametrize("status", [301, 302, 304, 307])
def test_a_redirect_is_an_invalid_answer(status: int) -> None:
    with pytest.raises(InvalidAnswer, match="redirect"):
        answer(b"{}", status)


def test_no_content_is_an_empty_document() -> None:
    assert answer(b"", 204).document == {}


def test_any_mapping_is_an_object() -> None:
    assert encode({"a": MappingProxyType({"b": "c"})}) == b'{"a":{"b":"c"}}'


@pytest.mark.parametrize("value", [object(), "\ud800"])
def test_what_json_cannot_hold_is_a_translation_error(value: object) -> None:
    with pytest.raises(TranslationError) as caught:
        encode({"a": value})
    assert caught.value.side == "request"
