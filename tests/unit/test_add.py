"""`gateway add` without its command line: what is chosen, what is refused, and public WSDLs that nobody here wrote."""

import contextlib
import os
import shutil
from pathlib import Path
from time import process_time

import pytest

from gateway import add, app
from gateway.errors import ConfigError

ROOT = Path(__file__).parents[2]
IZIN = ROOT / "tests/unit/adapters/soap/wsdl/izin.wsdl"
CONFIG = Path("gateway.toml")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    CONFIG.write_text('[gateway]\ntimezone = "Asia/Jayapura"\n')
    return tmp_path


def wanted(location: Path | str = IZIN, **choice: object) -> add.Wanted:
    return add.Wanted(agency="izin", location=str(location), **choice)  # type: ignore[arg-type]


def refused(act: object, *arguments: object) -> str:
    assert callable(act)
    with pytest.raises(ConfigError) as caught:
        act(CONFIG, *arguments, {})
    return "\n".join(map(str, caught.value.findings))


def test_what_can_not_be_taken_in_is_named_with_its_reason_and_the_rest_is_written(here: Path) -> None:
    added = add.soap(CONFIG, wanted(), {})

    assert [called.call for called in added.section.operations] == ["AjukanIzin", "Catat"]
    assert list(added.refused) == ["TanamPohon"]
    assert "has 2 parts" in added.refused["TanamPohon"]
    assert app.check(CONFIG, {"IZIN_PASSWORD": "x"}) == []
    assert 'timezone = "Asia/Jayapura"' in CONFIG.read_text()


def test_what_goes_through_zeeps_tree_is_taken_in_and_warned_of() -> None:
    add.soap(CONFIG, wanted(IZIN.with_name("ragam.wsdl")), {})

    (warning,) = app.check(CONFIG, {})
    assert warning.warning
    assert "izin/kembar: its request goes through zeep's tree: type 'Kembar' has two elements" in warning.what


def test_only_the_operations_that_are_asked_for_are_taken_in() -> None:
    added = add.soap(CONFIG, wanted(only=["Catat"]), {})

    assert [called.name for called in added.section.operations] == ["catat"]
    assert added.refused == {}


def test_a_port_and_an_address_that_are_asked_for_stand_in_the_section() -> None:
    add.soap(CONFIG, wanted(port="IzinSoap12", url="https://izin.example/soap"), {})

    text = CONFIG.read_text()
    assert 'port     = "IzinSoap12"' in text
    assert 'url      = "https://izin.example/soap"' in text
    assert app.check(CONFIG, {"IZIN_PASSWORD": "x"}) == []


def test_nothing_is_written_where_nothing_can_be_taken_in(here: Path) -> None:
    before = CONFIG.read_bytes()

    said = refused(add.soap, wanted(only=["TanamPohon"]))

    assert "no operation of it can be taken in" in said
    assert "has 2 parts" in said
    assert 'did you mean "Catat"?' in refused(add.soap, wanted(only=["Catatt"]))
    assert "has no port 'X'" in refused(add.soap, wanted(port="X"))
    assert CONFIG.read_bytes() == before
    assert [path.name for path in here.iterdir()] == ["gateway.toml"]


def test_a_mapping_that_is_there_already_is_not_overwritten(here: Path) -> None:
    (here / "mappings").mkdir()
    (here / "mappings/izin.toml").write_text("# ours")

    assert "mappings/izin.toml: is there already" in refused(add.soap, wanted())
    assert (here / "mappings/izin.toml").read_text() == "# ours"


def test_another_wsdl_in_the_folder_is_not_overwritten(here: Path) -> None:
    (here / "wsdl/izin").mkdir(parents=True)
    (here / "wsdl/izin/izin.wsdl").write_text("<ours/>")

    assert "wsdl/izin/izin.wsdl: is there already" in refused(add.soap, wanted())
    shutil.copy(IZIN, "wsdl/izin/izin.wsdl")
    assert add.soap(CONFIG, wanted("wsdl/izin/izin.wsdl"), {}).refused


