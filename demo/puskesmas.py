"""The clerk of the puskesmas, who drops a CSV file of immunisations into a folder; nobody calls this agency.

A switch writes at once: `up` a good file; `wrong` without the column no_batch; `junk` with NIK as
1,40502E+15 and months before days; `half` cut inside a row; `slow` the first half, and the rest after
`seconds`; `html` an error page under the file's name; `refuse` a header and no row. Of its own: `duplicate`,
the good file under a second name. `down` only closes the switch's port.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from demo.agency import PHP_ERROR
from demo.clock import now
from demo.http import Reply, Request, json_reply
from demo.switch import Mode

HEADER = "nik_anak;nama_anak;tgl_lahir;jenis_imunisasi;tgl_imunisasi;no_batch;berat_kg;posyandu"
BATCH_COLUMN = 5
# NIK, name, date of birth, weight at birth in grams, posyandu; girls have 40 added to the day.
CHILDREN = (
    ("1405025503259101", "Alya Rahmawati", "15/03/2025", 3100, "Melati"),
    ("1405020204259102", "Bagas Pratama", "02/04/2025", 2950, "Melati"),
    ("1405026304259103", "Citra Anggraini", "23/04/2025", 3300, "Kenanga"),
    ("1405020705259104", "André Nasution", "07/05/2025", 3450, "Kenanga"),
    ("1405025105259105", "Dinda Maharani", "11/05/2025", 2780, "Mawar"),
    ("1405021906259106", "Fajar Siregar", "19/06/2025", 3210, "Mawar"),
    ("1405026806259107", "Gita Puspita; Sari", "28/06/2025", 3040, "Anggrek"),
    ("1405020107259108", "Hafiz Ramadhan", "01/07/2025", 3500, "Anggrek"),
    ("1405025407259109", "Intan Permata", "14/07/2025", 2890, "Dahlia"),
    ("1405023007259110", "Jefri Simbolon", "30/07/2025", 3150, "Dahlia"),
)
# Vaccine, months after birth, batch, grams gained since birth.
VACCINES = (
    ("HB-0", 0, "HB25A", 0),
    ("BCG", 1, "BC25C", 900),
    ("POLIO-1", 2, "PL25B", 1900),
    ("DPT-1", 3, "DT25D", 2700),
)


def _rows() -> list[list[str]]:
    return [
        [
            nik,
            name,
            born,
            vaccine,
            _later(born, months),
            f"{batch}{number:02d}",
            _kilograms(weight + gain),
            posyandu,
        ]
        for number, (nik, name, born, weight, posyandu) in enumerate(CHILDREN, start=1)
        for vaccine, months, batch, gain in VACCINES
    ]


def _later(date: str, months: int) -> str:
    day, month, year = (int(part) for part in date.split("/"))
    return f"{min(day, 28):02d}/{month + months:02d}/{year}"


def _kilograms(grams: int) -> str:
    return f"{grams / 1000:.2f}".replace(".", ",")


def _file(rows: list[list[str]], header: str = HEADER) -> bytes:
    lines = [header, *(";".join(f'"{cell}"' if ";" in cell else cell for cell in row) for row in rows)]
    return ("\r\n".join(lines) + "\r\n").encode("cp1252")


class Puskesmas:
    """The clerk: one file a day, named by its date."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._later: set[asyncio.Task[None]] = set()
        self.modes: Mapping[str, Callable[[Mode], None] | None] = {
            "up": lambda _: self._drop(_file(_rows())),
            "wrong": lambda _: self._drop(_without_batch()),
            "junk": lambda _: self._drop(_mangled()),
            "half": lambda _: self._drop(_cut(_file(_rows()))),
            "slow": self._drop_slowly,
            "html": lambda _: self._drop(PHP_ERROR.body),
            "refuse": lambda _: self._drop(_file([])),
            "duplicate": lambda _: self._drop(_file(_rows()), suffix="_ulang"),
        }

    def operation(self, request: Request) -> str:
        """None is offered."""
        return request.path.strip("/")

    def answer(self, _request: Request, operation: str, _mode: str) -> Reply:
        """Say that there is nothing to call."""
        return json_reply({"error": f"no operation {operation!r}: this agency only drops files"}, 404)

    def _drop(self, content: bytes, suffix: str = "") -> None:
        path = self._path(suffix)
        self._folder.mkdir(parents=True, exist_ok=True)
        # Where the gateway leaves schedules for the clerk; it never makes an agency's folder itself.
        self._folder.with_name(f"{self._folder.name}-masuk").mkdir(exist_ok=True)
        unfinished = path.with_suffix(".tmp")
        unfinished.write_bytes(content)
        unfinished.replace(path)

    def _path(self, suffix: str = "") -> Path:
        return self._folder / f"imunisasi_{now():%Y%m%d}{suffix}.csv"

    def _drop_slowly(self, mode: Mode) -> None:
        whole = _file(_rows())
        begun = _cut(whole)
        self._drop(begun)
        task = asyncio.get_running_loop().create_task(_append(self._path(), whole[len(begun) :], mode.seconds))
        self._later.add(task)
        task.add_done_callback(self._later.discard)


async def _append(path: Path, content: bytes, seconds: float) -> None:
    await asyncio.sleep(seconds)
    with path.open("ab") as file:
        file.write(content)


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2].rstrip(b"\r\n")


def _without_batch() -> bytes:
    rows = [row[:BATCH_COLUMN] + row[BATCH_COLUMN + 1 :] for row in _rows()]
    return _file(rows, HEADER.replace("no_batch;", ""))


def _mangled() -> bytes:
    rows = []
    for number, row in enumerate(_rows()):
        day, month, year = row[4].split("/")
        nik = "1,40502E+15" if number % 3 == 0 else row[0]
        rows.append([nik, *row[1:4], f"{month}/{day}/{year}", *row[5:]])
    return _file(rows)
