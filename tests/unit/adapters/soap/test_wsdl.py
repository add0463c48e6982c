from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.soap.planning import read_plans
from gateway import ConfigError

Edit = Callable[[str, str], Path]


@pytest.fixture
def edited(wsdls: Path, tmp_path: Path) -> Edit:
    """Return a function that writes izin.wsdl with one text replaced."""

    def edit(old: str, new: str) -> Path:
        text = (wsdls / "izin.wsdl").read_text()
        assert old in text
        path = tmp_path / "agency" / "izin.wsdl"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace(old, new))
        return path

    return edit


def finding(path: Path, **choice: str) -> tuple[str, str, str]:
    with pytest.raises(ConfigError) as caught:
        read_plans(path, **choice)
    (found,) = caught.value.findings
    return found.where, found.what, found.remedy


TYPES = "<wsdl:types>"


def importing(location: str) -> str:
    schema = f'<xs:import namespace="urn:x" schemaLocation="{location}"/>'
    return f'{TYPES}<xs:schema targetNamespace="urn:y">{schema}</xs:schema>'


def test_a_nusoap_wsdl_loads_without_network(wsdls: Path) -> None:
    plans = read_plans(wsdls / "sipolan.wsdl")

    assert sorted(plans.operations) == ["simpanRiwayat", "statusPermohonan"]
    assert plans.address == "http://127.0.0.1:8181/sipolan"


def test_the_well_known_schemas_are_shipped(edited: Edit) -> None:
    known = [
        ("http://www.w3.org/2003/05/soap-envelope", ""),
        ("http://www.w3.org/2003/05/soap-encoding", ""),
        ("http://schemas.xmlsoap.org/soap/envelope/", ""),
        ("http://www.w3.org/XML/1998/namespace", 'schemaLocation="http://www.w3.org/2001/xml.xsd"'),
        ("http://www.w3.org/2005/05/xmlmime", 'schemaLocation="http://www.w3.org/2005/05/xmlmime"'),
        ("http://ws-i.org/profiles/basic/1.1/xsd", ""),
        ("http://www.w3.org/2000/09/xmldsig#", ""),
        ("http://www.w3.org/2005/08/addressing", ""),
    ]
    imports = "".join(f'<xs:import namespace="{namespace}" {location}/>' for namespace, location in known)
    uses = """
      <xs:complexType name="Semua" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
          xmlns:m="http://www.w3.org/2005/05/xmlmime" xmlns:a="http://www.w3.org/2005/08/addressing"
          xmlns:r="http://ws-i.org/profiles/basic/1.1/xsd">
        <xs:sequence>
          <xs:element ref="ds:Signature"/>
          <xs:element name="berkas" type="m:base64Binary"/>
          <xs:element name="lampiran" type="r:swaRef"/>
          <xs:element ref="a:ReplyTo"/>
        </xs:sequence>
        <xs:attribute ref="xml:lang"/>
      </xs:complexType>"""
    path = edited(TYPES, f'{TYPES}<xs:schema targetNamespace="urn:y">{imports}{uses}</xs:schema>')

    assert read_plans(path).operations


def test_an_import_over_the_network_is_refused(edited: Edit, tmp_path: Path) -> None:
    where, what, remedy = finding(edited(TYPES, importing("http://127.0.0.1:9/types.xsd")))

    assert where == str(tmp_path / "agency" / "izin.wsdl")
    assert what == "imports http://127.0.0.1:9/types.xsd"
    assert "beside the WSDL" in remedy


@pytest.mark.parametrize("location", ["/etc/hostname", "../secret.xsd", "file:///etc/hostname", "a/../../secret.xsd"])
def test_a_file_outside_the_folder_is_never_read(edited: Edit, tmp_path: Path, location: str) -> None:
    (tmp_path / "secret.xsd").write_text("RAHASIA")

    _, what, _ = finding(edited(TYPES, importing(location)))

    assert "outside" in what
    assert "RAHASIA" not in what


