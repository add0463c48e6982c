"""Which files belong to a configuration: what it names, what those import, and what must be kept apart."""

from pathlib import Path

from gateway.config.load import load
from gateway.config.named import Named, named

CONFIG = """
[gateway]
tls = {{ certificate = "tls/api.pem" }}

[agency.dpmptsp]
title   = "mappings"
adapter = "soap"
wsdl    = "wsdl/dpmptsp/sipolan.wsdl"
mapping = "mappings/dpmptsp.toml"
drop    = "drops"
note    = "{long}"
tls     = {{ ca = "{outside}", certificate = "tls/gateway.pem", key = "tls/gateway-key.pem" }}

[agency.dinkes]
adapter = "rest"
mapping = "./mappings/../mappings/dinkes.toml"
"""


def furnished(folder: Path) -> Named:
    outside = folder / "elsewhere.pem"
    here = folder / "etc"
    files = {
        "gateway.toml": CONFIG.format(outside=outside, long="x" * 5000),
        "mappings/dpmptsp.toml": "",
        "mappings/dinkes.toml": "",
        "mappings/unused.toml": "",
        "wsdl/dpmptsp/sipolan.wsdl": "<definitions/>",
        "wsdl/dpmptsp/schema/types.xsd": "<schema/>",
        "wsdl/dpmptsp/notes.txt": "",
        "wsdl/other/other.wsdl": "",
        "tls/api.pem": "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----",
        "tls/gateway.pem": "-----BEGIN CERTIFICATE-----",
        "tls/gateway-key.pem": "-----BEGIN EC PRIVATE KEY-----",
        "drops/rows.csv": "",
        "secrets": "SIPOLAN_PASSWORD=rahasia",
    }
    for name, text in files.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text, "utf-8")
    outside.write_text("-----BEGIN CERTIFICATE-----", "utf-8")
    return named(load(here / "gateway.toml", {}))


def test_what_is_named_and_what_it_may_import_belongs_to_it(tmp_path: Path) -> None:
    assert sorted(map(str, furnished(tmp_path).files)) == [
        "gateway.toml",
        "mappings/dinkes.toml",
        "mappings/dpmptsp.toml",
        "tls/gateway.pem",
        "wsdl/dpmptsp/schema/types.xsd",
        "wsdl/dpmptsp/sipolan.wsdl",
    ]


def test_private_keys_are_kept_apart_and_what_lies_elsewhere_is_only_named(tmp_path: Path) -> None:
    found = furnished(tmp_path)
    assert set(found.apart) == {Path("tls/gateway-key.pem"), Path("tls/api.pem")}
    assert found.outside == (tmp_path / "elsewhere.pem",)
