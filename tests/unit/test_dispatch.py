"""The table of what can be asked: composites over agencies' operations, and what may not stand side by side."""

from pathlib import Path
from typing import Any

import pytest

from gateway import dispatch
from gateway.config.load import Located, load
from gateway.dispatch import table
from gateway.edge import needs
from gateway.edge.requests import OWN
from gateway.errors import ConfigError, Finding
from gateway.message import OperationId, Reply
from gateway.registry import Agency, Operation, Registry
from gateway.translate.compile import compile_operation
from gateway.translate.load import parse_mapping

TABLES = """
[lapor.request]
kategori = { from = "kategori", codes = "kategori" }
isi      = "isi"
[lapor.reply]
nomor = "nomor"

[lain.request]
kategori = { from = "kategori", codes = "kategori" }
[lain.reply]
nomor = { from = "nomor", integer = true }

[bebas.request]
kategori = "kategori"
isi      = "isi"
[bebas.reply]
nomor = "nomor"

[codes.kategori]
J = "jalan"
S = "sampah"

[cari.request]
nik = { from = "nik", digits = 16 }
[cari.reply]
jumlah = { from = "jumlah", integer = true }
"""
MAPPING = parse_mapping(TABLES, "mappings/x.toml")
ROUTE = """
[operation.aduan]
expose = "POST /v1/aduan"
route  = { by = "kategori", jalan = "dpupr/lapor", "*" = "diskominfo/lapor" }
"""
GATHER = """
[operation.ringkasan]
expose = "POST /v1/ringkasan"
safe   = true
gather = { izin = "dpupr/cari", kk = "diskominfo/cari" }
"""


CLIENT = f"""
[client.klik]
keys  = [{{ sha256 = "{"0" * 64}" }}]
allow = ["ALLOW"]
[agency.dpupr]
adapter = "rest"
mapping = "x"
"""


async def nothing(_: Any) -> Reply:
    return Reply(body={})


def agency(name: str, *operations: tuple[str, str | None]) -> Agency:
    return Agency(
        name=name,
        title=name.upper(),
        operations={o.id: o for o in (operation(name, *given) for given in operations)},
        breaker=lambda: "closed",
    )


def operation(agency: str, name: str, expose: str | None = None, deadline: float = 20.0) -> Operation:
    compiled = compile_operation(MAPPING, name)
    return Operation(
        id=OperationId(f"{agency}/{name}"),
        title=name,
        about="",
        agency=agency,
        agency_title=agency,
        safe=name == "cari",
        method=expose and expose.split()[0],
        path=expose and expose.split()[1],
        deadline=deadline,
        request=compiled.request,
        reply=compiled.reply,
        handler=nothing,
    )


def located(tmp_path: Path, text: str) -> Located:
    file = tmp_path / "gateway.toml"
    file.write_text(text)
    return load(file, {})


def made(tmp_path: Path, text: str, *agencies: Agency) -> Registry:
    read = located(tmp_path, text)
    return table(agencies or both(), read.config, read.where)


def both() -> tuple[Agency, Agency]:
    return (
        agency("dpupr", ("lapor", None), ("lain", None), ("cari", None)),
        agency("diskominfo", ("lapor", None), ("lain", None), ("cari", None)),
    )


def findings(tmp_path: Path, text: str, *agencies: Agency) -> tuple[Finding, ...]:
    with pytest.raises(ConfigError) as caught:
        made(tmp_path, text, *agencies)
    return caught.value.findings


def test_a_route_has_the_fields_its_targets_share(tmp_path: Path) -> None:
    aduan = made(tmp_path, ROUTE).operations[OperationId("gateway/aduan")]
    assert aduan.request.fields == {"kategori", "isi"}
    assert (aduan.method, aduan.path, aduan.safe, aduan.agency) == ("POST", "/v1/aduan", False, "gateway")


def test_a_gather_takes_what_any_part_takes_and_reads_only(tmp_path: Path) -> None:
    ringkasan = made(tmp_path, GATHER).operations[OperationId("gateway/ringkasan")]
    assert ringkasan.request.fields == {"nik"}
    assert ringkasan.safe


def test_a_composite_has_time_for_its_slowest_target(tmp_path: Path) -> None:
    slow = Agency(
        name="slow",
        title="",
        operations={OperationId("slow/cari"): operation("slow", "cari", deadline=45.0)},
        breaker=lambda: "closed",
    )
    text = GATHER.replace("diskominfo/cari", "slow/cari")
    assert made(tmp_path, text, both()[0], slow).longest_deadline == pytest.approx(45.0)


