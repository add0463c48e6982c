"""`/v1/requests`: how a client's recorded requests stand, as operations of the gateway's own; knows no store."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

from gateway.edge.current import Routes
from gateway.edge.fields import Fields
from gateway.edge.needs import REQUESTS, Described, Exposed
from gateway.edge.resource import LISTED, PAGES, RESOURCE, line, next_try, resource
from gateway.errors import Gone, InProgress, UnknownMessage
from gateway.message import Document, Message, MessageId, OperationId, Reply
from gateway.ports import Archive, Clock, Handler
from gateway.records import Filter, Record, State
from gateway.waiting import Waiting
from gateway.wording import Language

_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PAGE = 50
_ONE: Mapping[str, Mapping[str, object]] = {"id": {"type": "string"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown(Reply):
    """A recorded request to be told of; its body is empty, the record tells the rest."""

    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """An operation that belongs to the gateway itself and needs no agency; its id is none that could be configured."""

    id: OperationId
    title: str
    method: str
    path: str
    safe: bool
    request: Fields
    reply: Fields
    about: str = ""
    agency: str = "gateway"
    agency_title: str = "Gateway"
    stored: bool = False
    targets: tuple[OperationId, ...] = ()
    deadline: float = 10.0

    def by(self, handler: Handler) -> "_Served":
        """Return it with what answers it."""
        return _Served(**{one.name: getattr(self, one.name) for one in fields(self)}, handler=handler)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served(_Own):
    handler: Handler


_SEE = _Own(
    id=OperationId("requests:see"),
    title="Keadaan satu permintaan / how a request stands",
    method="GET",
    path=f"{REQUESTS}/{{id}}",
    safe=True,
    request=Fields(required=_ONE),
    reply=RESOURCE,
)
_CANCEL = _Own(
    id=OperationId("requests:cancel"),
    title="Batalkan permintaan yang belum dikirim / cancel what was not sent yet",
    method="DELETE",
    path=f"{REQUESTS}/{{id}}",
    safe=False,
    request=Fields(required=_ONE),
    reply=RESOURCE,
)
_LIST = _Own(
    id=OperationId("requests:list"),
    title="Daftar permintaan sendiri / one's own requests, the newest first",
    method="GET",
    path=REQUESTS,
    safe=True,
    request=Fields(optional=LISTED),
    reply=PAGES,
)
OWN: Sequence[Described] = (_SEE, _CANCEL, _LIST)
"""The operations of `/v1/requests`, for the documents."""


class Requests:
    """What clients may do with their recorded requests: see one, list them, cancel one.

    `routes` gives those of the moment: rights are looked up there each time a kept answer is given.
    """

    def __init__(self, archive: Archive, waiting: Waiting, clock: Clock, routes: Callable[[], Routes]) -> None:
        self._archive = archive
        self._waiting = waiting
        self._clock = clock
        self._routes = routes

    @property
    def operations(self) -> Sequence[Exposed]:
        """The operations of `/v1/requests`."""
        return (_SEE.by(self._see), _CANCEL.by(self._cancel), _LIST.by(self._list))

    async def show(self, record: Record, language: Language) -> tuple[Document, float | None]:
        """Return how a request stands, and the seconds until it is tried next where that is known."""
        why = await self._waiting.why(record)
        now = self._clock.now()
        told = resource(record, why, language, self._routes().by_id.get(record.summary.operation), now)
        at = next_try(record.summary, why)
        return told, None if at is None else (at - now).total_seconds()

    async def _own(self, message: Message) -> Record:
        """Return the client's record that the message names; one that is not its own is not there."""
        name = str(message.body["id"])
        record = await self._archive.get(MessageId(name)) if _ID.fullmatch(name) else None
        if record is None or record.summary.client != message.client:
            raise UnknownMessage
        if not self._routes().may_see(message.client, record.summary.operation):
            raise UnknownMessage
        if record.shed:
            raise Gone
        return record

    async def _see(self, message: Message) -> Reply:
        return Shown(body={}, record=await self._own(message))

    async def _cancel(self, message: Message) -> Reply:
        record = await self._own(message)
        if not await self._archive.cancel(record.summary.id, by=f"client {message.client}"):
            error = InProgress("it is being delivered, or settled already")
            error.recorded = record.summary.id
            raise error
        return await self._see(message)

    async def _list(self, message: Message) -> Reply:
        wanted, may_see = message.body, self._routes().may_see
        found = await self._archive.search(
            Filter(
                client=message.client,
                operation=wanted.get("operation"),
                states=frozenset(map(State, wanted.get("state", ()))),
            ),
            cursor=wanted.get("cursor"),
            limit=_PAGE,
        )
        rows = [line(row) for row in found.rows if may_see(message.client, row.operation)]
        return Reply(body={"requests": rows, "cursor": found.cursor})
