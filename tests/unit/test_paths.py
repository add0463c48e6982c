"""Personal data and lost fields in URLs, on both sides."""

from collections.abc import Sequence
from typing import Any

import pytest

from gateway.errors import Finding
from gateway.message import OperationId, Reply
from gateway.paths import called, lost, personal
from gateway.ports import UrlFields
from gateway.registry import Operation
from gateway.translate.compile import Compiled, compile_operation
from gateway.translate.load import parse_mapping

MAPPING = """
[op.request]
orang.NIK = { from = "pemohon.nik", digits = 16, mask = true }
NAMA      = { from = ["depan", "belakang"], join = " ", mask = true }
halaman   = "halaman"
pengirim  = "@client"
[op.request.keluarga]
each = "anggota"
no   = { from = "nik", mask = true }
[op.reply]
x = "x"
"""


def compiled() -> Compiled:
    return compile_operation(parse_mapping(MAPPING, "mappings/x.toml"), "op")


async def nothing(_: Any) -> Reply:
    return Reply(body={})


def exposed(method: str, path: str, agency: str = "dinkes") -> Operation:
    made = compiled()
    return Operation(
        id=OperationId(f"{agency}/cari"),
        title="",
        about="",
        agency=agency,
        agency_title="",
        safe=True,
        method=method,
        path=path,
        deadline=1.0,
        request=made.request,
        reply=made.reply,
        handler=nothing,
    )


def where(*path: str) -> str:
    return ".".join(path)


@pytest.mark.parametrize(
    ("method", "path", "names"),
    [
        ("GET", "/v1/x", "anggota.nik, belakang, depan, pemohon.nik"),
        ("DELETE", "/v1/x", "anggota.nik, belakang, depan, pemohon.nik"),
        ("POST", "/v1/x", None),
        ("POST", "/v1/{halaman}", None),
        ("POST", "/v1/{depan}/cari", "depan"),
        ("PUT", "/v1/{pemohon.nik}", "pemohon.nik"),
    ],
)
def test_personal_data_in_an_exposed_url_is_a_warning(method: str, path: str, names: str | None) -> None:
    found = list(personal([exposed(method, path)], where))
    assert [finding.what for finding in found] == [
        f"dinkes/cari: {names} is personal (mask = true) and travels in the URL" for _ in range(1) if names
    ]
    assert all(finding.warning for finding in found)


def test_a_composite_is_found_where_it_is_written() -> None:
    (finding,) = personal([exposed("GET", "/v1/x", "gateway")], where)
    assert finding.where == "operation.cari.expose"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/{nik}", "nik"),
        ("/v1/{pemohon}", "pemohon"),
        ("/v1/{anggota.nik}", "anggota.nik"),
        ("/v1/{pemohon.nik}", ""),
    ],
)
def test_a_path_takes_only_single_fields_of_the_request(path: str, name: str) -> None:
    found = list(lost([exposed("POST", path)], where))
    assert [finding.what for finding in found] == [
        f"dinkes/cari: the path has {{{name}}}, and the request has no such field" for _ in range(1) if name
    ]


def told(found: Sequence[Finding]) -> list[str]:
    return [finding.what.partition(" is personal")[0] for finding in found]


@pytest.mark.parametrize(
    ("url", "names"),
    [
        (UrlFields(), []),
        (UrlFields(path=("halaman", "pengirim")), []),
        (UrlFields(path=("NAMA",)), ["a/b: belakang, depan"]),
        (UrlFields(query=True), ["a/b: pemohon.nik", "a/b: belakang, depan", "a/b: anggota.nik"]),
    ],
)
def test_personal_data_in_a_url_of_an_agency_is_an_error(url: UrlFields, names: list[str]) -> None:
    found = list(called("a/b", url, compiled(), "gateway.toml:7"))
    assert told(found) == names
    assert not any(finding.warning for finding in found)


@pytest.mark.parametrize("name", ["nik", "orang", "keluarga"])
def test_a_field_of_a_url_must_be_a_single_value_that_a_rule_builds(name: str) -> None:
    (*_, finding) = called("a/b", UrlFields(path=(name,)), compiled(), "gateway.toml:7")
    assert finding.what == f"a/b: the call has {{{name}}}, and no rule of the request builds {name}"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (UrlFields(), 0),
        (UrlFields(path=("kata_sandi",)), 1),
        (UrlFields(query=True), 1),
        (UrlFields(path=("siapa",)), 0),
    ],
)
def test_a_password_never_travels_in_a_url(url: UrlFields, found: int) -> None:
    mapping = parse_mapping(
        '[x.request]\nkata_sandi = "@login.password"\nsiapa = "@login.user"\n[x.reply]\na = "a"\n', "m.toml"
    )
    told = [finding.what for finding in called("a/x", url, compile_operation(mapping, "x"), "gateway.toml:7")]
    assert [what for what in told if "@login.password would travel" in what] == told
    assert len(told) == found
