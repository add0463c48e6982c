"""The same work as bench/feeds.py has the gateway do, by pandas and by DuckDB as people use them for it."""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import pandas as pd

from bench.people import COLUMNS

CHUNK = 50_000
KELAMIN = {"1": "laki-laki", "2": "perempuan"}
KAWIN = {"B": "belum kawin", "K": "kawin", "CH": "cerai hidup", "CM": "cerai mati"}
KEPT = (
    "nik", "no_kk", "nama", "tanggal_lahir", "jenis_kelamin", "jalan", "rt", "rw", "kecamatan", "status",
    "penghasilan", "diubah", "catatan",
)  # fmt: skip
EXTRA = "_lebih"
DATE, MONEY = r"\d{2}/\d{2}/\d{4}", r"-?\d{1,3}(\.\d{3})*(,\d{1,2})?"


class _Store:
    """An SQLite file of its own, indexed and on disk when it is closed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(f"CREATE TABLE row ({', '.join(KEPT)})")

    def add(self, rows: Iterable[Sequence[object]]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany(f"INSERT INTO row VALUES ({', '.join('?' * len(KEPT))})", rows)
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.execute("CREATE UNIQUE INDEX row_nik ON row (nik)")
        self._db.execute("CREATE INDEX row_kecamatan ON row (kecamatan, status)")
        self._db.close()
        with self._path.open("rb") as file:
            os.fsync(file.fileno())


def by_pandas(file: Path, folder: Path) -> tuple[int, int]:
    """Return how many rows were taken and handed back; a thirteenth column catches rows that are too long."""
    store, taken, rejected = _Store(folder / "pandas.db"), 0, 0
    names = [*COLUMNS, EXTRA]
    with (folder / "rejected.csv").open("w", encoding="utf-8", newline="") as back:
        for part in pd.read_csv(
            file,
            sep=";",
            header=None,
            skiprows=1,
            names=names,
            dtype=str,
            keep_default_na=False,
            na_values=[],
            chunksize=CHUNK,
        ):
            frame = part.reset_index(drop=True)
            reasons = _reasons(frame)
            bad = reasons != ""
            frame.loc[bad].assign(_alasan=reasons[bad]).to_csv(back, sep=";", index=False, header=False)
            good = frame.loc[~bad]
            store.add(_canonical(good).itertuples(index=False, name=None))
            taken, rejected = taken + len(good), rejected + int(bad.sum())
    store.close()
    return taken, rejected


def _reasons(frame: pd.DataFrame) -> pd.Series:
    told = pd.Series("", index=frame.index)
    columns = frame[EXTRA].notna() & (frame[EXTRA] != "") | frame["DIUBAH"].isna() | (frame["DIUBAH"] == "")
    told = told.mask(columns, told + "kolom;")
    checks = {
        "NIK": ~frame["NIK"].str.fullmatch(r"\d{16}", na=False),
        "NO_KK": ~frame["NO_KK"].str.fullmatch(r"\d{16}", na=False),
        "NAMA": ~frame["NAMA"].str.len().between(1, 100),
        "JK": ~frame["JK"].isin([*KELAMIN]),
        "RT_RW": ~frame["RT_RW"].str.contains("/", regex=False, na=False),
        "KODE_KEC": ~frame["KODE_KEC"].str.fullmatch(r"\d{7}", na=False),
        "STATUS": ~frame["STATUS"].isin([*KAWIN]),
        "PENGHASILAN": ~frame["PENGHASILAN"].str.fullmatch(MONEY, na=False),
    }
    for name in ("TGL_LAHIR", "DIUBAH"):
        there = frame[name].str.fullmatch(DATE, na=False)
        checks[name] = ~there | pd.to_datetime(frame[name], format="%d/%m/%Y", errors="coerce").isna()
    for name, wrong in checks.items():
        told = told.mask(wrong & ~columns, told + name + ";")
    return told


def _canonical(good: pd.DataFrame) -> pd.DataFrame:
    parts = good["RT_RW"].str.split("/", n=1, expand=True)
    days = {
        name: good[name].str[6:10] + "-" + good[name].str[3:5] + "-" + good[name].str[0:2]
        for name in ("TGL_LAHIR", "DIUBAH")
    }
    money = good["PENGHASILAN"].str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    return pd.DataFrame(
        {
            "nik": good["NIK"], "no_kk": good["NO_KK"], "nama": good["NAMA"], "tanggal_lahir": days["TGL_LAHIR"],
            "jenis_kelamin": good["JK"].map(KELAMIN), "jalan": good["ALAMAT"], "rt": parts[0], "rw": parts[1],
            "kecamatan": good["KODE_KEC"], "status": good["STATUS"].map(KAWIN), "penghasilan": money,
            "diubah": days["DIUBAH"], "catatan": good["CATATAN"],
        }
    )  # fmt: skip


def by_duckdb(file: Path, folder: Path) -> tuple[int, int]:
    """Return how many rows were taken and handed back; short rows come with what is missing as null."""
    db = duckdb.connect(str(folder / "duck.db"))
    db.execute("SET memory_limit = '512MB'")
    db.execute("SET threads = 2")
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in (*COLUMNS, EXTRA))
    db.execute(
        f"CREATE TABLE judged AS SELECT *, {_judgement()} AS alasan FROM read_csv('{file}', delim=';', header=false, "
        f"skip=1, quote='\"', null_padding=true, parallel=false, auto_detect=false, columns={{{columns}}})"
    )
    db.execute(f"COPY (SELECT * FROM judged WHERE alasan <> '') TO '{folder / 'rejected.csv'}' (DELIMITER ';')")
    rejected = _one(db, "SELECT count(*) FROM judged WHERE alasan <> ''")
    taken = _one(db, "SELECT count(*) FROM judged WHERE alasan = ''")
    store = _Store(folder / "duck-rows.db")
    found = db.execute(f"SELECT {_values()} FROM judged WHERE alasan = ''")
    while portion := found.fetchmany(CHUNK):
        store.add(portion)
    store.close()
    db.close()
    return taken, rejected


def _one(db: duckdb.DuckDBPyConnection, query: str) -> int:
    row = db.execute(query).fetchone()
    return int(row[0]) if row else 0


def _judgement() -> str:
    whole = f"{EXTRA} IS NULL AND DIUBAH IS NOT NULL"
    rules = {
        "NIK": "NOT regexp_full_match(coalesce(NIK, ''), '[0-9]{16}')",
        "NO_KK": "NOT regexp_full_match(coalesce(NO_KK, ''), '[0-9]{16}')",
        "NAMA": "length(coalesce(NAMA, '')) NOT BETWEEN 1 AND 100",
        "TGL_LAHIR": "try_strptime(TGL_LAHIR, '%d/%m/%Y') IS NULL",
        "JK": "coalesce(JK, '') NOT IN ('1', '2')",
        "RT_RW": "NOT contains(coalesce(RT_RW, ''), '/')",
        "KODE_KEC": "NOT regexp_full_match(coalesce(KODE_KEC, ''), '[0-9]{7}')",
        "STATUS": "coalesce(STATUS, '') NOT IN ('B', 'K', 'CH', 'CM')",
        "PENGHASILAN": rf"NOT regexp_full_match(coalesce(PENGHASILAN, ''), '{MONEY}')",
        "DIUBAH": "try_strptime(DIUBAH, '%d/%m/%Y') IS NULL",
    }
    told = ", ".join(f"CASE WHEN {wrong} THEN '{name};' END" for name, wrong in rules.items())
    return f"CASE WHEN NOT ({whole}) THEN 'kolom;' ELSE concat({told}) END"


def _values() -> str:
    kelamin = " ".join(f"WHEN '{code}' THEN '{word}'" for code, word in KELAMIN.items())
    kawin = " ".join(f"WHEN '{code}' THEN '{word}'" for code, word in KAWIN.items())
    return (
        "NIK, NO_KK, NAMA, strftime(strptime(TGL_LAHIR, '%d/%m/%Y'), '%Y-%m-%d'), "
        f"CASE JK {kelamin} END, ALAMAT, split_part(RT_RW, '/', 1), split_part(RT_RW, '/', 2), KODE_KEC, "
        f"CASE STATUS {kawin} END, replace(replace(PENGHASILAN, '.', ''), ',', '.'), "
        "strftime(strptime(DIUBAH, '%d/%m/%Y'), '%Y-%m-%d'), coalesce(CATATAN, '')"
    )
