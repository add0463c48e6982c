"""Asks an agency by our own id whether it has a message already, before anything is sent again; knows no ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.errors import GatewayError, NotFound
from gateway.message import Document, Effort, Message, OperationId, Reply, new_message_id
from gateway.ports import Clock, Handler
from gateway.records import Delivered, Postponed

Path = tuple[str, ...]
ID = "@id"


class Asked:
    """The agency says that it has no such thing: it may be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The question: `fields` fill its canonical body, from `@id` or a path of the message's; `done` must be there.

    `reply_fields` are those that the message's own reply has: what the answer holds of them becomes the reply.
    """

    operation: OperationId
    handler: Handler
    fields: Mapping[str, str]
    done: Path
    deadline: float
    reply_fields: frozenset[str]

    async def put(self, message: Message, clock: Clock) -> Asked | Delivered | Postponed:
        """Ask; what is there is delivered, what is not there may be sent, and anything else is asked again later."""
        question = replace(
            message,
            id=new_message_id(),
            operation=self.operation,
            body={name: self._value(source, message) for name, source in self.fields.items()},
            deadline=clock.monotonic() + self.deadline,
            once=True,
            effort=Effort(),
        )
        try:
            reply = await self.handler(question)
        except NotFound:
            return Asked()
        except GatewayError as error:
            return Postponed(seconds=0.0, maybe_done=True, text=f"asked {self.operation}: {error.code}")
        if _at(self.done, reply.body) is None:
            return Postponed(seconds=0.0, maybe_done=True, text=f"asked {self.operation}: not done yet")
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
