"""What every kind of drop promises, whatever server is behind it."""

import os
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Protocol

import pytest

from adapters.csv.drop import Drop
from gateway import Unavailable

BIG = b"0;BCG\n" + random.Random(7).randbytes(7_000_000)
AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC).timestamp()


class Ground(Protocol):
    """What lies behind a drop, reached in another way."""

    drop: Drop
    atomic: bool
    """Whether nothing can be seen of a file that is being written."""
    dated: bool
    """Whether a test can say when a file was written."""

    def write(self, name: str, content: bytes) -> None: ...
    def read(self, name: str) -> bytes: ...
    def names(self) -> list[str]: ...
    def vanish(self) -> None:
        """Take the drop itself away."""
        ...


@dataclass(slots=True)
class FolderGround:
    """A folder of this machine, that a server may serve."""

    drop: Drop
    folder: Path
    atomic: bool = False
    dated: bool = True

    def write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (AT, AT))

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def names(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())

    def vanish(self) -> None:
        self.folder.rename(self.folder.with_name(f"{self.folder.name}-gone"))


async def content(drop: Drop, name: str) -> bytes:
    with await drop.open(name) as file:
        return file.read()


class DropContract:
    """Subclasses have a fixture `ground`."""

    async def test_a_listing_has_names_sizes_and_times_and_no_folders(self, ground: Ground) -> None:
        assert list(await ground.drop.list()) == []
        ground.write("stok 1.csv", b"a\n1\n")
        ground.write(".lain.csv", b"")
        ground.write("bawah/x.csv", b"x")
        found = {entry.name: entry for entry in await ground.drop.list() if not entry.name.startswith(".")}
        assert {name: entry.size for name, entry in found.items()} == {"stok 1.csv": 4}
        if ground.dated:
            assert found["stok 1.csv"].mtime == AT
        assert [entry.name for entry in await ground.drop.list("bawah")] == ["x.csv"]
        assert list(await ground.drop.list("tak/ada")) == []

    @pytest.mark.parametrize(("whole", "tail"), [(b"", b""), (b"a", b"a"), (b"abc\n", b"c\n")])
    async def test_the_tail_is_the_last_two_bytes(self, ground: Ground, whole: bytes, tail: bytes) -> None:
        ground.write("a.csv", whole)
        assert await ground.drop.tail("a.csv") == tail

    async def test_an_open_file_lies_here_with_size_and_time_of_its_entry(self, ground: Ground) -> None:
        ground.write("a.csv", BIG)
        entry = next(iter(await ground.drop.list()))
        with await ground.drop.open("a.csv") as file, await ground.drop.open("a.csv") as other:
            stat = os.fstat(file.fileno())
            assert (stat.st_size, round(stat.st_mtime, 3)) == (entry.size, round(entry.mtime, 3))
            assert file.readline() == b"0;BCG\n"
            assert other.read() == BIG
            assert file.seek(-3, os.SEEK_END) == len(BIG) - 3
            assert file.read() == BIG[-3:]

    async def test_a_file_that_was_rewritten_is_opened_anew(self, ground: Ground) -> None:
        ground.write("a.csv", b"first\n")
        assert await content(ground.drop, "a.csv") == b"first\n"
        ground.write("a.csv", b"second, and longer\n")
        assert await content(ground.drop, "a.csv") == b"second, and longer\n"

    @pytest.mark.parametrize("big", [False, True])
    async def test_a_put_file_is_there_whole_in_folders_that_are_made_and_replaces_its_like(
        self, ground: Ground, *, big: bool
    ) -> None:
        for whole in (b"first", BIG if big else b"second"):
            await ground.drop.put("archive/2026-03-02/a.csv", BytesIO(whole) if big else whole)
            assert ground.read("archive/2026-03-02/a.csv") == whole
        assert ground.names() == ["archive/2026-03-02/a.csv"]
        await ground.drop.put("b.csv", b"x")
        assert ground.names() == ["archive/2026-03-02/a.csv", "b.csv"]

    async def test_a_moved_file_stays_the_same_file(self, ground: Ground) -> None:
        ground.write("a.csv", b"a\n1\n")
        entry = next(iter(await ground.drop.list()))
        for name, to in (("a.csv", ".taking/a.csv"), (".taking/a.csv", "archive/2026-03-02/a.csv")):
            assert await ground.drop.move(name, to)
            assert ground.names() == [to]
            moved = next(iter(await ground.drop.list(to.rpartition("/")[0])))
            assert (moved.name, moved.size, moved.mtime) == (entry.name, entry.size, entry.mtime)
        assert await content(ground.drop, "archive/2026-03-02/a.csv") == b"a\n1\n"

    async def test_only_the_file_that_was_seen_is_moved(self, ground: Ground) -> None:
        ground.write("a.csv", b"a\n1\n")
        before = next(iter(await ground.drop.list()))
        ground.write("a.csv", b"a\n1\n2\n")
        assert await ground.drop.move("a.csv", ".taking/a.csv", before) is None
        assert ground.names() == ["a.csv"]
        now = next(iter(await ground.drop.list()))
        assert await ground.drop.move("a.csv", ".taking/a.csv", now) == now
        assert ground.names() == [".taking/a.csv"]

    async def test_a_file_that_is_gone_is_not_moved_and_none_takes_the_place_of_another(self, ground: Ground) -> None:
        assert not await ground.drop.move("a.csv", ".taking/a.csv")
        ground.write("a.csv", b"a")
        ground.write("archive/a.csv", b"another")
        with pytest.raises(Unavailable, match="there is a"):
            await ground.drop.move("a.csv", "archive/a.csv")
        assert ground.read("archive/a.csv") == b"another"
        assert ground.names() == ["a.csv", "archive/a.csv"]

    async def test_what_is_not_there_is_unavailable_and_nothing_was_done(self, ground: Ground) -> None:
        for doing in (ground.drop.open("a.csv"), ground.drop.tail("a.csv")):
            with pytest.raises(Unavailable) as raised:
                await doing
            assert not raised.value.maybe_done
        await ground.drop.put("a.csv", b"still goes on")

    async def test_a_drop_that_disappears_is_unavailable_until_it_returns_and_is_never_made(
        self, ground: Ground
    ) -> None:
        ground.write("a.csv", b"a")
        assert await ground.drop.list()
        ground.vanish()
        for doing in (ground.drop.list(), ground.drop.list(".taking"), ground.drop.put("archive/b.csv", b"")):
            with pytest.raises(Unavailable) as raised:
                await doing
            assert not raised.value.maybe_done
        with pytest.raises(Unavailable):
            await ground.drop.move("a.csv", ".taking/a.csv")
        ground.write("b.csv", b"b")
        assert [entry.name for entry in await ground.drop.list()] == ["b.csv"]

    async def test_connections_are_closed_and_opened_again(self, ground: Ground) -> None:
        ground.write("a.csv", b"a")
        for _ in range(2):
            assert await content(ground.drop, "a.csv") == b"a"
            await ground.drop.close()
