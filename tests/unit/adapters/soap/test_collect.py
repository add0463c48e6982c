"""What a WSDL is made of, read from a real server and from files; nothing of it is trusted."""

from collections.abc import Iterator
from pathlib import Path
from time import process_time

import pytest

from adapters.soap.collect import Taken, collect
from adapters.soap.override import Override, read_override
from adapters.soap.planning import read_plans
from adapters.soap.source import Limits, Source, shown
from gateway import ConfigError
from tests.served import Page, Server, serving

WSDL = """<?xml version="1.0" encoding="UTF-8"?>
<!-- as the agency wrote it -->
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
   xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" targetNamespace="urn:t">
 <types><xs:schema targetNamespace="urn:in">{imports}</xs:schema></types>
 <message name="tanya"><part name="p" type="t:Isi"/></message>
 <portType name="P"><operation name="tanya"><input message="t:tanya"/></operation></portType>
 <binding name="B" type="t:P"><soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
  <operation name="tanya"><soap:operation soapAction="a"/>
   <input><soap:body use="literal" namespace="urn:t"/></input></operation>
 </binding>
 <service name="S"><port name="X" binding="t:B"><soap:address location="http://127.0.0.1:9/x"/></port></service>
</definitions>
"""
XSD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" targetNamespace="{of}">{has}</xs:schema>'
ISI = '<xs:complexType name="Isi"><xs:sequence><xs:element name="nik" type="xs:string"/></xs:sequence></xs:complexType>'


def imported(location: str, namespace: str = "urn:t") -> str:
    return f'<xs:import namespace="{namespace}" schemaLocation="{location}"/>'


def wsdl(*imports: str) -> str:
    return WSDL.replace("{imports}", "".join(imports))


def xsd(*has: str, of: str = "urn:t") -> str:
    return XSD.format(of=of, has="".join(has))


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def took(start: str | Path, folder: Path, **settings: object) -> list[Taken]:
    names = settings.pop("names", {})
    return collect(
        Source(start=str(start), **settings),  # type: ignore[arg-type]
        read_override(folder),
        folder=folder,
        names=names,  # type: ignore[arg-type]
    )


def refused(start: str | Path, folder: Path, **settings: object) -> tuple[str, str, str]:
    with pytest.raises(ConfigError) as caught:
        took(start, folder, **settings)
    found = caught.value.findings[0]
    return found.where, found.what, found.remedy


def pinned(files: list[Taken], folder: Path) -> Path:
    for one in files:
        (folder / one.name).write_bytes(one.content)
    return folder / files[0].name


def test_absolute_relative_and_nested_imports_lie_flat_and_are_planned_offline(server: Server, tmp_path: Path) -> None:
    start = server.put("/layanan/Izin.svc?wsdl", wsdl(imported("{url}/layanan/Izin.svc?xsd=1")))
    server.put("/layanan/Izin.svc?xsd=1", xsd('<xs:include schemaLocation="../tipe/umum.xsd"/>'))
    server.put("/tipe/umum.xsd", xsd(ISI, '<xs:include schemaLocation="lagi/umum.xsd"/>'))
    server.put("/tipe/lagi/umum.xsd", xsd('<xs:include schemaLocation="../umum.xsd"/>'))

    files = took(start, tmp_path)
    server.pages.clear()

    assert [one.name for one in files] == ["izin.wsdl", "izin-xsd1.xsd", "umum.xsd", "umum-2.xsd"]
    assert files[3].content.decode() == xsd('<xs:include schemaLocation="umum.xsd"/>')
    assert files[1].origin == f"{server.url}/layanan/Izin.svc?xsd=1"
    assert len(server.asked) == 4
    (operation,) = read_plans(pinned(files, tmp_path)).operations.values()
    assert operation.request.payload is not None
    assert operation.request.payload.shape is not None
    assert operation.request.payload.shape.fields[0].shape is not None


