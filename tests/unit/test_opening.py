"""An agency's calendar as gateway.toml says it."""

import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.config.load import Located
from gateway.config.locate import locate
from gateway.config.models import Config
from gateway.config.units import working_days
from gateway.errors import ConfigError
from gateway.hours import Calendar, explain
from gateway.opening import calendar

AGENCY = """[agency.dpmptsp]
adapter = "soap"
mapping = "m.toml"
"""
WHOLE = """
hours = "Sen-Kam 07:30-16:00; Jum 07:30-16:30"
answer_within = "3 hari kerja"
closed = [
    { first = 2026-10-12, name = "HUT Kabupaten" },
    { first = 2026-12-28, last = 2026-12-31, name = "Tutup buku" },
]
special = [{ first = 2026-02-18, last = 2026-03-19, hours = "Mon-Thu 08:00-15:00; Fri 08:00-15:30" }]
maintenance = [
    { start = 2026-12-01T15:00:00, until = 2026-12-01T17:00:00, reason = "migrasi" },
    { start = 2026-12-02T01:00:00Z, until = 2026-12-02T02:00:00Z },
]
"""


def located(text: str) -> Located:
    def tuples(value: object) -> object:
        if isinstance(value, dict):
            return {key: tuples(inner) for key, inner in value.items()}
        return tuple(map(tuples, value)) if isinstance(value, list) else value

    config = Config.model_validate(tuples(tomllib.loads(text)))
    return Located(config=config, file="gateway.toml", folder=Path(), lines=locate(text), absent=())


def built(text: str) -> Calendar:
    return calendar("dpmptsp", located(text))


def findings(text: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as error:
        built(text)
    return {finding.where: finding.what for finding in error.value.findings}


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("2026-11-27T20:00:00+07:00", "menunggu jam layanan, Senin 07:30"),
        ("2026-10-12T09:00:00+07:00", "tutup (HUT Kabupaten), menunggu jam layanan, Selasa 07:30"),
        ("2026-12-28T09:00:00+07:00", "tutup (Tutup buku), menunggu jam layanan, Senin 4 Januari 2027 07:30"),
        ("2026-02-18T07:45:00+07:00", "menunggu jam layanan, Rabu 08:00"),
        ("2026-12-01T15:00:00+07:00", "pemeliharaan sistem (migrasi), menunggu jam layanan, Rabu 07:30"),
        ("2026-12-02T08:30:00+07:00", "pemeliharaan sistem, menunggu jam layanan, Rabu 09:00"),
        ("2026-06-01T09:00:00+07:00", "libur (Hari Lahir Pancasila), menunggu jam layanan, Selasa 07:30"),
    ],
)
def test_every_key_closes_what_it_says(at: str, says: str) -> None:
    closed = built(AGENCY + WHOLE).why_closed(datetime.fromisoformat(at))
    assert closed is not None
    assert explain(closed, "id") == says


def test_an_agencys_own_zone_counts() -> None:
    text = AGENCY + 'timezone = "Asia/Jayapura"\nhours = "Mon-Fri 08:00-16:00"\n'
    assert built(text).is_open(datetime(2026, 11, 23, 23, 0, tzinfo=UTC))


def test_holidays_can_be_switched_off() -> None:
    christmas = datetime(2026, 12, 25, 3, 0, tzinfo=UTC)
    assert not built(AGENCY + WHOLE).is_open(christmas)
    assert built('[gateway]\nholidays = "none"\n' + AGENCY + 'hours = "Mon-Fri 08:00-16:00"\n').is_open(christmas)


def test_an_agency_without_hours_loads_no_holidays_but_one_with_deadlines_does() -> None:
    assert built(AGENCY).holidays is None
    assert built(AGENCY + 'answer_within = "1 working day"\n').holidays == "ID"
    feed = '[agency.dpmptsp.feed.stok]\nfiles = "stok_*.csv"\n'
    assert built(AGENCY + feed).holidays is None
    assert built(AGENCY + feed + 'every = "1 working day"\n').holidays == "ID"
    operation = '[agency.dpmptsp.operation.x]\ncall = "POST /x"\nanswer_within = "5 working days"\n'
    assert built(AGENCY + operation).holidays == "ID"


def test_the_holidays_package_is_not_loaded_before_a_calendar_needs_it() -> None:
    code = "import sys, gateway.opening, gateway.hours; sys.exit('holidays' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path.cwd()).returncode == 0


def test_every_finding_is_told_with_its_line() -> None:
    text = (
        AGENCY
        + """hours = "Mon-Fry 07:30-16:00"
closed = [
    { first = 2026-12-31 },
    { first = 2026-12-31, last = 2026-12-28 },
]
special = [{ first = 2026-02-18, last = 2026-03-19, hours = "Fri 22:00-02:00" }]
maintenance = [{ start = 2026-12-01T15:00:00, until = 2026-12-01T15:00:00 }]
[gateway]
holidays = "XX"
"""
    )
    found = findings(text)
    assert set(found) == {f"gateway.toml:{line}" for line in (4, 7, 9, 10, 12)}
    assert found["gateway.toml:4"].startswith('agency.dpmptsp.hours: "Fry" is not a day; write Mon,')
    assert "agency.dpmptsp.closed.1: days from 2026-12-31 to 2026-12-28" in found["gateway.toml:7"]
    assert 'write it as two: "Fri 22:00-24:00; Sat 00:00-02:00"' in found["gateway.toml:9"]
    assert "must end after it starts" in found["gateway.toml:10"]
    assert found["gateway.toml:12"].startswith('gateway.holidays: no holidays are known for "XX"')


def test_special_hours_that_overlap_are_told_at_their_key() -> None:
    one = '{ first = 2026-02-18, last = 2026-03-19, hours = "Mon 08:00-15:00" }'
    found = findings(f"{AGENCY}special = [{one}, {one}]\n")
    assert found["gateway.toml:4"].startswith("agency.dpmptsp.special: special hours from")


@pytest.mark.parametrize(("text", "days"), [("3 working days", 3), ("1 working day", 1), (" 10 hari kerja", 10)])
def test_working_days_are_written_in_either_language(text: str, days: int) -> None:
    assert working_days(text) == days


@pytest.mark.parametrize("text", [3, "3", "3 days", "3d", "0 working days", "1000 working days", "-1 hari kerja"])
def test_other_deadlines_are_refused_with_what_to_write(text: object) -> None:
    with pytest.raises(ValueError, match='such as "3 working days"'):
        working_days(text)
