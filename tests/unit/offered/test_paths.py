"""Whatever path a client makes up, it reaches its own files and nothing else."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import Offer
from gateway.offered.shelf import How, Shelf, shown_path
from tests.clerk import FEEDS, FeedNames

STEPS = st.sampled_from(
    [
        *("..", ".", "", "archive", "2026-11-24", "rejected", ".taking", "link", "outside", "secret.txt"),
        *("imunisasi_1.csv", "imunisasi_2.csv", "imunisasi_link.csv", "imunisasi_1.csv.filepart", "stok.csv", "\\"),
    ]
)
MADE = st.lists(STEPS, max_size=7).map(lambda steps: "/".join(steps).encode())
PATHS = st.one_of(MADE, st.binary(max_size=12), st.text(max_size=12).map(lambda text: text.encode(errors="replace")))


def made(place: Path) -> Path:
    """A drop with somebody else's files in it and a way out of it by a link."""
    drop, outside = place / "drop", place / "outside"
    for folder in ("archive/2026-11-24", "rejected", ".taking"):
        (drop / folder).mkdir(parents=True)
    outside.mkdir()
    for file in (
        outside / "secret.txt",
        outside / "imunisasi_1.csv",
        drop / ".taking/imunisasi_1.csv",
        drop / "stok.csv",
    ):
        file.write_text("not yours")
    (drop / "archive/link").symlink_to(outside)
    (drop / "rejected/2026-11-24").symlink_to(outside)
    (drop / "imunisasi_link.csv").symlink_to(outside / "secret.txt")
    (drop / "imunisasi_1.csv").write_text("mine")
    (drop / "rejected/imunisasi_1.csv").write_text("mine")
    return drop


def others(place: Path) -> dict[str, str]:
    """What isn't the account's: all but its own files in the drop itself."""
    found = {}
    for path in sorted(place.rglob("*")):
        if path.parent == place / "drop" and path.name.startswith("imunisasi_") and not path.is_symlink():
            continue
        found[str(path)] = (
            str(path.readlink()) if path.is_symlink() else path.read_text() if path.is_file() else "folder"
        )
    return found


@settings(max_examples=150, deadline=None)
@given(path=PATHS, other=PATHS)
def test_no_path_leads_out(path: bytes, other: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        drop = made(Path(folder))
        before = others(Path(folder))
        shelf = Shelf(Offer(feed="imunisasi", setting=(), folder=drop, names=FeedNames("imunisasi", FEEDS)), 10**6)
        with suppress(OSError):
            fd = shelf.open_to_read(path)
            read = os.read(fd, 100)
            os.close(fd)
            assert read == b"mine"
        with suppress(OSError):
            assert {seen.name for seen in shelf.listing(path)} <= {
                "imunisasi_1.csv",
                "archive",
                "rejected",
                "2026-11-24",
            }
        with suppress(OSError):
            upload = shelf.open_to_write(path, How(create=True))
            shelf.write(upload, 0, b"mine")
            shelf.finish(upload)
        for act in (
            lambda: shelf.date(path, (0, 0)),
            lambda: shelf.rename(path, other, replace=True),
            lambda: shelf.rename(other, path, replace=False),
            lambda: shelf.remove(other),
            lambda: shown_path(path),
        ):
            with suppress(OSError):
                act()
        assert others(Path(folder)) == before
