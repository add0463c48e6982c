"""A made-up export of residents, a bad row in a hundred, bad in ten ways; no person is meant."""

import random
from pathlib import Path

COLUMNS = (
    "NIK", "NO_KK", "NAMA", "TGL_LAHIR", "JK", "ALAMAT", "RT_RW", "KODE_KEC", "STATUS", "PENGHASILAN",
    "DIUBAH", "CATATAN",
)  # fmt: skip
MAPPING = r"""
[codes.kelamin]
"1" = "laki-laki"
"2" = "perempuan"
[codes.kawin]
"B" = "belum kawin"
"K" = "kawin"
"CH" = "cerai hidup"
"CM" = "cerai mati"
[penduduk.row]
nik           = { from = "NIK", digits = 16 }
no_kk         = { from = "NO_KK", digits = 16 }
nama          = { from = "NAMA", max = 100 }
tanggal_lahir = { from = "TGL_LAHIR", date = "dd/mm/yyyy" }
jenis_kelamin = { from = "JK", codes = "kelamin" }
alamat.jalan  = { from = "ALAMAT", optional = true }
alamat.rt     = { from = "RT_RW", split = "/", part = 1 }
alamat.rw     = { from = "RT_RW", split = "/", part = 2 }
kecamatan     = { from = "KODE_KEC", pattern = '\d{7}' }
status        = { from = "STATUS", codes = "kawin" }
penghasilan   = { from = "PENGHASILAN", number = "1.234,56" }
diubah        = { from = "DIUBAH", date = "dd/mm/yyyy" }
catatan       = { from = "CATATAN", optional = true }
"""
BAD_EVERY = 100
PORTION = 10_000
_FIRST = ("Ani", "Budi", "Citra", "Dewi", "Eko", "Fitri", "Gunawan", "Hasan", "Indah", "Joko", "Siti Nur'aini")
_LAST = ("Siregar", "Rahman", "Lubis", "Saragih", "Harahap", "Simanjuntak", "Nasution", "Pratama", "Wijaya")
_STREETS = ("Jl. Sultan Syarif Hasyim", "Jl. Lintas Timur", "Jl. Pemda", "Gg. Melati", "Jl. Akasia")


def write(path: Path, rows: int, *, seed: int = 6) -> None:
    """Write so many rows; the same seed makes the same file."""
    chance = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(";".join(COLUMNS) + "\r\n")
        for start in range(0, rows, PORTION):
            file.writelines(_line(number, chance) for number in range(start, min(start + PORTION, rows)))


def _line(number: int, chance: random.Random) -> str:
    cells = _cells(number, chance)
    if number % BAD_EVERY == BAD_EVERY - 1:
        _spoil(cells, number // BAD_EVERY % 10)
    return ";".join(cells) + "\r\n"


def _cells(number: int, chance: random.Random) -> list[str]:
    money = chance.randrange(5_000, 250_000) * 100
    return [
        f"1405029{number:09d}",
        f"1405028{number // 4:09d}",
        f"{chance.choice(_FIRST)} {chance.choice(_LAST)}",
        _day(chance, 1940, 2024),
        chance.choice("12"),
        f"{chance.choice(_STREETS)} No. {chance.randrange(1, 200)}",
        f"{chance.randrange(1, 13):03d}/{chance.randrange(1, 9):03d}",
        f"1405{chance.randrange(10, 130):03d}",
        chance.choice(("B", "K", "CH", "CM")),
        f"{money:,}".replace(",", ".") + ",00",
        _day(chance, 2024, 2026),
        '"pindahan; surat ada"' if number % 50 == 0 else "",
    ]


def _day(chance: random.Random, first: int, last: int) -> str:
    return f"{chance.randrange(1, 29):02d}/{chance.randrange(1, 13):02d}/{chance.randrange(first, last + 1)}"


def _spoil(cells: list[str], kind: int) -> None:
    match kind:
        case 0:
            cells[0] = cells[0][:15]
        case 1:
            cells[0] = "1,40502E+15"
        case 2:
            cells[3] = "1990-03-17"
        case 3:
            cells[3] = "30/02/1990"
        case 4:
            cells[9] = "Rp 25,000.00"
        case 5:
            cells[4] = "X"
        case 6:
            del cells[-2:]
        case 7:
            cells.append("lebih")
        case 8:
            cells[0] = ""
        case _:
            cells[2] = ""
