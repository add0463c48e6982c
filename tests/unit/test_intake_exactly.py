"""What stands in a cell is what is looked up, and what is handed back and taken in once it is mended."""

import csv

from tests.drops import OpenSite
from tests.unit.adapters.csv.test_read_exactly import ODD, written

HEADER = ["nik_anak", "jenis"]
CELLS = [*ODD.values()]


async def test_cells_are_kept_exactly(open_site: OpenSite) -> None:
    site = await open_site()
    rows = [[str(number), cell] for number, cell in enumerate(CELLS)]
    site.drop("imunisasi_1.csv", written(HEADER, *rows, encoding="utf-8"))
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert [*map(list, await site.rows())] == rows
    for number, cell in rows:
        found = await site.ledger.look_up("puskesmas/imunisasi", {"jenis": cell}, limit=2)
        assert [row["nik_anak"] for row in found.rows] == [number]


async def test_cells_of_rows_that_are_handed_back_and_mended_come_back_exactly(open_site: OpenSite) -> None:
    site = await open_site(max_reject=1.0)
    site.drop("imunisasi_1.csv", written(HEADER, *(["x", cell] for cell in CELLS), encoding="utf-8"))
    await site.look()
    name = "imunisasi_1.csv.rejected.csv"
    with (site.folder / "rejected" / name).open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file, delimiter=";")
    mended = [[*before, str(number), cell] for number, (*before, _nik, cell) in enumerate(rows)]
    site.drop(name, written(header, *mended, encoding="utf-8-sig"))
    await site.look()
    assert site.told()[-1] == (name, "accepted")
    assert await site.rows() == [(str(number), cell) for number, cell in enumerate(CELLS)]
