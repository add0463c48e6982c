"""Two versions of a WSDL compared; the words are for whoever keeps the mapping."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.soap.difference import difference
from adapters.soap.planning import Plans, read_plans

CHANGES: Mapping[str, tuple[str, str, list[str]]] = {
    "nothing": ("<wsdl:types>", "<!-- new --><wsdl:types>", []),
    "the address": (
        "http://127.0.0.1:1/izin",
        "http://10.0.0.1/izin",
        ["the address is http://10.0.0.1/izin now, not http://127.0.0.1:1/izin"],
    ),
    "an action": ('soapAction="catat"', 'soapAction="tulis"', ["Catat: the SOAPAction is tulis now, not catat"]),
    "a length": (
        '<xs:length value="16"/>',
        '<xs:maxLength value="20"/>',
        [
            f"{where}nik takes at most 20 characters now, not exactly 16 characters"
            for where in (
                "AjukanIzin: request: field pemohon.",
                "AjukanIzin: reply: field riwayat.",
                "Catat: request: field pemohon.",
            )
        ],
    ),
    "a value more": (
        '<xs:enumeration value="tolak"/>',
        '<xs:enumeration value="tolak"/><xs:enumeration value="tunda"/>',
        [
            "AjukanIzin: request: field status takes tunda as well now",
            "AjukanIzin: reply: field status takes tunda as well now",
            "Catat: request: field status takes tunda as well now",
        ],
    ),
    "a value fewer": (
        '<xs:enumeration value="tolak"/>',
        "",
        [
            "AjukanIzin: request: field status does not take tolak any more",
            "AjukanIzin: reply: field status does not take tolak any more",
            "Catat: request: field status does not take tolak any more",
        ],
    ),
}


def changed(wsdls: Path, folder: Path, old: str, new: str) -> Plans:
    text = (wsdls / "izin.wsdl").read_text()
    assert old in text
    (folder / "izin.wsdl").write_text(text.replace(old, new))
    return read_plans(folder / "izin.wsdl")


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_said_in_plain_words(wsdls: Path, izin: Plans, tmp_path: Path, name: str) -> None:
    old, new, says = CHANGES[name]

    assert list(difference(izin, changed(wsdls, tmp_path, old, new))) == says


def test_operations_come_and_go(izin: Plans) -> None:
    less = Plans(address=izin.address, soap=izin.soap, operations={}, refused=izin.refused)

    assert "operation Catat is gone" in difference(izin, less)
    assert "operation Catat is new" in difference(less, izin)


def test_fields_come_and_go_and_change_their_kind(wsdls: Path, izin: Plans, tmp_path: Path) -> None:
    found = difference(izin, changed(wsdls, tmp_path, 'name="luas" type="xs:int"', 'name="luasan" type="xs:string"'))

    assert "Catat: request: field luasan is new (xsd:string), and it must be sent" in found
    assert "Catat: request: field luas is gone" in found
    assert "AjukanIzin: reply: field luasan is new (xsd:string)" in found


def test_another_version_of_soap_and_another_style_are_told(izin: Plans, izin12: Plans, sipolan: Plans) -> None:
    assert "the SOAP version is 1.2 now, not 1.1" in difference(izin, izin12)
    assert "operation statusPermohonan is new" in difference(izin, sipolan)
