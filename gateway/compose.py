"""The gateway's own operations: route passes a message on, gather asks several at once; knows no agency's protocol."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.errors import (
    AgencyError,
    FieldError,
    GatewayError,
    InvalidRequest,
    NotFound,
    Overloaded,
    PartsUnavailable,
    Place,
    TranslationError,
)
from gateway.message import Document, Effort, Message, Reply
from gateway.ports import Handler, Schema
from gateway.registry import Operation

ANY = "*"


def route(by: str, targets: Mapping[str, Operation]) -> Handler:
    """Return a handler that passes a message on to the target its `by` field names, or to that of `"*"`."""
    otherwise = targets.get(ANY)
    allowed = ", ".join(sorted(name for name in targets if name != ANY))

    async def pass_on(message: Message) -> Reply:
        target = targets.get(str(message.body.get(by, "")), otherwise)
        if target is None:
            raise InvalidRequest(errors=[FieldError(pointer=f"/{by}", rule="enum", params={"allowed": allowed})])
        try:
            return await target.handler(message.but(operation=target.id, asked_as=message.operation))
        except GatewayError as error:
            error.place = Place(target.agency, target.agency_title, target.id)
            raise

    return pass_on


def gather(parts: Mapping[str, Operation]) -> Handler:
    """Return a handler that asks every part side by side within the message's deadline.

    The answer is `{"parts": {name: {state, data?, reason?, age?}}}`; when every part failed, the failure that is
    most worth trying again for is told by PartsUnavailable. A request that doesn't fit a part is the client's.
    """

    async def ask_all(message: Message) -> Reply:
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(_ask(part, message)) for name, part in parts.items()}
        answers = {name: task.result() for name, task in tasks.items()}
        message.effort.attempts += sum(answer.effort.attempts for answer in answers.values())
        message.effort.seconds += max(answer.effort.seconds for answer in answers.values())
        for answer in answers.values():
            if isinstance(answer.failure, InvalidRequest | TranslationError):
                raise answer.failure
        if all(answer.failure is not None for answer in answers.values()):
            raise _nothing_there(answers)
        return Reply(body={"parts": {name: answer.body for name, answer in answers.items()}})

    return ask_all


@dataclass(frozen=True, slots=True)
class Parts:
    """The Schema of what a gather answers: for each part its state, and the part's own reply as data."""

    replies: Mapping[str, Schema]

    @property
    def json(self) -> Mapping[str, object]:
        """Return the JSON Schema."""
        parts = {name: _part_schema(reply.json) for name, reply in self.replies.items()}
        return {
            "type": "object",
            "properties": {"parts": {"type": "object", "properties": parts, "required": list(parts)}},
            "required": ["parts"],
        }

    @property
    def fields(self) -> frozenset[str]:
        """Return the one name at the top level."""
        return frozenset({"parts"})

    def check(self, _body: object, /) -> tuple[FieldError, ...]:
        """Find nothing: each part was checked where it was made."""
        return ()

    def from_query(self, pairs: Sequence[tuple[str, str]], /) -> Document:
        """Return the pairs as they are; a reply is never read from a query."""
        return dict(pairs)


def _part_schema(data: Mapping[str, object]) -> Mapping[str, object]:
    return {
        "type": "object",
        "properties": {
            "state": {"type": "string", "enum": ["ok", "stale", "not-found", "missing"]},
            "data": data,
            "reason": {"type": "string", "description": "Kode masalah bila state = missing."},
            "age": {"type": "integer", "description": "Umur data dalam detik bila state = stale."},
        },
        "required": ["state"],
    }


@dataclass(frozen=True, slots=True)
class _Part:
    body: Document
    effort: Effort
    failure: GatewayError | None = None


async def _ask(part: Operation, message: Message) -> _Part:
    fields = {name: message.body[name] for name in part.request.fields if name in message.body}
    effort = Effort()
    try:
        reply = await part.handler(message.but(operation=part.id, body=fields, effort=effort))
    except NotFound:
        return _Part({"state": "not-found"}, effort)
    except GatewayError as error:
        return _Part({"state": "missing", "reason": error.code}, effort, error)
    found: dict[str, Any] = {"state": "ok" if reply.age is None else "stale", "data": reply.body}
    if reply.age is not None:
        found["age"] = round(reply.age)
    return _Part(found, effort)


def _nothing_there(answers: Mapping[str, _Part]) -> PartsUnavailable:
    failures = [answer.failure for answer in answers.values()]
    waits = [f.retry_after for f in failures if isinstance(f, AgencyError | Overloaded) and f.retry_after is not None]
    maybe_done = any(isinstance(f, AgencyError) and f.maybe_done for f in failures)
    reasons = ", ".join(f"{name}: {a.failure.code}" for name, a in answers.items() if a.failure is not None)
    what = f"no part could be had ({reasons})"
    return PartsUnavailable(what, maybe_done=maybe_done, retry_after=min(waits, default=None))
