import pytest

from adapters.csv.adapter import CsvAdapter
from adapters.csv.settings import Feed, Out
from gateway import ConfigError, FeedColumns, NativeField
from gateway.snapshots import MemorySnapshots
from tests.fakes import FakeClock

ROW = {
    "type": "object",
    "properties": {
        "nik": {"type": "string", "pattern": "^[0-9]{16}$"},
        "tanggal": {"type": "string", "format": "date"},
        "berat": {"type": ["number", "null"]},
        "jenis": {"type": ["string", "null"], "enum": ["BCG", "Polio", None]},
        "alamat": {"type": "object", "properties": {"rt": {"type": "integer"}}, "required": ["rt"]},
        "riwayat": {"type": "array", "items": {"type": "object", "properties": {"ke": {"type": "integer"}}}},
        "lain": {},
    },
    "required": ["nik", "tanggal"],
}


def adapter() -> CsvAdapter:
    return CsvAdapter(
        clock=FakeClock(),
        log=lambda _event, /, **_facts: None,
        snapshots=MemorySnapshots(),
        drop="drops",
        columns=FeedColumns(rows={"imunisasi": ROW}, written={"jadwal": ("nik", "tanggal")}),
        feed={"imunisasi": Feed(files="*")},
        out={"jadwal": Out(folder="out", file="{id}.csv")},
    )


def test_a_feed_is_asked_by_any_single_field_and_none_is_required() -> None:
    request = adapter().contract("imunisasi").request
    fields = ["nik", "tanggal", "berat", "jenis", "alamat", "alamat.rt", "lain"]
    assert list(request) == [*fields, "nik.starts", "jenis.starts", "after", "limit"]
    assert not any(field.required or field.many for field in request.values())
    assert request["jenis"].allowed == ("BCG", "Polio")


def test_a_feed_answers_with_typed_rows_their_count_and_their_time() -> None:
    reply = adapter().contract("imunisasi").reply
    assert {path: (field.kind, field.required, field.many) for path, field in reply.items()} == {
        "rows": ("object", True, True),
        "rows.nik": ("text", True, False),
        "rows.tanggal": ("date", True, False),
        "rows.berat": ("number", False, False),
        "rows.jenis": ("text", False, False),
        "rows.alamat": ("object", False, False),
        "rows.alamat.rt": ("integer", True, False),
        "rows.riwayat": ("object", False, True),
        "rows.riwayat.ke": ("integer", False, False),
        "rows.lain": ("any", False, False),
        "count": ("integer", True, False),
        "as_of": ("datetime", True, False),
        "further": ("text", False, False),
    }


def test_an_out_has_its_columns_as_text() -> None:
    contract = adapter().contract("jadwal")
    assert contract.request == {"nik": NativeField(), "tanggal": NativeField()}
    assert list(contract.reply) == ["file", "written"]


def test_an_unknown_target_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean imunisasi"):
        adapter().contract("imunisas")
