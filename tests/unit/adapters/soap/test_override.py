"""override.toml: every mistake in it is told, and a change that no longer fits is never skipped."""

from pathlib import Path

import pytest

from adapters.soap.override import read_override
from adapters.soap.planning import read_plans
from gateway import ConfigError


def findings(folder: Path, text: str) -> list[str]:
    (folder / "override.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_override(folder, Path("wsdl/x"))
    return [str(found) for found in caught.value.findings]


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    text = (
        '[[change]]\nfile = "a.wsdl"\nfind = ""\nreplace = ""\n\n[[change]]\nfile = 1\nfnd = "x"\n\n'
        '[[instead]]\nof = "x"\n\n[rename]\n'
    )
    assert findings(tmp_path, text) == [
        "wsdl/x/override.toml:1: change: find must be a text, not empty",
        "wsdl/x/override.toml:6: change: file must be a text, not empty",
        'wsdl/x/override.toml:6: change: unknown key "fnd" (it takes file, find, replace, times, why)',
        "wsdl/x/override.toml:6: change: find is required (write find = ...)",
        "wsdl/x/override.toml:6: change: replace is required (write replace = ...)",
        "wsdl/x/override.toml:10: instead: use is required (write use = ...)",
        'wsdl/x/override.toml: unknown key "rename" (it takes [[change]] and [[instead]])',
    ]


def test_a_file_elsewhere_can_not_be_named(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, '[[instead]]\nof = "x"\nuse = "../y.xsd"\n')
    assert "use must be a file's name" in found


def test_what_is_no_toml_is_told(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "[[change")
    assert "can't be read" in found
    assert findings(tmp_path, 'change = "x"') == [
        "wsdl/x/override.toml: change is no list of tables (write [[change]])"
    ]


def test_a_change_holds_whenever_the_wsdl_is_read(wsdls: Path, tmp_path: Path) -> None:
    (tmp_path / "izin.wsdl").write_bytes((wsdls / "izin.wsdl").read_bytes())
    (tmp_path / "override.toml").write_text(
        '[[change]]\nfile = "izin.wsdl"\ntimes = 2\n'
        'find = "http://127.0.0.1:1/izin"\nreplace = "http://10.0.0.1/izin"\n'
    )

    assert read_plans(tmp_path / "izin.wsdl").address == "http://10.0.0.1/izin"


def test_a_change_that_no_longer_fits_is_an_error(wsdls: Path, tmp_path: Path) -> None:
    (tmp_path / "izin.wsdl").write_bytes((wsdls / "izin.wsdl").read_bytes())
    text = '\n[[change]]\nfile = "izin.wsdl"\nfind = "urn:lama"\nreplace = "urn:baru"\n'
    (tmp_path / "override.toml").write_text(text)

    with pytest.raises(ConfigError) as caught:
        read_plans(tmp_path / "izin.wsdl")

    (found,) = caught.value.findings
    assert found.where == f"{tmp_path}/override.toml:2"
    assert found.what == "izin.wsdl holds what is to be found 0 times, not 1"
