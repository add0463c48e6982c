"""All that a section says to put around envelopes, in its order: addresses, then security, attachments outermost."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lxml import etree

from adapters.http import HttpAnswer
from adapters.soap.addressing import Addressing
from adapters.soap.parsing import parse_answer
from adapters.soap.parts import Attached, Attachments, Misplaced
from adapters.soap.plan import MessagePlan, OperationPlan
from adapters.soap.security import secured
from adapters.soap.settings import AddressingSettings, Security
from adapters.soap.tolerate import Leniency
from adapters.soap.wrap import Parse, Part, Received, Sent, Step
from gateway import Clock, ConfigError, Document, Fault, Finding, InvalidAnswer

Decode = Callable[[bytes], Document | Fault]
"""Reads an envelope; raises InvalidAnswer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapping:
    """The steps of one agency, innermost first."""

    steps: tuple[Step, ...]
    attached: Attached | None = None

    def wrap(self, sent: Sent, plan: MessagePlan, document: Document, encode: Callable[[Document], bytes]) -> Sent:
        """Return a message as it is sent; `encode` writes the envelope. Raises TranslationError as that does."""
        sent = self.enveloped(sent, plan, document, encode)
        return sent if self.attached is None else self.attached.outgoing(sent)

    def enveloped(self, sent: Sent, plan: MessagePlan, document: Document, encode: Callable[[Document], bytes]) -> Sent:
        """Return a message with everything but attachments around it."""
        rest, parts = (document, ()) if self.attached is None else self.attached.taken(plan, document)
        sent = replace(sent, envelope=encode(rest), parts=parts)
        for step in self.steps:
            sent = step.outgoing(sent)
        return sent

    def read(
        self, answer: HttpAnswer, asked: str | None, plan: MessagePlan, leniency: Leniency, decode: Decode
    ) -> Document | Fault:
        """Return what an answer says, with its attachments; raises InvalidAnswer.

        Files are not put into the envelope first, except where they belong to what is no plain binary field.
        """
        parse = partial(parse_answer, leniency=leniency)
        try:
            return self._read(answer, asked, plan, parse, decode, inline=False)
        except Misplaced:
            leniency.used.clear()
            leniency.missed.clear()
            return self._read(answer, asked, plan, parse, decode, inline=True)

    def _read(  # noqa: PLR0913 -- as `read`
        self, answer: HttpAnswer, asked: str | None, plan: MessagePlan, parse: Parse, decode: Decode, *, inline: bool
    ) -> Document | Fault:
        content, parts = self.unwrap(answer, asked, parse, inline=inline)
        marked = any(part.mark for part in parts)
        try:
            found = decode(content)
        except InvalidAnswer as error:
            raise Misplaced if marked else error from error
        if not isinstance(found, Fault):
            return self.restored(plan, found, parts)
        if marked:
            raise Misplaced
        return found

    def unwrap(
        self, answer: HttpAnswer, asked: str | None, parse: Parse, *, inline: bool = True
    ) -> tuple[bytes, tuple[Part, ...]]:
        """Return the envelope that may be read, and the attachments that are not in it; raises InvalidAnswer.

        What was opened is written anew, in ASCII: it reads the same whatever is let pass in answers.
        """
        received = (
            Received(root=parse(answer.body), content=answer.body, asked=asked)
            if self.attached is None
            else self.attached.opened(answer, asked, parse, inline=inline)
        )
        for step in reversed(self.steps):
            received = step.incoming(received)
        return etree.tostring(received.root) if received.changed else received.content, received.parts

    def restored(self, plan: MessagePlan, document: Document, parts: tuple[Part, ...]) -> Document:
        """Return a document with the attachments that it refers to."""
        return document if self.attached is None else self.attached.restored(plan, document, parts)


def wrapping(
    security: Security | None,
    addressing: AddressingSettings | None,
    attachments: Attachments | None,
    *,
    clock: Clock,
    where: Path,
) -> Wrapping | None:
    """Make what the settings say, None where they say nothing; raises ConfigError. Blocks on files."""
    steps: list[Step] = []
    if addressing is not None:
        steps.append(Addressing(version=addressing.version, to=addressing.to))
    if security is not None:
        steps.append(secured(security, clock, str(where)))
    signed = security is not None and security.verify is not None
    if signed and attachments == "swa":
        what = '`attachments` are "swa", which no signature covers, and `security.verify` wants all signed'
        raise ConfigError(Finding(where=str(where), what=what, remedy='use attachments = "mtom"'))
    if not steps and attachments is None:
        return None
    attached = Attached(kind=attachments, signed=signed) if attachments is not None else None
    return Wrapping(steps=tuple(steps), attached=attached)


def sent_of(operation: OperationPlan, *, address: str, message_id: str, media_type: str) -> Sent:
    """Return a message of which nothing is written yet."""
    action = operation.addressed or operation.action
    return Sent(
        soap=operation.request.soap,
        action=action,
        address=address,
        message_id=message_id,
        media_type=media_type,
    )