@pytest.mark.parametrize(
    "text", [ROUTE.replace("dpupr/lapor", "dpupr/lapur"), GATHER.replace("dpupr/cari", "dpupr/cary")]
)
def test_an_unknown_target_is_named_with_the_nearest(tmp_path: Path, text: str) -> None:
    (finding,) = findings(tmp_path, text)
    assert finding.where.startswith("gateway.toml:")
    assert "there is no operation" in finding.what
    assert "dpupr/" in finding.remedy


def test_a_composite_is_no_target_of_another(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, GATHER + ROUTE.replace("dpupr/lapor", "gateway/ringkasan"))
    assert "gateway/ringkasan" in finding.what


def test_rule_11_11_the_targets_of_a_route_must_agree_on_request_and_reply(tmp_path: Path) -> None:
    found = findings(tmp_path, ROUTE.replace("diskominfo/lapor", "diskominfo/lain"))
    assert any("request field isi" in finding.what for finding in found)
    assert any("reply field nomor" in finding.what for finding in found)


def test_a_route_needs_a_field_its_targets_have(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, ROUTE.replace('by = "kategori"', 'by = "jenis"'))
    assert 'no field "jenis"' in finding.what


def test_rule_11_11_a_gather_of_something_that_writes_is_refused(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, GATHER.replace("dpupr/cari", "dpupr/lapor"))
    assert "is not safe" in finding.what


@pytest.mark.parametrize("other", ["GET /v1/izin/{nomor}", "GET /v1/izin/{kode}"])
def test_two_operations_on_one_path_are_refused(tmp_path: Path, other: str) -> None:
    (finding,) = findings(tmp_path, "", agency("a", ("lapor", "GET /v1/izin/{nomor}")), agency("b", ("lapor", other)))
    assert "is exposed by a/lapor already" in finding.what


def test_one_path_may_serve_two_methods(tmp_path: Path) -> None:
    registry = made(tmp_path, "", agency("a", ("lapor", "POST /v1/x")), agency("b", ("cari", "GET /v1/x")))
    assert len(registry.exposed) == 2


@pytest.mark.parametrize("allow", ["dpupr/lapur", "dpupt/*", "dinkes/*", "lapor"])
def test_a_right_to_nothing_is_named(tmp_path: Path, allow: str) -> None:
    (finding,) = findings(tmp_path, CLIENT.replace("ALLOW", allow))
    assert finding.where == "gateway.toml:4"
    assert allow in finding.what


@pytest.mark.parametrize("allow", ["*", "gateway/*", "dpupr/*", "dpupr/lapor"])
def test_a_right_to_something_is_fine(tmp_path: Path, allow: str) -> None:
    assert made(tmp_path, CLIENT.replace("ALLOW", allow))


@pytest.mark.parametrize("expose", ["POST /v1/requests", "GET /v1/requests/{nomor}", "GET /v1/requests/{nomor}/isi"])
def test_where_apps_look_up_their_requests_nothing_is_exposed(tmp_path: Path, expose: str) -> None:
    (finding,) = findings(tmp_path, "", agency("a", ("lapor", expose)))
    assert "the gateway's own" in finding.what
    assert expose.split()[1] in finding.what


def test_a_path_that_only_begins_alike_is_fine(tmp_path: Path) -> None:
    assert made(tmp_path, "", agency("a", ("lapor", "POST /v1/requests-lain")))


def test_the_path_kept_free_is_the_one_that_is_served() -> None:
    assert dispatch.REQUESTS == needs.REQUESTS
    assert all(one.path is not None and one.path.startswith(dispatch.REQUESTS) for one in OWN)


def test_a_composite_knows_what_answers_for_it(tmp_path: Path) -> None:
    operations = made(tmp_path, ROUTE).operations
    assert operations[OperationId("gateway/aduan")].targets == ("dpupr/lapor", "diskominfo/lapor")
    assert not operations[OperationId("gateway/aduan")].stored


def test_a_route_to_what_writes_is_not_safe_whatever_it_says(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, ROUTE + "safe = true\n")
    assert finding.where == "gateway.toml:5"
    assert "dpupr/lapor" in finding.what


def test_a_route_goes_by_a_field_whose_words_are_known(tmp_path: Path) -> None:
    text = ROUTE.replace("dpupr/lapor", "a/bebas").replace("diskominfo/lapor", "b/bebas")
    (finding,) = findings(tmp_path, text, agency("a", ("bebas", None)), agency("b", ("bebas", None)))
    assert finding.where == "gateway.toml:4"
    assert "may be any text" in finding.what
    assert "code table" in finding.remedy
