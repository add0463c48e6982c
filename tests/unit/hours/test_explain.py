"""Why a message waits, in both languages."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.hours import Calendar, ClosedDays, Hours, Maintenance, explain, opening

JAKARTA = ZoneInfo("Asia/Jakarta")
CALENDAR = Calendar(
    zone=JAKARTA,
    weekly=Hours.parse("Mon-Thu 07:30-16:00; Fri 07:30-16:30"),
    holidays="ID",
    closed=(
        ClosedDays(first=date(2026, 10, 12), last=date(2026, 10, 12), name="HUT Kabupaten Pelalawan"),
        ClosedDays(first=date(2026, 10, 14), last=date(2026, 10, 14)),
    ),
    maintenance=(
        Maintenance(
            start=datetime(2026, 12, 1, 20, tzinfo=JAKARTA),
            until=datetime(2026, 12, 2, 4, tzinfo=JAKARTA),
            reason="migrasi server",
        ),
    ),
)


@pytest.mark.parametrize(
    ("at", "indonesian", "english"),
    [
        ("2026-11-27 20:00", "menunggu jam layanan, Senin 07:30", "waiting for service hours, Monday 07:30"),
        (
            "2026-05-27 09:00",
            "libur (Hari Raya Idul Adha), menunggu jam layanan, Jumat 07:30",
            "holiday (Hari Raya Idul Adha), waiting for service hours, Friday 07:30",
        ),
        (
            "2026-03-18 09:00",
            "libur (Cuti Bersama Hari Suci Nyepi), menunggu jam layanan, Rabu 25 Maret 2026 07:30",
            "holiday (Cuti Bersama Hari Suci Nyepi), waiting for service hours, Wednesday 25 March 2026 07:30",
        ),
        (
            "2026-10-12 09:00",
            "tutup (HUT Kabupaten Pelalawan), menunggu jam layanan, Selasa 07:30",
            "closed (HUT Kabupaten Pelalawan), waiting for service hours, Tuesday 07:30",
        ),
        (
            "2026-10-14 09:00",
            "tutup, menunggu jam layanan, Kamis 07:30",
            "closed, waiting for service hours, Thursday 07:30",
        ),
        (
            "2026-12-01 21:00",
            "pemeliharaan sistem (migrasi server), menunggu jam layanan, Rabu 07:30",
            "system maintenance (migrasi server), waiting for service hours, Wednesday 07:30",
        ),
    ],
)
def test_a_waiting_message_says_why_and_until_when(at: str, indonesian: str, english: str) -> None:
    closed = CALENDAR.why_closed(datetime.fromisoformat(at).replace(tzinfo=JAKARTA))
    assert closed is not None
    assert explain(closed, "id") == indonesian
    assert explain(closed, "en") == english


def test_the_same_weekday_a_week_later_bears_its_date() -> None:
    """Wednesday's hours are over and the next opening is on a Wednesday: its name alone would mean today."""
    calendar = Calendar(zone=JAKARTA, weekly=Hours.parse("Wed 08:00-12:00"))
    closed = calendar.why_closed(datetime(2026, 11, 25, 12, tzinfo=JAKARTA))
    assert closed is not None
    assert explain(closed, "id") == "menunggu jam layanan, Rabu 2 Desember 2026 08:00"


def test_what_was_a_week_ago_bears_its_date_too() -> None:
    now = datetime(2026, 11, 25, 12, tzinfo=JAKARTA)
    assert opening(now, datetime(2026, 11, 24, 16, tzinfo=JAKARTA), "id") == "Selasa 16:00"
    assert opening(now, datetime(2026, 11, 18, 16, tzinfo=JAKARTA), "en") == "Wednesday 18 November 2026 16:00"