def test_every_byte_but_the_locations_stays_as_the_agency_wrote_it(server: Server, tmp_path: Path) -> None:
    text = wsdl(imported("{url}/b.xsd?x=1&amp;y=2").replace('"', "'")).replace("UTF-8", "ISO-8859-1")
    server.pages["/a?wsdl"] = Page(text.replace("{url}", server.url).replace("agency", "dínas").encode("latin-1"))
    server.put("/b.xsd?x=1&y=2", xsd(ISI))

    first = took(f"{server.url}/a?wsdl", tmp_path)[0]

    wanted = wsdl(f"<xs:import namespace='urn:t' schemaLocation=\"{'b-x-1-y-2.xsd'}\"/>").replace("UTF-8", "ISO-8859-1")
    assert first.content == wanted.replace("agency", "dínas").encode("latin-1")


def test_utf_16_is_taken_in_as_it_is(server: Server, tmp_path: Path) -> None:
    text = wsdl(imported("b.xsd")).replace("UTF-8", "UTF-16")
    server.pages["/a.wsdl"] = Page(text.encode("utf-16"))
    server.put("/b.xsd", xsd(ISI))

    assert read_plans(pinned(took(f"{server.url}/a.wsdl", tmp_path), tmp_path)).operations.keys() == {"tanya"}


def test_a_file_keeps_the_name_that_it_was_given_before(server: Server, tmp_path: Path) -> None:
    start = server.put("/a?wsdl", wsdl(imported("/x/umum.xsd"), imported("/y/umum.xsd", "urn:y")))
    server.put("/x/umum.xsd", xsd(ISI))
    server.put("/y/umum.xsd", xsd(of="urn:y"))
    before = {one.origin: one.name for one in took(start, tmp_path)}
    server.put("/a?wsdl", wsdl(imported("/y/umum.xsd", "urn:y"), imported("/x/umum.xsd")))

    assert {one.origin: one.name for one in took(start, tmp_path, names=before)} == before


def test_two_places_that_differ_in_a_secret_only_are_two_files(server: Server, tmp_path: Path) -> None:
    places = [imported("/x?xsd=1&amp;key=a"), imported("/x?xsd=1&amp;key=b", "urn:y")]
    start = server.put("/a?wsdl", wsdl(*places))
    server.put("/x?xsd=1&key=a", xsd(ISI))
    server.put("/x?xsd=1&key=b", xsd(of="urn:y"))

    before = took(start, tmp_path)
    after = took(start, tmp_path, names={one.origin: one.name for one in before})

    assert [len({one.name for one in files}) for files in (before, after)] == [3, 3]
    assert "key=a" not in " ".join([one.name + one.origin for one in before])


def test_well_known_namespaces_are_never_fetched(server: Server, tmp_path: Path) -> None:
    known = (
        imported("http://schemas.xmlsoap.org/soap/encoding/", "http://schemas.xmlsoap.org/soap/encoding/"),
        imported("http://www.w3.org/2001/xml.xsd", "http://www.w3.org/XML/1998/namespace"),
        imported("mime.xsd", "http://www.w3.org/2005/05/xmlmime"),
        imported("{url}/dsig.xsd", "http://www.w3.org/2000/09/xmldsig#"),
    )
    start = server.put("/a?wsdl", wsdl(imported("b.xsd"), *known))
    server.put("/b.xsd", xsd(ISI))

    files = took(start, tmp_path)

    assert [target for target, _ in server.asked] == ["/a?wsdl", "/b.xsd"]
    assert read_plans(pinned(files, tmp_path)).operations.keys() == {"tanya"}


def test_local_files_may_lie_in_other_folders_beside(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "tipe").mkdir()
    (tmp_path / "w/a.wsdl").write_text(wsdl(imported("../tipe/isi baru.xsd"), imported("b%20c.xsd", "urn:b")))
    (tmp_path / "tipe/isi baru.xsd").write_text(xsd(ISI))
    (tmp_path / "w/b c.xsd").write_text(xsd(of="urn:b"))

    files = took(tmp_path / "w/a.wsdl", tmp_path / "pinned")

    assert [(one.name, one.origin) for one in files] == [
        ("a.wsdl", "a.wsdl"),
        ("isi-baru.xsd", "../tipe/isi baru.xsd"),
        ("b-c.xsd", "b c.xsd"),
    ]


