"""Requests as rows of files: what a file is called and holds, and what is told when it can't be put there."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import pytest

from adapters.csv.folder import Folder
from adapters.csv.outs import Writing
from adapters.csv.settings import Out
from gateway import AgencyTimeout, Answer, Call, TranslationError, Unavailable
from tests.drops import call
from tests.fakes import MONDAY_MORNING, FakeClock

IDS = ("019a20ee-314a-778e-8832-0cd8d1980879", "019a20ee-3532-778e-8832-0cd8d198087a")


class Stubborn(Folder):
    """A folder that takes no markers."""

    async def put(self, name: str, content: bytes | BinaryIO, /) -> None:
        if name.endswith(".ok"):
            raise Unavailable("disk full", maybe_done=False)
        await super().put(name, content)


class Silent(Folder):
    """A folder that does not say whether it has a file."""

    async def put(self, name: str, content: bytes | BinaryIO, /) -> None:
        await super().put(name, content)
        await asyncio.Event().wait()


def writing(folder: Path, kind: type[Folder] = Folder, **settings: object) -> Writing:
    batch = {"rows": 2, "every": "1m"}
    given = {"folder": str(folder), "file": "jadwal_{batch}.csv", "batch": batch, **settings}
    out = Out.model_validate(given)
    return Writing(
        outs={"jadwal": out},
        drops={"jadwal": kind(folder)},
        columns={"jadwal": ("nik", "catatan")},
        clock=FakeClock(),
    )


def calls(*documents: dict[str, object], timeout: float = 5.0) -> Sequence[Call]:
    made = [call("jadwal", document, timeout) for document in documents]
    for one, identity in zip(made, IDS, strict=False):
        object.__setattr__(one, "message_id", identity)
    return made


def found(folder: Path) -> dict[str, str]:
    """What lies in a folder, by name in order."""
    return {path.name: path.read_text("utf-8") for path in sorted(folder.iterdir())}


async def test_a_batch_is_one_file_and_each_row_bears_its_requests_id(tmp_path: Path) -> None:
    (first, second) = await writing(tmp_path).write(calls({"nik": "0405"}, {"nik": "0406", "catatan": "x"}))
    assert isinstance(first, Answer)
    assert first.document == {"file": first.document["file"], "written": MONDAY_MORNING.isoformat()}  # type: ignore[index]
    assert first == second
    (text,) = found(tmp_path).values()
    assert text == (f'"request_id";"nik";"catatan"\n"{IDS[0]}";"0405";""\n"{IDS[1]}";"0406";"x"\n')


async def test_a_file_is_called_by_its_requests_in_whatever_order_they_come(tmp_path: Path) -> None:
    made = writing(tmp_path)
    asked = calls({"nik": "1"}, {"nik": "2"})
    await made.write(asked)
    before = found(tmp_path)
    await made.write(list(reversed(asked)))
    assert list(found(tmp_path)) == list(before)
    await made.write(asked[:1])
    assert len(found(tmp_path)) == 2


async def test_what_does_not_fit_is_left_out(tmp_path: Path) -> None:
    bad, good = await writing(tmp_path).write(calls({"nik": "nul\0"}, {"nik": "2"}))
    assert isinstance(bad, TranslationError)
    assert bad.errors[0].pointer == "nik"
    assert isinstance(good, Answer)
    (text,) = found(tmp_path).values()
    assert IDS[0] not in text


async def test_no_file_is_written_of_nothing(tmp_path: Path) -> None:
    ends = await writing(tmp_path).write(calls({"nik": "\0"}, {"other": "2"}))
    assert [type(end) for end in ends] == [TranslationError, TranslationError]
    assert found(tmp_path) == {}


async def test_a_marker_comes_after_its_file_and_both_are_whole(tmp_path: Path) -> None:
    await writing(tmp_path, marker=".ok").write(calls({"nik": "1"}))
    file, marker = found(tmp_path)
    assert (marker, found(tmp_path)[marker]) == (f"{file}.ok", "")


async def test_a_marker_that_is_missing_may_be_done(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"is there, its \.ok is not") as raised:
        await writing(tmp_path, Stubborn, marker=".ok").write(calls({"nik": "1"}))
    assert raised.value.maybe_done


async def test_a_folder_that_is_gone_takes_nothing(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as raised:
        await writing(tmp_path / "gone").write(calls({"nik": "1"}))
    assert not raised.value.maybe_done


async def test_a_disk_that_hangs_may_have_it(tmp_path: Path) -> None:
    with pytest.raises(AgencyTimeout) as raised:
        await writing(tmp_path, Silent).write(calls({"nik": "1"}, timeout=0.2))
    assert raised.value.maybe_done


async def test_the_column_of_the_id_may_be_the_mappings_own(tmp_path: Path) -> None:
    await writing(tmp_path, id_column="nik").write(calls({"nik": "?", "catatan": "x"}))
    (text,) = found(tmp_path).values()
    assert text == f'"nik";"catatan"\n"{IDS[0]}";"x"\n'
