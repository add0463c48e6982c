"""Asks an agency by our own id whether it has a message already, before anything is sent again; knows no ledger."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.errors import FieldError, NotFound
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
    own reply has: what the answer holds of them becomes the reply, unless `check` finds that too little; then it is
    delivered without one. `final` finds an agency's last word in an answer.
    """

    operation: OperationId
    handler: Handler
    fields: Mapping[str, str]
    done: Path
    deadline: float
    reply_fields: frozenset[str]
    check: Callable[[Document], Sequence[FieldError]] = lambda _body: ()
    final: Callable[[Document], str | None] | None = None

    async def put(self, message: Message, clock: Clock, *, until: float) -> Delivered | Postponed | None:
        """Ask; what is there is delivered or not done yet, and None says that it is not there and may be sent.

        Raises what the question's handler raises, which says nothing about the message itself.
        """
        try:
            reply = await self.handler(self._question(message, min(until, clock.monotonic() + self.deadline)))
        except NotFound:
            return None
        if _blank(_at(self.done, reply.body)):
            return Postponed(seconds=AGAIN, maybe_done=True, text=f"{self.operation}: it has it, not done yet")
        body = {name: value for name, value in reply.body.items() if name in self.reply_fields}
        return Delivered(reply=None if self.check(body) else Reply(body=body))

    async def status(self, message: Message, clock: Clock) -> str | None:
        """Ask how a delivered message stands; returns its final status, None while it has none. Raises as `put`."""
        if self.final is None:
            return None
        reply = await self.handler(self._question(message, clock.monotonic() + self.deadline))
        return self.final(reply.body)

    def _question(self, message: Message, deadline: float) -> Message:
        return message.but(
            id=new_message_id(),
            operation=self.operation,
            body={name: self._value(source, message) for name, source in self.fields.items()},
            deadline=deadline,
            once=True,
            effort=Effort(),
        )

    @staticmethod
    def _value(source: str, message: Message) -> object:
        return message.id if source == ID else _at(tuple(source.split(".")), message.body)


def _blank(value: object) -> bool:
    """Tell whether it is what agencies write where nothing is: SOAP has an empty element."""
    return value is None or value is False or value == ""


def _at(path: Path, body: Document) -> Any:
    value: Any = body
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
