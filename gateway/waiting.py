"""Why a recorded message waits, in words for those who sent it; knows no HTTP and no store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Literal

from gateway.errors import LedgerUnavailable
from gateway.hours import Calendar, Closed, explain, opening
from gateway.message import MessageId
from gateway.ports import Clock, Lanes
from gateway.records import Pause, PauseReason, Record, State
from gateway.wording import Language

Reason = Literal[
    "operator",
    "maintenance",
    "hours",
    "holiday",
    "closed",
    "outage",
    "order",
    "retry",
    "queue",
    "delivering",
    "buried",
    "acknowledgement",
]

POSTPONED = "postponed"
"""The ledger's reason of a message whose attempt failed."""

_TEXTS: Mapping[Reason, tuple[str, str]] = {
    "operator": ("pengiriman dihentikan sementara oleh petugas", "delivery is paused by an operator"),
    "maintenance": ("pemeliharaan sistem", "system maintenance"),
    "hours": ("menunggu jam layanan", "waiting for service hours"),
    "holiday": ("libur", "holiday"),
    "closed": ("tutup", "closed"),
    "outage": (
        "sistem instansi tidak dapat dihubungi; dikirim begitu pulih",
        "the agency's system can't be reached; sent as soon as it is back",
    ),
    "order": ("menunggu permintaan sebelumnya selesai", "waiting for an earlier request to end"),
    "retry": ("percobaan terakhir gagal; akan dicoba lagi", "the last attempt failed; it will be tried again"),
    "queue": ("menunggu giliran", "waiting its turn"),
    "delivering": ("sedang dikirim ke instansi", "being sent to the agency"),
    "buried": ("diperiksa petugas gateway", "being looked into by the gateway's operators"),
    "acknowledgement": (
        "sudah diserahkan ke instansi; menunggu jawaban apakah diterima",
        "handed over to the agency; waiting for its word whether it took it",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The strongest reason, as it was `at` a moment; `until` where its end is known.

    `closed` is the calendar's, `pause` the ledger's word on a closed lane; `held` is the older message that goes first.
    """

    reason: Reason
    at: datetime
    until: datetime | None = None
    closed: Closed | None = None
    pause: Pause | None = None
    held: MessageId | None = None

    def text(self, language: Language) -> str:
        """Return it as a sentence, "menunggu jam layanan, Senin 07:30"."""
        if self.closed is not None:
            return explain(self.closed, language)
        said = _TEXTS[self.reason][language == "en"]
        if self.until is None or self.reason == "retry":
            return said
        return f"{said}, {opening(self.at, self.until, language)}"


@dataclass(slots=True, kw_only=True)
class Waiting:
    """Knows why messages wait: pauses, service hours, outages, an older message, the next try.

    `calendars` are the agencies'. Outages are what this process saw: `outage` tells of their start and end.
    """

    lanes: Lanes
    clock: Clock
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    _down: set[str] = field(default_factory=set, init=False)

    @property
    def outage(self) -> Callable[[str, bool], None]:
        """Return where the lanes of the configuration in force tell that an agency can't be reached or is back.

        Those of an earlier configuration keep theirs, and what they tell counts no more.
        """
        return partial(_note, self._down)

    def now_of(self, calendars: Mapping[str, Calendar]) -> None:
        """Take another configuration's calendars; whether an agency can't be reached is to be found out anew."""
        self.calendars = calendars
        self._down = set()

    def down(self, lane: str) -> bool:
        """Return whether an agency is known to be away."""
        return lane in self._down

    async def why(self, record: Record) -> Why | None:
        """Return why a message is where it is; None when it waits for nobody."""
        now = self.clock.now()
        match record.summary.state:
            case State.DELIVERING:
                return Why(reason="delivering", at=now)
            case State.BURIED:
                return Why(reason="buried", at=now)
            case State.HANDED_OVER:
                return Why(reason="acknowledgement", at=now)
            case State.PENDING:
                return await self.closed(record.summary.lane) or _own(record, now)
        return None

    async def closed(self, lane: str) -> Why | None:
        """Return why nothing of the lane is delivered: operator, maintenance, hours, outage, in this order (11.13)."""
        now = self.clock.now()
        pauses = await self._pauses(lane)
        calendar = self.calendars.get(lane)
        closed = calendar.why_closed(now) if calendar is not None else None
        stronger: set[PauseReason] = {"operator", "maintenance"}
        if closed is not None and closed.reason == "maintenance":
            stronger = {"operator"}
        if closed is not None and stronger.isdisjoint(pauses):
            return Why(reason=closed.reason, at=now, until=closed.until, closed=closed)
        if pauses:
            pause = next(iter(pauses.values()))
            return Why(reason=pause.reason, at=now, until=pause.until, pause=pause)
        return Why(reason="outage", at=now) if self.down(lane) else None

    async def _pauses(self, lane: str) -> Mapping[PauseReason, Pause]:
        """Return the lane's pauses, the strongest first; none while the ledger can't say: a message is safe anyway."""
        try:
            return {pause.reason: pause for pause in await self.lanes.list() if pause.lane == lane}
        except LedgerUnavailable:
            return {}


def _note(down: set[str], lane: str, away: bool) -> None:
    (down.add if away else down.discard)(lane)


def _own(record: Record, now: datetime) -> Why:
    if record.held is not None:
        return Why(reason="order", at=now, held=record.held)
    summary = record.summary
    if summary.reason == POSTPONED and summary.due is not None and summary.due > now:
        return Why(reason="retry", at=now, until=summary.due)
    return Why(reason="queue", at=now)
