"""`gateway add csv` as it is typed: from a sample to rows that are taken in and looked up."""

import gzip
import json
import os
import re
from datetime import date
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from tests.unit.cli.conftest import Office

CONFIG = '# ours\n[gateway]\nlisten = "127.0.0.1:0"\n'
HEADER = "No.;NIK Anak;Nama Anak;Tgl. Lahir;Jenis Imunisasi;Tgl Imunisasi;Berat (kg);Posyandu;L/P;Aktif;HP Ibu"
ROWS = [
    "1;1405025503259101;Alya Rahmawati;15/03/2025;BCG;15/04/2025;4,5;Melati;P;Y;081200009001",
    "2;1405021503259102;Bagas Putra;15/03/2025;BCG;16/04/2025;5,25;Melati;L;T;081200009002",
    "3;1405025503259101;Alya Rahmawati;15/03/2025;POLIO-1;15/05/2025;4,9;;P;Y;081200009001",
    "4;1405020102259103;Citra Dewi;01/02/2025;POLIO-1;15/05/2025;4,9;Mawar;P;Y;081200009003",
]
PEOPLE = ("1405025503259101", "Alya", "Bagas", "Citra", "15/03/2025", "081200009")
CORPUS = os.environ.get("GATEWAY_CORPUS")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gateway.toml").write_text(CONFIG, "utf-8")
    return Office(tmp_path)


def sample(office: Office, *lines: str, name: str = "imunisasi_20261124.csv", end: str = "\n") -> Path:
    path = office.folder / name
    path.write_text("\n".join([HEADER, *(lines or ROWS)]) + end, "utf-8")
    return path


def refused(office: Office, path: Path, *options: str) -> str:
    before = (office.folder / "gateway.toml").read_bytes()
    with pytest.raises(ConfigError) as caught:
        office.gateway("add", "csv", "puskesmas", str(path), *options)
    assert (office.folder / "gateway.toml").read_bytes() == before
    assert not (office.folder / "mappings/puskesmas.toml").exists() or "puskesmas" in before.decode()
    return "\n".join(map(str, caught.value.findings))


def test_what_was_written_takes_the_sample_in_and_answers_at_once(here: Office) -> None:
    path = sample(here)

    added = here.gateway("add", "csv", "puskesmas", str(path), "--make-drop")

    assert added.exit_code == 0
    assert "11 columns, 4 rows, utf-8" in added.stdout
    assert "itself would be taken: 4 rows, 0 rejected" in added.stdout
    config = (here.folder / "gateway.toml").read_text("utf-8")
    assert config.startswith(CONFIG.rstrip())
    assert 'files   = "imunisasi_*.csv"' in config
    assert here.gateway("check").output == "nothing to change\n"
    config = config.replace('"stable"', '"rename"')
    (here.folder / "gateway.toml").write_text(config, "utf-8")
    path.rename(here.folder / "drops/puskesmas" / path.name)
    here.take_in("puskesmas")
    assert here.gateway("feed", "list").stdout.split("\t")[:3] == ["puskesmas/imunisasi", "1", "4"]
    asked = here.gateway("try", "puskesmas/cari-imunisasi", "-d", '{"nik_anak": "1405021503259102"}')
    assert '"jumlah": 1' in asked.stdout
    assert '"berat_kg": 5.25' in asked.stdout


def test_nothing_of_a_person_in_the_sample_is_written(here: Office) -> None:
    printed = here.gateway("add", "csv", "puskesmas", str(sample(here))).output

    written = (here.folder / "mappings/puskesmas.toml").read_text("utf-8")
    for text in (written, (here.folder / "gateway.toml").read_text("utf-8"), printed):
        assert not [one for one in PEOPLE if one in text]
    assert '# "BCG"     = "BCG"' in written


def test_the_commented_table_of_codes_fits_as_it_stands(here: Office) -> None:
    here.gateway("add", "csv", "puskesmas", str(sample(here)))
    mapping = here.folder / "mappings/puskesmas.toml"
    text = mapping.read_text("utf-8")
    text = re.sub(r"^# (\[codes|\"(BCG|POLIO|L|P)[-\"])", r"\1", text, flags=re.MULTILINE)
    text = text.replace('"Jenis Imunisasi" ', '{ from = "Jenis Imunisasi", codes = "jenis_imunisasi" } ')
    mapping.write_text(text, "utf-8")

    assert here.gateway("check").exit_code == 0


def test_what_a_person_should_look_at_is_said_by_its_line(here: Office) -> None:
    rows = [
        *ROWS * 5,
        "9;1,40502E+15;Dimas;01/02/2025;BCG;15/05/2025;4,9;Mawar;L;Y;081200009004",
        "x;y",
        "TOTAL;;;;;;;;;;",
    ]

    told = here.gateway("add", "csv", "puskesmas", str(sample(here, *rows))).stdout

    assert "NIK Anak: line 22 does not fit" in told
    assert "NIK Anak: 1 value is rounded" in told
    assert "line 23 not read" in told
    assert 'the last row begins with "TOTAL"' in told
    assert 'trailer = "TOTAL"' in (here.folder / "gateway.toml").read_text("utf-8")


