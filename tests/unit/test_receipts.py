"""The sentence that a clerk reads of a file."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.became import became
from gateway.errors import FieldError
from gateway.feeds import FileReceipt, FileState, Tally
from gateway.receipts import line, papers

ENDED = datetime(2026, 11, 24, 8, 2, tzinfo=UTC)
RECEIPT = FileReceipt(
    number=1,
    feed="puskesmas/imunisasi",
    file="imunisasi_20261124.csv",
    reference="r-0123456789ab",
    sha256="0" * 64,
    size=1,
    as_of=ENDED,
    mapping="m",
    mode="snapshot",
    state=FileState.ACCEPTED,
    base=None,
    original=None,
    before=975,
    tally=Tally(position=982, accepted=980, rejected=2, kept=980, rules={"rounded-number": 2}),
    reason=None,
    claimed_at=ENDED,
    ended_at=ENDED,
    place="",
    settled=False,
    confirmed="",
)


def test_reasons_stand_behind_what_was_rejected() -> None:
    assert "980 baris diterima, 2 ditolak (angka dibulatkan: 2), 0 tidak berubah; data dari 975" in line(RECEIPT)
    sent_on = line(replace(RECEIPT, mode="forward"))
    assert "980 baris diteruskan, 2 ditolak (angka dibulatkan: 2), 0 sudah pernah. Baris yang ditolak" in sent_on


def test_a_row_of_several_errors_is_one_row() -> None:
    tally = Tally(position=2, accepted=1, rejected=1, kept=1, rules={"digits": 1, "required": 9})
    assert "1 ditolak dengan 10 kesalahan (kosong: 9, jumlah digit: 1), 0" in line(replace(RECEIPT, tally=tally))


def test_a_file_that_is_refused_whole_says_what_is_wrong_with_its_rows_and_what_to_mend() -> None:
    params = {"rejected": "310", "total": "1000", "max": "10%"}
    refused = replace(
        RECEIPT,
        state=FileState.REFUSED,
        tally=Tally(position=1000, accepted=690, rejected=310, rules={"rounded-number": 310}),
        reason=FieldError(pointer="", rule="max-reject", params=params),
    )
    said = "DITOLAK: 310 dari 1000 baris ditolak; paling banyak 10%. Yang salah: angka dibulatkan: 310."
    for mode, then in (("snapshot", "Data lama tetap dipakai."), ("forward", "Tidak ada yang diteruskan.")):
        told = line(replace(refused, mode=mode))
        assert f"{said} {then} Baris yang salah terlihat di berkas .rejected" in told
        assert "perbaiki berkas aslinya, lalu kirim lagi seluruhnya" in told
    cut = replace(refused, tally=Tally(), reason=FieldError(pointer="", rule="empty-file"))
    assert "kirim lagi seluruhnya" not in line(cut)


@pytest.mark.parametrize(
    ("zone", "when"),
    [
        ("Asia/Jakarta", "24/11/2026 15.02 WIB"),
        ("Asia/Pontianak", "24/11/2026 15.02 WIB"),
        ("Asia/Makassar", "24/11/2026 16.02 WITA"),
        ("Asia/Jayapura", "24/11/2026 17.02 WIT"),
        ("Europe/Berlin", "24/11/2026 09.02 UTC+01:00"),
        ("UTC", "24/11/2026 08.02 UTC+00:00"),
    ],
)
def test_a_time_says_by_which_clock_it_is(zone: str, when: str) -> None:
    assert line(RECEIPT, ZoneInfo(zone)).startswith(f"{when} imunisasi_20261124.csv: ")
    for paper in papers(RECEIPT, ZoneInfo(zone)).values():
        assert f"{when} imunisasi" in paper.decode()


def test_one_row_is_told_as_one() -> None:
    one = replace(RECEIPT, before=1, tally=Tally(position=1, accepted=1, kept=1))
    assert became(one) == "1 row taken, 0 rejected, 0 unchanged; from 1 to 1 row"
    assert became(replace(one, mode="forward")) == "1 row sent on, 0 rejected, 0 sent before"
    assert became(RECEIPT).startswith("980 rows taken, 2 rejected")