@pytest.mark.parametrize("location", ["file:///etc/passwd", "/etc/passwd", "ftp://127.0.0.1/x.xsd"])
def test_a_file_that_the_agency_chose_is_not_read(location: str, tmp_path: Path) -> None:
    path = tmp_path / "a.wsdl"
    path.write_text(wsdl(imported(location)))

    where, what, remedy = refused(path, tmp_path)

    assert where.endswith("a.wsdl:5")
    assert what == f"imports {location}, which is not read"
    assert "override.toml" in remedy


def test_a_wsdl_from_a_server_can_not_name_a_file_of_this_machine(server: Server, tmp_path: Path) -> None:
    start = server.put("/a?wsdl", wsdl(imported("file:///etc/hostname")))

    assert "which is not read" in refused(start, tmp_path)[1]
    assert len(server.asked) == 1


def test_what_an_import_leads_to_never_shows_in_an_error(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w/a.wsdl").write_text(wsdl(imported("../catatan.txt")))
    (tmp_path / "catatan.txt").write_text("sandi: rahasia-sekali")

    assert "rahasia" not in " ".join(refused(tmp_path / "w/a.wsdl", tmp_path))


BOMB = '<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {after} "{f"&{before};" * 10}">' for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "top",
    [
        '<!DOCTYPE definitions SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE definitions [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        BOMB + "]>",
        f"<!DOCTYPE l [{''.join(f'<!ATTLIST l a{number} CDATA #IMPLIED>' for number in range(50_000))}]>",
    ],
    ids=["external", "entity", "bomb", "attributes"],
)
def test_a_doctype_is_refused_at_once(top: str, server: Server, tmp_path: Path) -> None:
    start = server.put("/a?wsdl", wsdl().replace("<!-- as the agency wrote it -->", top))
    before = process_time()

    where, what, remedy = refused(start, tmp_path)

    assert process_time() - before < 0.5
    assert (where, what) == (f"{server.url}/a?wsdl:1", "has a DOCTYPE, which is not read")
    assert 'file = "a.wsdl"' in remedy


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(file=100), "is over 100 bytes"),
        (Limits(total=1300), "is larger than what is read"),
        (Limits(files=1), "is made of more than 1 files"),
        (Limits(depth=1), "is imported too deeply"),
    ],
)
def test_there_is_an_end_to_everything(limits: Limits, says: str, server: Server, tmp_path: Path) -> None:
    start = server.put("/a?wsdl", wsdl(imported("b.xsd")))
    server.put("/b.xsd", xsd(ISI, '<xs:include schemaLocation="c.xsd"/>', " " * 300))
    server.put("/c.xsd", xsd())

    assert says in " ".join(refused(start, tmp_path, limits=limits))


def test_a_crowd_of_attributes_is_refused_at_once(server: Server, tmp_path: Path) -> None:
    crowd = " ".join(f'a{number}="x"' for number in range(20_000))
    start = server.put("/a?wsdl", wsdl().replace("<portType ", f"<portType {crowd} "))
    before = process_time()

    assert "more than 200 attributes" in refused(start, tmp_path)[1]
    assert process_time() - before < 0.5


def test_a_slow_agency_is_given_up_in_all(server: Server, tmp_path: Path) -> None:
    hands = iter([0.0, 1.0, 61.0])
    start = server.put("/a?wsdl", wsdl(imported("b.xsd")))

    assert "within 60 s in all" in refused(start, tmp_path, clock=lambda: next(hands))[1]


def test_redirects_are_followed_and_imports_start_where_they_end(server: Server, tmp_path: Path) -> None:
    server.pages["/old?wsdl"] = Page(status=302, headers={"Location": "/new/a?wsdl"})
    server.put("/new/a?wsdl", wsdl(imported("b.xsd")))
    server.put("/new/b.xsd", xsd(ISI))

    assert [one.name for one in took(f"{server.url}/old?wsdl", tmp_path)] == ["old.wsdl", "b.xsd"]


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (Page(status=302, headers={"Location": "/a?wsdl"}), "is redirected without end"),
        (Page(status=302, headers={"Location": "file:///etc/passwd"}), "no HTTP address"),
        (Page(status=404), "was answered with HTTP 404"),
        (Page(status=401), "${PASSWORD}"),
        (Page(b"<!DOCTYPE html><html><br></html>"), "is an HTML page, not a WSDL"),
        (Page(b"Warning: mysql_connect()"), "is not well-formed XML"),
        (Page(xsd().encode()), "is no WSDL 1.1 but an XML Schema"),
        (Page(b'<description xmlns="http://www.w3.org/ns/wsdl"/>'), "is no WSDL 1.1 but <description>"),
    ],
)
def test_what_is_no_wsdl_is_told(page: Page, says: str, server: Server, tmp_path: Path) -> None:
    server.pages["/a?wsdl"] = page

    assert says in " ".join(refused(f"{server.url}/a?wsdl", tmp_path))