def test_types_that_unfold_without_end_are_refused_at_once(here: Path) -> None:
    levels = "".join(
        f'<xs:complexType name="T{level}"><xs:sequence><xs:element name="a" type="t:T{level + 1}"/>'
        f'<xs:element name="b" type="t:T{level + 1}"/></xs:sequence></xs:complexType>'
        for level in range(40)
    )
    last = '<xs:complexType name="T40"><xs:sequence><xs:element name="a" type="xs:int"/></xs:sequence></xs:complexType>'
    text = IZIN.read_text().replace('name="luas" type="xs:int"', 'name="luas" type="t:T0"')
    Path("wide.wsdl").write_text(text.replace("<xs:complexType", f"{levels}{last}<xs:complexType", 1))
    before = process_time()

    said = refused(add.soap, wanted(here / "wide.wsdl"))

    assert "has more than 1000 fields in its request" in said
    assert process_time() - before < 1.0


def test_a_wsdl_without_an_address_needs_one(here: Path) -> None:
    mute = here / "mute.wsdl"
    mute.write_text(IZIN.read_text().replace("http://127.0.0.1:1/izin", "REPLACE_WITH_ACTUAL_URL"))

    assert "name it with --url" in refused(add.soap, wanted(mute))
    assert add.soap(CONFIG, wanted(mute, url="http://izin.example/"), {}).section.operations


def test_a_wsdl_that_was_pinned_by_hand_can_be_compared_and_renewed(here: Path) -> None:
    shutil.copytree(ROOT / "wsdl", "wsdl")
    shutil.copy(ROOT / "gateway.toml", CONFIG)
    newer = here / "baru.wsdl"
    text = Path("wsdl/dpmptsp/sipolan.wsdl").read_text("latin-1")
    newer.write_text(text.replace('name="sla_hari" type="xsd:int"', 'name="sla_hari" type="xsd:string"'), "latin-1")

    assert "nobody wrote down where the WSDL of dpmptsp is from" in refused(add.compare, "dpmptsp", "")
    renewed = add.renew(CONFIG, "dpmptsp", str(newer), {})

    line = "daftarJenisIzin: reply: field daftar.item.sla_hari is xsd:string now, not xsd:int"
    assert renewed.changes == (line,)
    assert Path("wsdl/dpmptsp/sipolan.wsdl").read_bytes() == newer.read_bytes()
    assert add.compare(CONFIG, "dpmptsp", "", {}).changes == ()


def test_what_can_not_be_renewed_is_told() -> None:
    shutil.copy(ROOT / "gateway.toml", CONFIG)

    assert 'has no agency dpmptp (did you mean "dpmptsp"?)' in refused(add.renew, "dpmptp", "")
    assert "agency.dinkes has no WSDL" in refused(add.renew, "dinkes", "")
    CONFIG.write_text(CONFIG.read_text().replace("wsdl/bkpsdm/", "wsdl/dpmptsp/"))
    assert "dpmptsp and bkpsdm keep their WSDLs in one folder" in refused(add.renew, "dpmptsp", str(IZIN))


def test_a_pinned_file_that_was_changed_by_hand_is_not_overwritten() -> None:
    add.soap(CONFIG, wanted(), {})
    pinned = Path("wsdl/izin/izin.wsdl")
    pinned.write_bytes(pinned.read_bytes() + b"<!-- ours -->")

    assert "wsdl/izin/izin.wsdl: was changed by hand" in refused(add.renew, "izin", str(IZIN))
    pinned.unlink()
    shutil.copy(IZIN, pinned)
    add.renew(CONFIG, "izin", str(IZIN), {})


def test_nothing_is_fetched_where_that_is_forbidden() -> None:
    assert "nothing may be fetched" in refused(add.soap, wanted("http://127.0.0.1:9/x?wsdl", offline=True))


def test_public_wsdls_are_taken_in_or_refused_with_findings(here: Path) -> None:
    folder = os.environ.get("GATEWAY_CORPUS")
    if not folder:
        pytest.skip("GATEWAY_CORPUS names no folder of public WSDLs")
    whole = part = operations = 0
    for number, path in enumerate(sorted((Path(folder) / "wsdl").rglob("*.wsdl"))):
        place = here / str(number)
        place.mkdir()
        with contextlib.chdir(place):
            CONFIG.touch()
            try:
                added = add.soap(CONFIG, wanted(path, offline=True), {})
            except ConfigError as error:
                assert all(found.where and found.what and found.remedy for found in error.findings), error
                assert [left.name for left in place.iterdir()] == ["gateway.toml"]
                continue
            operations += len(added.section.operations)
            whole, part = whole + (not added.refused), part + bool(added.refused)
            assert [found for found in app.check(CONFIG, {"IZIN_PASSWORD": "x"}) if not found.warning] == []
    assert whole >= 107
    assert whole + part >= 113
    assert operations >= 398