OFFICER = "1405021208789101"


@pytest.mark.parametrize(
    ("lines", "key", "said"),
    [
        (
            ("nik_petugas;nik_anak", f"{OFFICER};1405025503259101", "1405021208789102;1405021503259102"),
            '["nik_anak"]',
            "",
        ),
        (("NIK Petugas;No KK", f"{OFFICER};1405022001159101", "1405021208789102;1405022001159102"), '["no_kk"]', ""),
        (("petugas_nik;nomor;jenis", f"{OFFICER};A-1;x", "1405021208789102;A-2;x"), '["nomor"]', ""),
        (
            (
                "nik_petugas;nik_anak;kode",
                f"{OFFICER};1405025503259101;a",
                "1405021208789102;1405025503259101;b",
                "1405021208789103;1405021503259102;b",
            ),
            '["nik_anak", "kode"]',
            "",
        ),
        (
            ("berat;nik_petugas", f"1,5;{OFFICER}", "2,5;1405021208789102"),
            '["nik_petugas"]',
            "seems to be the officer's",
        ),
    ],
)
def test_the_key_is_the_subjects_and_the_officers_only_where_nothing_else_tells_rows_apart(
    here: Office, lines: tuple[str, ...], key: str, said: str
) -> None:
    path = here.folder / "data_20261124.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")

    told = here.gateway("add", "csv", "puskesmas", str(path)).stdout

    assert f"key     = {key}" in (here.folder / "gateway.toml").read_text("utf-8")
    assert "a guess: no two rows of the sample have it alike" in told
    assert ("seems to be the officer's" in told) is bool(said)


def test_a_sample_that_would_itself_be_refused_says_so(here: Office) -> None:
    broken = ROWS[0].replace("1405025503259101", "1,40502E+15")

    told = here.gateway("add", "csv", "puskesmas", str(sample(here, *ROWS[:3], broken))).stdout

    assert "itself would be refused: 1 of 4 rows rejected" in told


def test_names_that_no_comment_can_hold_do_no_harm(here: Office) -> None:
    path = here.folder / "x.csv"
    path.write_text('"a\nb";"a\nb";"it\'s \\ ""x""";each;"@login.user";Tgl. Lahir;;a.b\n1;2;3;4;5;6;7;8\n', "utf-8")

    told = here.gateway("add", "csv", "puskesmas", str(path), "--title", "Dua\nbaris").stdout

    assert "itself would be taken: 1 row" in told
    assert here.gateway("check").exit_code == 0


def test_a_file_whose_last_line_has_no_end_is_complete_by_its_name(here: Office) -> None:
    told = here.gateway("add", "csv", "puskesmas", str(sample(here, end=""))).stdout

    assert 'ready   = "rename"' in (here.folder / "gateway.toml").read_text("utf-8")
    assert 'the last line has no line break: with ready = "stable" such a file is never taken' in told


@pytest.mark.parametrize(
    ("name", "feed", "pattern"),
    [
        ("imunisasi_20261124.csv", "imunisasi", "imunisasi_*.csv"),
        ("Data Stok 2026-11-24.CSV", "data-stok", "Data Stok *.CSV"),
        ("stok_24-11-2026_0730.csv", "stok", "stok_*.csv"),
        ("Laporan November 2026.csv", "laporan", "Laporan *.csv"),
        ("obat (2).csv", "obat", "obat*.csv"),
        ("20261124.csv", "data", "*.csv"),
        ("a[1]_20261124.csv", "a-1", "a[[]1]_*.csv"),
    ],
)
def test_the_files_name_tells_the_feed_and_its_pattern(here: Office, name: str, feed: str, pattern: str) -> None:
    here.gateway("add", "csv", "puskesmas", str(sample(here, name=name)))

    config = (here.folder / "gateway.toml").read_text("utf-8")
    assert f"[agency.puskesmas.feed.{feed}]" in config
    assert f'files   = "{pattern}"' in config
    assert here.gateway("feed", "check", name).exit_code == 0, "the sample is one of its files by its name"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04....", "save it as CSV"),
        (b"\x00\x01\x02\x81\xff" * 100, "is no text"),
        (b"nama\nSiti\nBudi\n", "has one column"),
        (b"a;b;c\n", "no row that fits"),
        (b"LAPORAN IMUNISASI;;\n;;\nnik;nama;jenis\n1;2;3\n", "seem to stand in line 3"),
        (b"1405025503259101;Siti;15/03/2025\n1405025503259102;Budi;15/03/2025\n", "data in its first line"),
        (b"1;2;3\n4;5;6\n", "data in its first line"),
        (b"sep=;\na;b\n1;2\n", 'a line "sep="'),
        (b"_baris;_alasan;_berkas;a\n1;x;y;z\n", "handed back"),
        (b";;\n;;\n", "has one column"),
    ],
)
def test_a_sample_that_no_feed_can_be_made_of_is_told_why(here: Office, content: bytes, says: str) -> None:
    path = here.folder / "salah.csv"
    path.write_bytes(content)

    said = refused(here, path)

    assert says in said
    assert path.name in said


