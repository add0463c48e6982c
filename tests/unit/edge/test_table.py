"""Which path finds what."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.table import Table, decode

ROUTES = [
    ("GET", "/v1/izin/status", "status"),
    ("POST", "/v1/izin", "ajukan"),
    ("GET", "/v1/izin/{nomor}", "satu"),
    ("DELETE", "/v1/izin/{id}", "hapus"),
    ("GET", "/v1/{jenis}/{nomor}/riwayat", "riwayat"),
    ("GET", "/v1/kota pelalawan", "spasi"),
]
TABLE = Table(ROUTES)


@pytest.mark.parametrize(
    ("method", "path", "found", "params"),
    [
        ("GET", b"/v1/izin/status", "status", {}),
        ("HEAD", b"/v1/izin/status", "status", {}),
        ("POST", b"/v1/izin", "ajukan", {}),
        ("GET", b"/v1/izin/7", "satu", {"nomor": "7"}),
        ("DELETE", b"/v1/izin/7", "hapus", {"id": "7"}),
        ("DELETE", b"/v1/izin/status", "hapus", {"id": "status"}),
        ("GET", b"/v1/izin/161%2FIMB%2FIV/riwayat", "riwayat", {"jenis": "izin", "nomor": "161/IMB/IV"}),
        ("GET", b"/v1/izin/status/riwayat", "riwayat", {"jenis": "izin", "nomor": "status"}),
        ("GET", b"/v1/kota%20pelalawan", "spasi", {}),
        ("GET", b"/v1/izin/%25", "satu", {"nomor": "%"}),
        ("GET", b"/v1/izin/a+b", "satu", {"nomor": "a+b"}),
    ],
)
def test_a_path_finds_its_operation(method, path, found, params):
    hit = TABLE.find(method, path)
    assert hit is not None
    assert hit.value == found
    assert {name: decode(raw) for name, raw in hit.params} == params


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"/",
        b"/v1",
        b"/v1/",
        b"/v1/izin/",
        b"/v1//izin",
        b"//v1/izin",
        b"/v1/izin//riwayat",
        b"/v1/IZIN",
        b"v1/izin",
    ],
)
def test_nothing_is_found_at_a_path_that_is_only_similar(path):
    assert not any(TABLE.find(method, path) for method in ("GET", "POST", "DELETE"))
    assert TABLE.methods(path) == {}


def test_the_methods_at_a_path_come_from_literals_and_templates():
    assert TABLE.methods(b"/v1/izin/status") == {"GET": "status", "HEAD": "status", "DELETE": "hapus"}
    assert TABLE.methods(b"/v1/izin") == {"POST": "ajukan"}


@given(st.text(min_size=1))
def test_rule_11_12_any_text_survives_as_one_segment(text):
    hit = TABLE.find("DELETE", f"/v1/izin/{quote(text, safe='')}".encode())
    assert hit is not None
    assert decode(hit.params[0][1]) == text


@given(st.binary(max_size=60))
def test_no_path_breaks_the_table(path):
    for method in ("GET", "HEAD", "POST"):
        hit = TABLE.find(method, b"/" + path)
        assert hit is None or hit.value in {value for _, _, value in ROUTES}


@given(st.lists(st.sampled_from(["izin", "status", "{a}", "{b}", "x"]), min_size=1, max_size=5))
def test_every_template_is_found_by_its_own_filling(parts):
    table = Table([("GET", "/" + "/".join(parts), "it")])
    path = "/" + "/".join("isi" if part.startswith("{") else part for part in parts)
    hit = table.find("GET", path.encode())
    assert hit is not None
    assert [raw for _, raw in hit.params] == [b"isi" for part in parts if part.startswith("{")]