def test_a_link_out_of_the_folder_is_not_followed(edited: Edit, tmp_path: Path) -> None:
    (tmp_path / "secret.xsd").write_text("RAHASIA")
    path = edited(TYPES, importing("link.xsd"))
    (path.parent / "link.xsd").symlink_to(tmp_path / "secret.xsd")

    assert "outside" in finding(path)[1]


def test_a_schema_beside_the_wsdl_is_read(edited: Edit) -> None:
    path = edited(TYPES, importing("lain.xsd"))
    (path.parent / "lain.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x"/>'
    )

    assert read_plans(path).operations


def test_a_missing_file_is_named(edited: Edit) -> None:
    where, what, _ = finding(edited(TYPES, importing("lain.xsd")))

    assert where.endswith("lain.xsd")
    assert "No such file" in what


def test_broken_xml_is_named_with_its_line(edited: Edit) -> None:
    where, what, _ = finding(edited("</wsdl:types>", "</wsdl:typo>"))

    assert where.rpartition(":")[2].isdigit()
    assert "not well-formed" in what


def test_a_doctype_is_refused(edited: Edit) -> None:
    path = edited('<?xml version="1.0" encoding="UTF-8"?>', "<!DOCTYPE x [<!ENTITY a 'b'>]>")

    assert "DOCTYPE" in finding(path)[1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('type="t:Pemohon"', 'type="t:TidakAda"'),
        ('type="xs:int"', 'type="xs:itn"'),
        ('binding="t:Izin11"', 'binding="t:Lain" x="'),
        ('part="AuthHeader" use="literal"', 'part="Lain" use="literal"'),
        ("<xs:sequence>", "<xs:sekuens>"),
    ],
)
def test_a_wrong_wsdl_is_one_finding_with_a_remedy(edited: Edit, old: str, new: str) -> None:
    where, what, remedy = finding(edited(old, new))

    assert "izin.wsdl" in where
    assert what
    assert remedy


def test_an_operation_that_the_loader_drops_is_refused_with_the_reason(edited: Edit) -> None:
    plans = read_plans(edited('element="t:AjukanIzin"', 'element="t:Lain"'))

    assert sorted(plans.refused) == ["AjukanIzin", "Catat", "TanamPohon"]
    assert "AjukanIzinIn" in plans.refused["AjukanIzin"].what
    assert not plans.operations


def test_the_port_is_chosen_by_name(wsdls: Path) -> None:
    assert read_plans(wsdls / "izin.wsdl").soap == "1.1"
    chosen = read_plans(wsdls / "izin.wsdl", port="IzinSoap12")

    assert (chosen.soap, chosen.address) == ("1.2", "http://127.0.0.1:1/izin12")


def test_an_unknown_port_or_service_lists_those_there_are(wsdls: Path) -> None:
    assert finding(wsdls / "izin.wsdl", port="Izin")[2] == "set port to one of: IzinSoap, IzinSoap12"
    assert finding(wsdls / "izin.wsdl", service="Izn")[2] == "set service to one of: Izin"


def test_of_several_services_one_must_be_chosen(edited: Edit) -> None:
    second = """<wsdl:service name="Lain"><wsdl:port name="L" binding="t:Izin11">
      <soap:address location="http://127.0.0.1:1/lain"/></wsdl:port></wsdl:service></wsdl:definitions>"""
    path = edited("</wsdl:definitions>", second)

    assert finding(path)[1:] == ("has several services", "set service to one of: Izin, Lain")
    assert read_plans(path, service="Lain").address == "http://127.0.0.1:1/lain"


def test_a_finding_names_its_file_as_the_configuration_does(
    edited: Edit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited('type="xs:int"', 'type="xs:itn"')
    monkeypatch.chdir(tmp_path)

    assert finding(Path("agency/izin.wsdl"))[0].partition(":")[0] == "agency/izin.wsdl"
