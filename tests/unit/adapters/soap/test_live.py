"""A pinned WSDL against the one that its agency publishes now."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.http import HttpClient, Tls
from adapters.soap.adapter import SoapAdapter
from adapters.soap.adopt import look
from adapters.soap.live import changed, origin
from gateway import Compared, ConfigError
from tests.served import Server, serving

ADDRESS = "/izin?wsdl"


@pytest.fixture
def server(wsdls: Path) -> Iterator[Server]:
    with serving() as server:
        server.put(ADDRESS, (wsdls / "izin.wsdl").read_text("utf-8"))
        yield server


@pytest.fixture
def pinned(server: Server, tmp_path: Path) -> Path:
    offer = look(server.url + ADDRESS, tmp_path, now=datetime(2026, 11, 24, tzinfo=UTC))
    offer.pin(tmp_path, agency="dpmptsp")
    return tmp_path / offer.wsdl


def difference(pinned: Path) -> tuple[str, ...]:
    return changed(pinned, service="", port="", tls=Tls())


def change(server: Server, wsdls: Path, old: str, new: str) -> None:
    text = (wsdls / "izin.wsdl").read_text("utf-8")
    assert old in text
    server.put(ADDRESS, text.replace(old, new))


def test_the_same_bytes_are_no_change(pinned: Path) -> None:
    assert difference(pinned) == ()


def test_other_bytes_that_say_the_same_are_no_change(pinned: Path, server: Server, wsdls: Path) -> None:
    change(server, wsdls, "<wsdl:types>", "<!-- made at noon --><wsdl:types>")

    assert difference(pinned) == ()


def test_another_field_is_a_change_in_plain_words(pinned: Path, server: Server, wsdls: Path) -> None:
    change(server, wsdls, '<xs:element name="lantai" type="xs:int"/>', '<xs:element name="lantai" type="xs:long"/>')

    assert difference(pinned) == ("AjukanIzin: reply: field lantai is xsd:long now, not xsd:int",)


def test_a_facet_is_a_change(pinned: Path, server: Server, wsdls: Path) -> None:
    change(server, wsdls, '<xs:enumeration value="tolak"/>', '<xs:enumeration value="batal"/>')

    assert any("takes batal as well now" in line for line in difference(pinned))


def test_a_page_instead_of_a_wsdl_can_not_be_compared(pinned: Path, server: Server) -> None:
    server.put(ADDRESS, "<html>pemeliharaan</html>")

    with pytest.raises(ConfigError):
        difference(pinned)


def test_an_adapter_compares_where_the_wsdl_came_from_an_address(pinned: Path, wsdls: Path) -> None:
    adapter = SoapAdapter(http=HttpClient("dpmptsp"), wsdl=pinned)
    by_hand = SoapAdapter(http=HttpClient("dpmptsp"), wsdl=wsdls / "izin.wsdl")
    off = SoapAdapter(http=HttpClient("dpmptsp"), wsdl=pinned, wsdl_check="off")

    assert isinstance(adapter, Compared)
    assert [one.compare_every for one in (adapter, by_hand, off)] == [86400.0, None, None]
    assert origin(wsdls / "izin.wsdl") == ""


async def test_an_adapter_compares_beside_the_event_loop(pinned: Path) -> None:
    assert await SoapAdapter(http=HttpClient("dpmptsp"), wsdl=pinned).compare() == ()
