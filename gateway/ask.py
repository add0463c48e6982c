"""Asks an agency by our own id whether it has a message already, before anything is sent again; knows no ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.errors import NotFound
from gateway.message import Document, Effort, Message, OperationId, Reply, new_message_id
from gateway.ports import Clock, Handler
from gateway.records import Delivered, Postponed

Path = tuple[str, ...]
ID = "@id"
AGAIN = 30.0
"""Seconds after which an agency that has a message, but has not done it yet, is asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The question: `fields` fill its canonical body, from `@id` or a path of the message's; `done` must be there.

    `handler` must not share its answer with others nor give an old one. `reply_fields` are those that the message's
    own reply has: what the answer holds of them becomes the reply.
    """

    operation: OperationId
    handler: Handler
    fields: Mapping[str, str]
    done: Path
    deadline: float
    reply_fields: frozenset[str]

    async def put(self, message: Message, clock: Clock, *, until: float) -> Delivered | Postponed | None:
        """Ask; what is there is delivered or not done yet, and None says that it is not there and may be sent.

        Raises what the question's handler raises, which says nothing about the message itself.
        """
        question = replace(
            message,
            id=new_message_id(),
            operation=self.operation,
            body={name: self._value(source, message) for name, source in self.fields.items()},
            deadline=min(until, clock.monotonic() + self.deadline),
            once=True,
            effort=Effort(),
        )
        try:
            reply = await self.handler(question)
        except NotFound:
            return None
        if _at(self.done, reply.body) is None:
            return Postponed(seconds=AGAIN, maybe_done=True, text=f"{self.operation}: it has it, not done yet")
        body = {name: value for name, value in reply.body.items() if name in self.reply_fields}
        return Delivered(reply=Reply(body=body))

    @staticmethod
    def _value(source: str, message: Message) -> object:
        return message.id if source == ID else _at(tuple(source.split(".")), message.body)


def _at(path: Path, body: Document) -> Any:
    value: Any = body
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
