"""`gateway doctor` on drops that are elsewhere: the way there, the server's key, the login."""

from pathlib import Path

from gateway.doctor.found import State
from tests.places import PASSWORD, USER, sftp_server
from tests.unit.doctor.conftest import Office
from tests.unit.doctor.test_examination import CSV, PUSKESMAS_MAPPING

LOGIN = """
[agency.puskesmas.drop_login]
password = "${SANDI}"
host_key = "%s"
"""


async def test_a_drop_elsewhere_is_listed_or_it_is_told_why_not(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "imunisasi_1.csv").touch()
    async with sftp_server(folder) as (port, fingerprint):
        place = f"sftp://{USER}@127.0.0.1:{port}/"

        async def looks(fingerprint: str, password: str = PASSWORD) -> list[tuple[str, State, str]]:
            sections = CSV.format(folder=place).replace(
                "[agency.puskesmas.feed", LOGIN % fingerprint + "[agency.puskesmas.feed"
            )
            office.write("http://127.0.0.1:1", others=sections)
            (office.folder / "mappings/puskesmas.toml").write_text(PUSKESMAS_MAPPING)
            found = await office.diagnose("puskesmas", environment={"SANDI": password})
            return [(one.check, one.state, one.says) for one in found.checks if one.agency == "puskesmas"]

        assert await looks(fingerprint) == [("drop", State.OK, f"drop: sftp://127.0.0.1:{port}/ is there, with 1 file")]
        ((_, state, says),) = await looks("SHA256:" + "A" * 43)
        assert (state, "shows another key" in says) == (State.ERROR, True)
        ((_, state, says),) = await looks(fingerprint, "salah-sekali")
        assert (state, "does not accept the login" in says) == (State.ERROR, True)
        assert "salah-sekali" not in says


async def test_the_folder_of_rows_that_another_agency_gets_is_looked_at(office: Office) -> None:
    office.write(
        "http://127.0.0.1:1",
        others="""
[agency.loket]
adapter = "csv"
drop    = "kotak"
mapping = "mappings/loket.toml"

[agency.loket.feed.surat]
files = "surat_*.csv"
mode  = "forward"
to    = "dinkes/lapor"

[agency.dinkes.operation.lapor]
call    = "POST /lapor"
deliver = "store-and-forward"
""",
    )
    mappings = office.folder / "mappings"
    with (mappings / "dinkes.toml").open("a") as mapping:
        mapping.write('\n[lapor.request]\nnama = "nama"\n')
    (mappings / "loket.toml").write_text('[surat.row]\nnama = "nama"\n')
    (office.folder / "kotak").mkdir()
    for asked in ((), ("loket",)):
        found = await office.diagnose(*asked)
        found.said("folder", State.WARNING, "kotak is there, but has no file of surat", agency="loket")
        assert found.kinds("loket") == ["folder"]
    config = office.folder / "gateway.toml"
    config.write_text(config.read_text().replace("dinkes/lapor", "dinkes/laporan"))
    (await office.diagnose("loket")).said(
        "configuration", State.ERROR, 'there is no operation "dinkes/laporan"', agency="loket"
    )