def test_what_stands_in_the_way_is_told(here: Office) -> None:
    assert "No such file" in refused(here, here.folder / "hilang.csv")
    assert "Is a directory" in refused(here, here.folder)
    path = sample(here)
    here.gateway("add", "csv", "puskesmas", str(path))
    assert "one more [agency.puskesmas.feed.NAME]" in refused(here, path)


def test_the_next_steps_are_typed_from_where_somebody_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    (folder / "gateway.toml").write_text(CONFIG, "utf-8")

    told = Office(folder).gateway("add", "csv", "puskesmas", str(sample(Office(tmp_path)))).stdout

    config = folder / "gateway.toml"
    assert f"gateway check -c {config}" in told
    assert f"gateway feed check imunisasi_20261124.csv --feed puskesmas/imunisasi -c {config}" in told
    assert "make etc/drops/puskesmas" in told
    assert "read etc/mappings/puskesmas.toml" in told


def test_a_spreadsheet_is_taken_in_below_its_title(here: Office) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["LAPORAN IMUNISASI"])
    sheet.append([])
    sheet.append(["NIK Anak", "Tgl. Lahir", "Berat (kg)", "Jenis"])
    for number in range(1, 5):
        sheet.append([f"140502550325910{number}", date(2025, 3, number), 4.5, "BCG"])
    path = here.folder / "imunisasi_20261124.xlsx"
    book.save(path)

    added = here.gateway("add", "csv", "puskesmas", str(path), "--make-drop")

    assert "4 columns, 4 rows, xlsx" in added.stdout
    assert "itself would be taken: 4 rows, 0 rejected" in added.stdout
    config = (here.folder / "gateway.toml").read_text("utf-8")
    assert "header_row = 3" in config
    assert "dialect" not in config
    path.rename(here.folder / "drops/puskesmas" / path.name)
    (here.folder / "gateway.toml").write_text(config.replace('"stable"', '"rename"'), "utf-8")
    here.take_in("puskesmas")
    asked = here.gateway("try", "puskesmas/cari-imunisasi", "-d", '{"nik_anak": "1405025503259102"}')
    assert '"tgl_lahir": "2025-03-02"' in asked.stdout
    assert '"berat_kg": 4.5' in asked.stdout


def test_a_compressed_file_is_taken_in_as_what_is_in_it(here: Office) -> None:
    path = here.folder / "imunisasi_20261124.csv.gz"
    path.write_bytes(gzip.compress(sample(here).read_bytes()))

    added = here.gateway("add", "csv", "puskesmas", str(path))

    assert "itself would be taken: 4 rows, 0 rejected" in added.stdout
    config = (here.folder / "gateway.toml").read_text("utf-8")
    assert 'files   = "imunisasi_*.csv.gz"' in config
    assert "[agency.puskesmas.feed.imunisasi]" in config


def test_a_folder_in_which_another_agency_leaves_such_files_is_told_at_once(here: Office) -> None:
    path = sample(here)
    here.gateway("add", "csv", "dinkes", str(path), "--drop", "drops/bersama")

    told = refused(here, path, "--drop", "drops/./bersama")

    assert "fits dinkes/imunisasi as well, and either may take it" in told
    assert "give each agency a folder of its own" in told
    assert here.gateway("add", "csv", "puskesmas", str(path)).exit_code == 0


def test_what_could_not_be_added_leaves_no_mapping_behind(here: Office) -> None:
    path = sample(here)
    (here.folder / ".gateway.toml.new").mkdir()
    with pytest.raises(OSError, match="directory"):
        here.gateway("add", "csv", "puskesmas", str(path))
    assert not (here.folder / "mappings/puskesmas.toml").exists()
    (here.folder / ".gateway.toml.new").rmdir()
    assert here.gateway("add", "csv", "puskesmas", str(path)).exit_code == 0


@pytest.mark.skipif(CORPUS is None, reason="GATEWAY_CORPUS names no folder of public files")
def test_no_file_that_somebody_else_wrote_ends_it(here: Office) -> None:
    files = [path for path in Path(CORPUS or "").joinpath("csv").rglob("*") if path.is_file()]
    files = sorted(files)[::5]
    assert files
    taken = 0
    for number, path in enumerate(files):
        try:
            result = here.gateway("add", "csv", f"x{number}", str(path))
        except ConfigError as error:
            assert path.name in str(error), path
        else:
            assert result.exit_code == 0, path
            taken += 1
    assert taken > len(files) / 3
    assert json.loads(here.gateway("feed", "list", "--json").stdout)
