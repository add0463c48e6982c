import gzip
import io
import tracemalloc
import zipfile
from time import perf_counter

import pytest

from adapters.csv.layout import Layout
from adapters.csv.read import Reading, read
from adapters.csv.settings import Dialect
from gateway import FieldError
from tests.sheets import xlsx, zipped

BODY = b"nik;jenis\n" + b"".join(b"%d;BCG\n" % number for number in range(7000))


def reading(name: str, **more: int) -> Reading:
    return Reading(name=name, layout=Layout(dialect=Dialect()), wanted=("nik", "jenis"), size=5000, **more)


def numbers(name: str, content: bytes, **more: int) -> list[int]:
    return [number for batch in read(io.BytesIO(content), reading(name, **more)) for number, _ in batch.rows]


def refused(name: str, content: bytes) -> FieldError:
    last = list(read(io.BytesIO(content), reading(name)))[-1]
    assert last.last
    assert not last.rows
    (reject,) = last.rejects
    assert reject.number == 0
    return reject.reasons[0]


def encrypted(archive: bytes) -> bytes:
    """Set the flag that says so, in both places where it stands."""
    changed = bytearray(archive)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        changed[changed.index(signature) + offset] |= 1
    return bytes(changed)


def with_method(archive: bytes, method: int) -> bytes:
    changed = bytearray(archive)
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        changed[changed.index(signature) + offset] = method
    return bytes(changed)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.gz", gzip.compress(BODY)),
        ("A.CSV.GZ", gzip.compress(BODY[:40]) + gzip.compress(BODY[40:])),
        ("a.zip", zipped(a_csv=BODY)),
        ("a.zip", zipped({"folder/a.csv": BODY, "__MACOSX/._a.csv": b"x", "catatan.md": b"x"})),
    ],
    ids=["gz", "gz in two parts", "zip", "zip with a Mac's litter"],
)
def test_a_packed_file_is_read_as_the_file_that_is_in_it(name: str, content: bytes) -> None:
    assert numbers(name, content) == [*range(1, 7001)]
    assert numbers(name, content, after=6990) == [*range(6991, 7001)]


def test_a_spreadsheet_may_be_packed_too() -> None:
    assert numbers("a.zip", zipped(a_xlsx=xlsx([["nik", "jenis"], ["1", "BCG"]]))) == [1]
    assert numbers("a.xlsx.gz", gzip.compress(xlsx([["nik", "jenis"], ["1", "BCG"]]))) == [1]


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("a.csv.gz", gzip.compress(BODY)[:-9], "packed-broken"),
        ("a.csv.gz", BODY, "packed-broken"),
        ("a.csv.gz", b"", "empty-file"),
        ("a.zip", zipped(a_csv=BODY)[:-30], "packed-broken"),
        ("a.zip", b"", "packed-broken"),
        ("a.zip", zipped(a_csv=BODY, b_csv=BODY), "packed-members"),
        ("a.zip", zipped(), "packed-members"),
        ("a.zip", zipped(a_csv=BODY, b_zip=zipped(a_csv=BODY)), "packed-nested"),
        ("a.zip.gz", gzip.compress(zipped(a_csv=BODY)), "packed-nested"),
        ("a.zip", encrypted(zipped(a_csv=BODY)), "packed-encrypted"),
        ("a.zip", with_method(zipped(a_csv=BODY), 14), "packed-broken"),
        ("a.zip", zipped(a_csv=b""), "empty-file"),
    ],
)
def test_what_is_no_archive_of_one_file_is_refused_with_its_reason(name: str, content: bytes, rule: str) -> None:
    assert refused(name, content).rule == rule


def test_a_byte_that_was_changed_on_the_way_refuses_the_file() -> None:
    content = bytearray(zipped(a_csv=BODY))
    content[400] ^= 255
    assert refused("a.zip", bytes(content)).rule == "packed-broken"


@pytest.mark.parametrize("name", ["a.csv.gz", "a.zip"])
def test_a_bomb_ends_early_in_little_memory(name: str) -> None:
    packed = io.BytesIO()
    block = b"nik;jenis\n" + b"1;BCG\n" * 100_000
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.csv", "w") as member:
        for _ in range(300):
            member.write(block)
    content = packed.getvalue() if name == "a.zip" else gzip.compress(block * 300, 9)
    assert len(content) < 1 << 20
    began = perf_counter()
    tracemalloc.start()
    try:
        assert refused(name, content).rule == "packed-bomb"
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert perf_counter() - began < 20


def test_an_archive_of_a_hundred_thousand_names_is_not_listed() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.csv", BODY)
        archive.comment = b""
    content = bytearray(made.getvalue())
    end = content.index(b"PK\x05\x06")
    content[end + 12 : end + 16] = (8 << 20).to_bytes(4, "little")
    assert refused("a.zip", bytes(b"\0" * (9 << 20) + content)).rule == "packed-broken"


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (xlsx([["nik", "jenis"]]), "kind"),
        (gzip.compress(BODY), "kind"),
        (b"\xef\xbb\xbf <html><table>", "kind"),
        (b"%PDF-1.7\n", "kind"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old-excel"),
    ],
)
def test_another_kind_of_file_under_the_name_of_a_csv_is_named(content: bytes, rule: str) -> None:
    assert refused("a.csv", content).rule == rule
