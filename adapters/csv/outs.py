"""Requests -> row files in the folders that an agency reads; must not know what comes back."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.csv.disk import Hangs
from adapters.csv.drop import Drop
from adapters.csv.settings import Out
from adapters.csv.write import Cells, row, row_file
from gateway import AgencyTimeout, Answer, Call, Clock, Document, TranslationError, Unavailable

HASH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """The outs of an agency, the drops they lead to, and the columns of each as its mapping has them."""

    outs: Mapping[str, Out]
    drops: Mapping[str, Drop]
    columns: Mapping[str, Sequence[str]]
    clock: Clock

    async def write(self, calls: Sequence[Call]) -> Sequence[Answer | TranslationError]:
        """Write calls of one out into one file, all that fit; raises Unavailable or AgencyTimeout for those."""
        target = calls[0].target
        begun: list[str] = []
        try:
            async with asyncio.timeout(min(call.timeout for call in calls)):
                return await self._written(calls, target, begun)
        except TimeoutError as error:
            raise AgencyTimeout(f"{target}: the disk did not answer in time", maybe_done=bool(begun)) from error
        except Hangs as error:
            text = f"{target}: {error.strerror}; does the machine that its folder is mounted from answer?"
            raise Unavailable(text, maybe_done=False) from error

    async def _written(
        self, calls: Sequence[Call], target: str, begun: list[str]
    ) -> Sequence[Answer | TranslationError]:
        """Write them, and note the file that may be there from then on."""
        out, disk, columns = self.outs[target], self.drops[target].disk, self._columns(calls)
        made = await disk.do(_rows, calls, columns, out)
        good = [
            (call, cells) for call, cells in zip(calls, made, strict=True) if not isinstance(cells, TranslationError)
        ]
        if not good:
            return [cells for cells in made if isinstance(cells, TranslationError)]
        name = _name(out, [call.message_id for call, _ in good], self.clock.now())
        content = await disk.do(row_file, [cells for _, cells in good], columns, out)
        begun.append(name)
        await self._put(target, name, content)
        written: Document = {"file": name, "written": self.clock.now().isoformat(timespec="seconds")}
        return [cells if isinstance(cells, TranslationError) else Answer(document=written) for cells in made]

    async def _put(self, target: str, name: str, content: bytes) -> None:
        """Put the file there, then its marker; without that it is there, and nobody may have read it."""
        await self.drops[target].put(name, content)
        if marker := self.outs[target].marker:
            try:
                await self.drops[target].put(name + marker, b"")
            except Unavailable as error:
                raise Unavailable(f"{name} is there, its {marker} is not: {error}", maybe_done=True) from error

    def _columns(self, calls: Sequence[Call]) -> tuple[str, ...]:
        """Return the columns in order, that of the id first unless it is among them."""
        out = self.outs[calls[0].target]
        named = out.columns or self.columns.get(calls[0].target)
        columns = tuple(named) if named else tuple(dict.fromkeys(name for call in calls for name in call.document))
        return columns if out.id_named is None or out.id_named in columns else (out.id_named, *columns)


def _rows(calls: Sequence[Call], columns: Sequence[str], out: Out) -> Sequence[Cells | TranslationError]:
    return [_row(call, columns, out) for call in calls]


def _row(call: Call, columns: Sequence[str], out: Out) -> Cells | TranslationError:
    document = call.document if out.id_named is None else {**call.document, out.id_named: call.message_id}
    try:
        return row(document, columns, out)
    except TranslationError as error:
        return error


def _name(out: Out, ids: Sequence[str], now: datetime) -> str:
    """Return what a file is called: by its requests alone, so that the same make the same."""
    if out.batch is None:
        return out.file.replace("{id}", ids[0])
    digest = hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:HASH]
    oldest = datetime.fromtimestamp(int(min(ids).replace("-", "")[:12], 16) / 1000, UTC).astimezone(now.tzinfo)
    return out.file.replace("{batch}", f"{oldest:%Y%m%d-%H%M%S}-{digest}")
