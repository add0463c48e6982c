from zoneinfo import ZoneInfo

import pytest

from gateway.translate.convert import Bad
from gateway.translate.dates import canonical, dates, is_canonical, problem, typed

JAKARTA = ZoneInfo("Asia/Jakarta")

BOTH_WAYS = [
    ("dd-mm-yyyy", "24-11-2026", "2026-11-24"),
    ("dd/mm/yyyy", "01/02/2024", "2024-02-01"),
    ("yyyy-mm-dd", "2024-02-29", "2024-02-29"),
    ("yyyymmdd", "20261124", "2026-11-24"),
    ("ddmmyyyy", "24112026", "2026-11-24"),
    ("dd-mm-yyyy HH:MM:SS", "24-11-2026 07:30:05", "2026-11-24T07:30:05+07:00"),
    ("yyyy-mm-ddTHH:MM", "2026-11-24T07:30", "2026-11-24T07:30:00+07:00"),
    ("HH:MM", "07:30", "07:30"),
    ("HH:MM:SS", "23:59:59", "23:59:59"),
    ("HHMM", "0730", "07:30"),
    ("iso", "2026-11-24T07:30:00+07:00", "2026-11-24T07:30:00+07:00"),
    ("epoch-s", 1795480200, "2026-11-24T07:30:00+07:00"),
    ("epoch-ms", 1795480200000, "2026-11-24T07:30:00+07:00"),
    ("epoch-ms", 1795480200007, "2026-11-24T07:30:00.007+07:00"),
]


@pytest.mark.parametrize(("form", "theirs", "ours"), BOTH_WAYS)
def test_a_date_is_read_and_written(form: str, theirs: object, ours: str) -> None:
    pair = dates(form, JAKARTA, text=False)
    assert pair.read is not None
    assert pair.write is not None
    assert pair.read.run(theirs) == ours
    assert pair.write.run(ours) == theirs


@pytest.mark.parametrize(
    ("form", "theirs", "ours"),
    [
        ("iso", "2026-11-24T00:30:00Z", "2026-11-24T07:30:00+07:00"),
        ("iso", "2026-11-24T07:30:00", "2026-11-24T07:30:00+07:00"),
        ("epoch-s", "1795480200", "2026-11-24T07:30:00+07:00"),
        ("dd-mm-yyyy HH:MM:SS", "01-01-0001 00:00:00", "0001-01-01T00:00:00+07:07"),
    ],
)
def test_other_spellings_are_read(form: str, theirs: str, ours: str) -> None:
    pair = dates(form, JAKARTA, text=False)
    assert pair.read is not None
    assert pair.read.run(theirs) == ours


@pytest.mark.parametrize(
    ("form", "theirs"),
    [
        ("dd-mm-yyyy", "31-02-2026"),
        ("dd-mm-yyyy", "29-02-2026"),
        ("dd-mm-yyyy", "2026-11-24"),
        ("dd-mm-yyyy", "4-11-2026"),
        ("dd-mm-yyyy", "24-11-2026 "),
        ("dd-mm-yyyy", "24-11-2026\n"),
        ("dd-mm-yyyy", "٢٤-11-2026"),
        ("dd-mm-yyyy", "00-00-0000"),
        ("dd/mm/yyyy", "12/13/2026"),
        ("HH:MM", "24:00"),
        ("iso", "2026-11-24"),
        ("iso", "20261124T073000"),
        ("iso", "2026-11-24T07:30:00+99:00"),
        ("epoch-s", 10**30),
        ("epoch-ms", -(10**30)),
    ],
)
def test_what_is_no_such_date_is_refused(form: str, theirs: object) -> None:
    pair = dates(form, JAKARTA, text=False)
    assert pair.read is not None
    with pytest.raises(Bad) as refused:
        pair.read.run(theirs)
    assert refused.value.rule == "date"
    assert refused.value.params == {"date": form}


@pytest.mark.parametrize("theirs", [True, 1.5, [], {}])
def test_a_value_of_another_kind_is_named_as_such(theirs: object) -> None:
    for form in ("dd-mm-yyyy", "iso", "epoch-s"):
        step = dates(form, JAKARTA, text=False).read
        assert step is not None
        with pytest.raises(Bad) as refused:
            step.run(theirs)
        assert refused.value.rule == "type"


def test_a_moment_is_written_in_the_agencys_own_zone() -> None:
    pair = dates("dd-mm-yyyy HH:MM:SS", ZoneInfo("Asia/Jayapura"), text=False)
    assert pair.write is not None
    assert pair.write.run("2026-11-24T07:30:00+07:00") == "24-11-2026 09:30:00"
    assert pair.write.run("2026-11-24T00:30:00.250Z") == "24-11-2026 09:30:00"


def test_a_canonical_moment_needs_its_offset() -> None:
    assert is_canonical("datetime")("2026-11-24T07:30:00+07:00")
    assert not is_canonical("datetime")("2026-11-24T07:30:00")
    assert not is_canonical("datetime")("9999-12-31T23:59:59-07:00")
    assert not is_canonical("date")("20261124")
    assert not is_canonical("time")("7:30")
    with pytest.raises(Bad):
        canonical("date")(None)


def test_epoch_numbers_are_digits_where_the_agency_takes_text() -> None:
    pair = dates("epoch-s", JAKARTA, text=True)
    assert pair.write is not None
    assert pair.write.run("2026-11-24T07:30:00+07:00") == "1795480200"


def test_a_contracts_own_dates_stay_iso() -> None:
    for kind, value in (("date", "2026-11-24"), ("time", "07:30:00"), ("datetime", "2026-11-24T07:30:00+07:00")):
        pair = typed(kind, JAKARTA)
        assert pair.form.kind == kind
        assert pair.read is not None
        assert pair.read.run(value) == value


def test_zones_and_fractions_of_other_soap_stacks_are_read() -> None:
    read = {kind: typed(kind, JAKARTA).read for kind in ("date", "time", "datetime")}
    assert read["date"] is not None
    assert read["time"] is not None
    assert read["datetime"] is not None
    assert read["date"].run("2026-11-24+07:00") == "2026-11-24"
    assert read["date"].run("2026-11-24Z") == "2026-11-24"
    assert read["time"].run("07:30:00.0000000+07:00") == "07:30:00"
    assert read["datetime"].run("2026-11-24T07:30:00.1234567+07:00") == "2026-11-24T07:30:00.123456+07:00"
    write = typed("time", JAKARTA).write
    assert write is not None
    assert write.run("07:30") == "07:30:00"


def test_one_format_has_one_memory() -> None:
    assert dates("dd-mm-yyyy", JAKARTA, text=False) is dates("dd-mm-yyyy", JAKARTA, text=False)


def test_formats_are_judged_when_they_are_loaded() -> None:
    assert problem("dd-mm-yyyy") == ""
    assert problem("epoch-ms") == ""
    assert "capital" in problem("dd-mm-yy")
    assert "capital" in problem("hh:mm")
    assert "capital" in problem("")
    assert "twice" in problem("dd-mm-yyyy dd")
    assert "separator" in problem("dd-mm-yyyy(x)")
