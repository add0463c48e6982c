"""An agency's section, put at the end of a gateway.toml that somebody else wrote."""

import tomllib
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.sketch.section import Called, Section, append, free

SECTION = Section(
    agency="dinas-x",
    title='Dinas "X"',
    adapter="soap",
    settings=[("wsdl", "wsdl/dinas-x/a.wsdl")],
    mapping="mappings/dinas-x.toml",
    operations=[Called(name="cari", call="cariData", words="Mencari data"), Called(name="kirim", call="kirim")],
    login=True,
)


def test_a_section_is_written_as_the_pilots_are() -> None:
    assert SECTION.text() == (
        '[agency.dinas-x]\ntitle   = "Dinas \\"X\\""\nadapter = "soap"\nwsdl    = "wsdl/dinas-x/a.wsdl"\n'
        'login   = { user = "gateway", password = "${DINAS_X_PASSWORD}" }\nmapping = "mappings/dinas-x.toml"\n\n'
        '[agency.dinas-x.operation.cari]\ntitle  = "Mencari data"\nexpose = "POST /v1/dinas-x/cari"\n'
        'call   = "cariData"\n# safe = true   # if it only reads: it may then be tried again, shared and kept\n\n'
        '[agency.dinas-x.operation.kirim]\ntitle  = "Kirim"\nexpose = "POST /v1/dinas-x/kirim"\ncall   = "kirim"\n'
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_everything_that_was_in_the_file_stays(tmp_path: Path, end: str) -> None:
    config = tmp_path / "gateway.toml"
    before = f"# ours{end}[gateway]{end}name = 'x'   # a comment{end}".encode()
    config.write_bytes(before)
    config.chmod(0o640)

    append(config, SECTION.text())

    after = config.read_bytes()
    assert after.startswith(before.rstrip())
    assert after.count(b"\r\n") == (after.count(b"\n") if end == "\r\n" else 0)
    assert config.stat().st_mode & 0o777 == 0o640
    assert tomllib.loads(after.decode())["agency"]["dinas-x"]["operation"].keys() == {"cari", "kirim"}
    assert [path.name for path in tmp_path.iterdir()] == ["gateway.toml"]


@pytest.mark.parametrize(
    ("text", "agency", "says"),
    [
        ("[agency.dinas-x]", "dinas-x", "has an agency dinas-x already"),
        ("[agency", "dinas-x", "can't be read"),
        ("", "Dinas X", "is no name of an agency"),
        ("", "gateway", "is no name of an agency"),
        (None, "dinas-x", "no such file"),
    ],
)
def test_what_stands_in_the_way_is_told(tmp_path: Path, text: str | None, agency: str, says: str) -> None:
    config = tmp_path / "gateway.toml"
    if text is not None:
        config.write_text(text)

    with pytest.raises(ConfigError, match=says):
        free(config, agency)