def test_an_import_that_can_not_be_had_is_told_with_who_imports_it(server: Server, tmp_path: Path) -> None:
    start = server.put("/a?wsdl", wsdl(imported("b.xsd")))

    where, what, remedy = refused(start, tmp_path)

    assert where == start
    assert what == f"imports {server.url}/b.xsd, which was answered with HTTP 404"
    assert "[[instead]]" in remedy


def test_a_file_is_used_instead_of_what_an_import_names(server: Server, tmp_path: Path) -> None:
    start = server.put("/a?wsdl", wsdl(imported("http://lama.example/isi.xsd")))
    (tmp_path / "isi.xsd").write_text(xsd(ISI))
    (tmp_path / "override.toml").write_text('[[instead]]\nof = "http://lama.example/isi.xsd"\nuse = "isi.xsd"\n')

    files = took(start, tmp_path)

    assert [(one.name, one.origin) for one in files] == [("a.wsdl", start), ("isi.xsd", "override.toml")]
    assert read_plans(pinned(files, tmp_path)).operations.keys() == {"tanya"}


def test_a_wrong_import_namespace_is_told_with_the_override_that_mends_it(server: Server, tmp_path: Path) -> None:
    start = server.put("/a?wsdl", wsdl(imported("b.xsd", "urn:salah")))
    server.put("/b.xsd", xsd(ISI))

    where, what, remedy = refused(start, tmp_path)
    find, replace = "'namespace=\"urn:salah\"'", "'namespace=\"urn:t\"'"
    (tmp_path / "override.toml").write_text(f'[[change]]\nfile = "a.wsdl"\nfind = {find}\nreplace = {replace}\n')

    assert where == f"{tmp_path}/a.wsdl:5"
    assert what == 'imports the namespace "urn:salah" from b.xsd, which has "urn:t"'
    assert f"find = {find}, replace = {replace}" in remedy
    files = took(start, tmp_path)
    assert b"urn:salah" in files[0].content
    assert read_plans(pinned(files, tmp_path)).operations.keys() == {"tanya"}


def test_a_schema_in_a_draft_language_is_told(server: Server, tmp_path: Path) -> None:
    old = xsd(ISI).replace("2001/XMLSchema", "1999/XMLSchema")
    start = server.put("/a?wsdl", wsdl().replace("<types>", f"<types>{old}"))

    where, what, _ = refused(start, tmp_path)

    assert where == f"{tmp_path}/a.wsdl:5"
    assert what == "its schema is in the draft language of 1999"


def test_credentials_go_to_the_server_of_the_wsdl_only(server: Server, tmp_path: Path) -> None:
    with serving() as other:
        start = server.put("/a?wsdl", wsdl(imported("b.xsd"), imported(other.put("/c.xsd", xsd(of="urn:c")), "urn:c")))
        server.put("/b.xsd", xsd(ISI))

        took(start, tmp_path, credentials="tamu:rahasia")

        assert {authorization for _, authorization in server.asked} == {"Basic dGFtdTpyYWhhc2lh"}
        assert {authorization for _, authorization in other.asked} == {""}


def test_an_address_is_shown_without_its_secrets() -> None:
    assert shown("http://u:p@h/x?wsdl") == "http://h/x?wsdl"
    assert shown("https://h/x?wsdl=1&token=abc#y") == "https://h/x?wsdl=1&token=***"
    assert shown("wsdl/x.wsdl") == "wsdl/x.wsdl"


def test_an_override_without_a_file_changes_nothing() -> None:
    assert Override().apply("a.wsdl", b"x") == b"x"
