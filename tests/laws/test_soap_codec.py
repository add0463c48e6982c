"""The SOAP codec is total: what is written is read back, and nothing but its own errors ever comes out."""

import re
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.soap.decode import decode
from adapters.soap.encode import encode
from adapters.soap.plan import MessagePlan
from adapters.soap.planning import read_plans
from adapters.soap.tolerate import TOLERANCES, Charset, Leniency
from gateway import Fault, InvalidAnswer, TranslationError
from tests.unit.adapters.soap.drawn import Drawn, plans_of
from tests.unit.adapters.soap.test_differential import declared

WSDLS = Path(__file__).parents[1] / "unit" / "adapters" / "soap" / "wsdl"
IZIN = read_plans(WSDLS / "izin.wsdl").operations["AjukanIzin"]
RIWAYAT = read_plans(WSDLS / "sipolan.wsdl").operations["simpanRiwayat"]
RAGAM = read_plans(WSDLS / "ragam.wsdl")
EVERY = [plan for _, _, plan in plans_of(RAGAM) if not plan.odd]
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

texts = st.text().filter(lambda text: not NOT_XML.search(text))
integers = st.integers(-(2**31), 2**31 - 1)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9)
pemohon = st.fixed_dictionaries(
    {"nik": texts.map(lambda text: text.ljust(16, "0")[:16]), "nama": texts},
    optional={"telepon": st.none() | texts},
)
izin = st.fixed_dictionaries(
    {"pemohon": pemohon, "jenis": texts, "luas": integers, "berkas": st.just([])},
    optional={
        "retribusi": numbers,
        "tanggal": st.dates().map(str),
        "aktif": st.booleans(),
        "status": st.sampled_from(["ok", "tolak"]),
        "biaya": st.fixed_dictionaries({"#text": numbers, "@mata_uang": texts}),
    },
)
tahap = st.fixed_dictionaries(
    {"nama_proses": st.none() | texts, "tgl_selesai": st.none() | texts, "urut": st.none() | integers}
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
names = st.sampled_from([*(field.name for field in IZIN.request.payload.shape.fields), "lain"])  # type: ignore[union-attr]


@given(izin)
def test_a_literal_document_is_read_back_as_it_was(document: dict[str, Any]) -> None:
    assert decode(IZIN.request, encode(IZIN.request, document)) == document


@given(st.lists(tahap))
def test_an_encoded_document_is_read_back_as_it_was(items: list[dict[str, Any]]) -> None:
    document = {"riwayat": {"item": items}}

    assert decode(RIWAYAT.request, encode(RIWAYAT.request, document)) == document


@given(numbers)
def test_a_number_keeps_its_digits(number: Decimal) -> None:
    document = {"pemohon": {"nik": "1405029001180001", "nama": ""}, "jenis": "", "luas": 1, "retribusi": number}

    read = decode(IZIN.request, encode(IZIN.request, document))

    assert not isinstance(read, Fault)
    assert str(read["retribusi"]) == format(number, "f")


@given(st.dictionaries(names, json_values), st.dictionaries(st.text(), json_values))
def test_a_document_is_written_or_refused(document: dict[str, Any], headers: dict[str, Any]) -> None:
    with suppress(TranslationError):
        encode(IZIN.request, document, headers, header_namespace="urn:x")


@given(izin, st.integers(0, 2000), st.binary(max_size=12), st.integers(0, 40))
def test_a_damaged_answer_is_read_or_refused(document: dict[str, Any], at: int, put: bytes, drop: int) -> None:
    content = encode(IZIN.request, document)
    at = min(at, len(content))
    with suppress(InvalidAnswer):
        decode(IZIN.request, content[:at] + put + content[at + drop :])


@given(izin, st.integers(0, 2000), st.binary(max_size=12), st.integers(0, 40), st.sampled_from([None, "windows-1252"]))
def test_a_damaged_answer_is_read_or_refused_whatever_is_tolerated(
    document: dict[str, Any], at: int, put: bytes, drop: int, charset: Charset | None
) -> None:
    content = encode(IZIN.request, document)
    at = min(at, len(content))
    leniency = Leniency(named=frozenset(TOLERANCES), charset=charset)
    with suppress(InvalidAnswer):
        decode(IZIN.request, content[:at] + put + content[at + drop :], leniency=leniency)


PUT = (
    b"",
    b"&amp;",
    b"&#13;",
    b"&#233;",
    b"&",
    b"]]>",
    b"<b/>",
    b"<!-- -->",
    b"\r\n",
    b"\x01",
    b"\xef\xbf\xbf",
    b"\xff",
    b" ",
    b"\t",
    b'"',
    b"'",
    b' x="1"',
    b' sumber="a"',
    b"<",
    b">",
)
damages = st.tuples(st.integers(0, 3000), st.sampled_from(PUT), st.integers(0, 5))


@given(st.sampled_from(EVERY), st.lists(st.integers(0, 30), min_size=1, max_size=4), st.integers(0, 30), damages)
def test_what_looks_like_answers_before_is_read_as_it_would_be_without_them(
    plan: MessagePlan, before: list[int], number: int, damage: tuple[int, bytes, int]
) -> None:
    experienced, fresh = replace(plan), replace(plan)
    for one in before:
        decode(experienced, encode(experienced, Drawn(Random(one)).message(plan)))
    content = encode(plan, Drawn(Random(number)).message(plan))
    at, put, drop = damage
    at = min(at, len(content))

    for answer in (content, content[:at] + put + content[at + drop :]):
        assert outcome(experienced, answer) == outcome(fresh, answer)


def outcome(plan: MessagePlan, content: bytes) -> object:
    try:
        return decode(plan, content)
    except InvalidAnswer as error:
        return [(one.pointer, one.rule) for one in error.errors] or str(error)


@given(st.binary())
def test_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(InvalidAnswer):
        decode(IZIN.request, content)


@given(st.sampled_from(EVERY), st.randoms(use_true_random=False))
def test_a_document_of_every_type_is_read_back_as_it_was(plan: MessagePlan, random: Random) -> None:
    document = Drawn(random).message(plan)

    assert declared(document, decode(plan, encode(plan, document))) == document


@given(st.sampled_from(EVERY), st.randoms(use_true_random=False), st.data())
def test_a_damaged_document_of_every_type_is_read_or_refused(
    plan: MessagePlan, random: Random, data: st.DataObject
) -> None:
    content = encode(plan, Drawn(random).message(plan))
    at = data.draw(st.integers(0, len(content)))
    pieces = st.sampled_from([b"", b"<x/>", b"x", b' xsi:nil="true"', b' xsi:type="n0:Kepala"', b"</n0:nama>", b"&#1;"])
    with suppress(InvalidAnswer):
        decode(plan, content[:at] + data.draw(pieces) + content[at + data.draw(st.integers(0, 40)) :])


@given(st.sampled_from(EVERY), st.randoms(use_true_random=False), st.data())
def test_elements_that_moved_are_read_or_refused(plan: MessagePlan, random: Random, data: st.DataObject) -> None:
    root = etree.fromstring(encode(plan, Drawn(random).message(plan)))
    elements = list(root.iter())
    one, other = data.draw(st.sampled_from(elements)), data.draw(st.sampled_from(elements))
    if other not in one.iterancestors() and one is not other and one is not root and one not in other.iterancestors():
        other.append(one)
    with suppress(InvalidAnswer):
        decode(plan, etree.tostring(root))


@given(st.integers(-(2**31), 2**31 - 1), texts, st.none() | texts, st.integers(0, 400), st.integers(0, 20))
def test_what_goes_through_zeeps_tree_is_the_same_or_refused(
    number: int, text: str, mark: str | None, at: int, drop: int
) -> None:
    plan = RAGAM.operations["Kembar"].request
    tree = RAGAM.trees["Kembar", "input"]
    document = {"awal": number, "isi": text, "awal__1": 1} | ({} if mark is None else {"@tanda": mark})
    try:
        content = encode(plan, document, tree=tree)
    except TranslationError:
        return
    with suppress(InvalidAnswer):
        assert decode(plan, content, tree=tree) == document
    with suppress(InvalidAnswer):
        decode(plan, content[:at] + content[at + drop :], tree=tree)
