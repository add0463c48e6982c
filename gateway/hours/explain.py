"""Why a message waits, as people read it, in Indonesian and English."""

from collections.abc import Mapping
from datetime import datetime

from gateway.hours.calendar import Closed, Reason
from gateway.wording import Language

_WEEKDAYS: Mapping[Language, tuple[str, ...]] = {
    "id": ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS: Mapping[Language, tuple[str, ...]] = {
    "id": (
        "Januari",
        "Februari",
        "Maret",
        "April",
        "Mei",
        "Juni",
        "Juli",
        "Agustus",
        "September",
        "Oktober",
        "November",
        "Desember",
    ),
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
}
_WHY: Mapping[Reason, Mapping[Language, str]] = {
    "hours": {"id": "menunggu jam layanan", "en": "waiting for service hours"},
    "holiday": {"id": "libur", "en": "holiday"},
    "closed": {"id": "tutup", "en": "closed"},
    "maintenance": {"id": "pemeliharaan sistem", "en": "system maintenance"},
}
_A_WEEK = 7


def explain(closed: Closed, language: Language) -> str:
    """Return why and until when, "menunggu jam layanan, Senin 07:30"; from a week on with the date.

    A holiday keeps its own name: "libur (Hari Suci Nyepi), menunggu jam layanan, Rabu 25 Maret 2026 07:30".
    """
    why = _WHY[closed.reason][language] + (f" ({closed.name})" if closed.name else "")
    until = opening(closed.at, closed.until, language)
    if closed.reason == "hours":
        return f"{why}, {until}"
    return f"{why}, {_WHY['hours'][language]}, {until}"


def opening(at: datetime, until: datetime, language: Language) -> str:
    """Return a moment as seen from another, "Senin 07:30"; both in the zone of whoever reads it."""
    weekday = _WEEKDAYS[language][until.weekday()]
    if abs((until.date() - at.date()).days) < _A_WEEK:
        return f"{weekday} {until:%H:%M}"
    return f"{weekday} {until.day} {_MONTHS[language][until.month - 1]} {until.year} {until:%H:%M}"
