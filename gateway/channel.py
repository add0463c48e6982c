"""Inner end of a pipeline: translate, exchange, decide what the answer means; knows no protocol and no policy."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import PurePath
from traceback import extract_tb
from typing import Protocol, cast

import msgspec

from gateway.errors import (
    AgencyError,
    AgencyLogin,
    AgencyTimeout,
    FieldError,
    GatewayError,
    InvalidAnswer,
    NotFound,
    Refused,
    TranslationError,
    Unavailable,
    UnknownOutcome,
)
from gateway.handover import BatchEnd, Batches
from gateway.message import Answer, Call, Context, Document, Fault, Message, MessageId, Outcome, Reply
from gateway.ports import Adapter, Clock, Rereads, Translator

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(Answer, float_hook=Decimal).decode

UNAUTHENTICATED = frozenset({401, 403})
NOT_SERVED = frozenset({429, 503})
SERVER_ERROR = 500
_A_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
ONLY_LOOKED_AT = "its adapter can't read a kept answer again: look at it (messages show ID --unmask), then resolve it"
LARGE = 256 * 1024
"""Bytes of an answer beyond which translating it takes longer than the event loop should wait."""


class OutcomeTable(Protocol):
    """An operation's outcome, http and faults tables, compiled."""

    @property
    def code_path(self) -> tuple[str, ...]:
        """Where the body's code is; empty when the agency has none."""
        ...

    @property
    def codes(self) -> Mapping[str, Outcome]:
        """What each body code means."""
        ...

    @property
    def absent(self) -> Outcome:
        """What a body without its code means."""
        ...

    @property
    def http(self) -> Mapping[int, Outcome]:
        """HTTP statuses that mean something particular here."""
        ...

    def code(self, document: Document, /) -> str | None:
        """Return the body's code as text."""
        ...

    def message(self, document: Document, /) -> str:
        """Return the agency's own words, "" when there are none."""
        ...

    def fault(self, fault: Fault, /) -> tuple[Outcome, str, str] | None:
        """Return what a fault means, its words, and the code in its detail that says so; None when it isn't listed."""
        ...


def context_of(clock: Clock, login: Mapping[str, str], *, read: bool) -> Callable[[Message], Context]:
    """Return what makes the context of a message; where none is `read`, one is as good as another."""
    if not read:
        nobody = Context(id=MessageId(""), client="", now=clock.now())
        return lambda _message: nobody
    now = clock.now
    return lambda message: Context(id=message.id, client=message.client, now=now(), login=login)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One operation's way to its agency and back; `timeout` is seconds for one attempt.

    `context` makes of a message what its mapping may read beside the body, `opened` of an answer what its tables read,
    JSON within texts included.
    `wrote` and `read` hear how long translating a request and a reply took, `on_misfit` which of them did not fit.
    """

    adapter: Adapter
    translator: Translator
    outcomes: OutcomeTable
    target: str
    timeout: float
    safe: bool
    clock: Clock
    context: Callable[[Message], Context] = field(repr=False)
    opened: Callable[[Document], Document] = lambda document: document
    observe: Callable[[Outcome, float], None] = lambda _outcome, _seconds: None
    on_misfit: Callable[[str], None] = lambda _side: None
    wrote: Callable[[float], None] = lambda _seconds: None
    read: Callable[[float], None] = lambda _seconds: None

    async def send(self, message: Message) -> Reply:
        """Make one attempt; raises AgencyError, or TranslationError (side "request") when nothing was sent."""
        call = self._call(message)
        started = self.clock.monotonic()
        try:
            answer = await self._exchange(call)
            try:
                reply = await self._read(answer)
            except (InvalidAnswer, UnknownOutcome) as error:
                error.native = _kept(answer)
                raise
        except AgencyError as error:
            self._spent(message, error.outcome, started)
            raise
        self._spent(message, reply.outcome, started)
        return reply

    async def send_many(self, messages: Sequence[Message]) -> Sequence[BatchEnd]:
        """Make one attempt for all of them together; returns how each ended, in order."""
        started = self.clock.monotonic()
        calls = [self._try_call(message) for message in messages]
        answers = iter(await self._exchange_many([call for call in calls if isinstance(call, Call)]))
        ends = [await self._end(next(answers)) if isinstance(call, Call) else call for call in calls]
        for message, end in zip(messages, ends, strict=True):
            if not isinstance(end, TranslationError):
                self._spent(message, end.outcome, started)
        return ends

    def _try_call(self, message: Message) -> Call | AgencyError | TranslationError:
        try:
            return self._call(message)
        except (AgencyError, TranslationError) as error:
            return error

    async def _exchange_many(self, calls: Sequence[Call]) -> Sequence[Answer | AgencyError | TranslationError]:
        if not calls:
            return ()
        try:
            return await cast("Batches", self.adapter).exchange_many(calls)
        except AgencyError as error:
            return [error] * len(calls)
        except Exception as error:  # noqa: BLE001 - as for one: whatever the adapter stumbles over is no bug of ours
            return [_stumbled(error)] * len(calls)

    async def _end(self, answer: Answer | AgencyError | TranslationError) -> BatchEnd:
        if isinstance(answer, TranslationError):
            return TranslationError("request", [self._in_our_words(e) for e in answer.errors])
        if isinstance(answer, AgencyError):
            return answer
        try:
            return await self._read(answer)
        except (InvalidAnswer, UnknownOutcome) as error:
            error.native = _kept(answer)
            return error
        except AgencyError as error:
            return error

    def reread(self, native: bytes) -> Reply:
        """Read the answer that an error kept, with this mapping; raises AgencyError as the first reading did."""
        try:
            answer = _decode(native)
        except msgspec.MsgspecError as error:
            raise InvalidAnswer("the kept answer can't be read", maybe_done=True) from error
        return self._reply(answer if answer.unread is None else self._reread(answer))

    def _reread(self, answer: Answer) -> Answer:
        """Let the adapter read what it could not; where it can't, only the status says something."""
        if isinstance(self.adapter, Rereads):
            return self.adapter.reread(self.target, answer)
        self._outcome(answer)
        raise InvalidAnswer(ONLY_LOOKED_AT, maybe_done=True)

    def _call(self, message: Message) -> Call:
        started = self.clock.monotonic()
        remaining = message.deadline - started
        if remaining <= 0:
            raise AgencyTimeout("the deadline passed before anything was sent", maybe_done=False)
        context = self.context(message)
        try:
            document = self.translator.to_native(message.body, context)
            headers = self.translator.to_headers(message.body, context)
        except TranslationError:
            self.on_misfit("request")
            raise
        self.wrote(self.clock.monotonic() - started)
        return Call(
            target=self.target,
            document=document,
            headers=headers,
            timeout=min(self.timeout, remaining),
            message_id=message.id,
            correlation_id=message.correlation_id,
            traceparent=message.traceparent,
            tracestate=message.tracestate,
            safe=self.safe,
        )

    async def _exchange(self, call: Call) -> Answer:
        try:
            return await self.adapter.exchange(call)
        except TranslationError as error:
            raise TranslationError("request", [self._in_our_words(e) for e in error.errors]) from error
        except InvalidAnswer as error:
            if error.answer is not None:
                error.native = _kept(error.answer)
            raise
        except GatewayError:
            raise
        except Exception as error:
            raise _stumbled(error) from error

    def _in_our_words(self, error: FieldError) -> FieldError:
        return replace(error, pointer=self.translator.pointer(error.pointer))

    async def _read(self, answer: Answer) -> Reply:
        """Read an answer, a large one in a thread; what is counted of it is counted on the loop."""
        started = self.clock.monotonic()
        try:
            reply = await asyncio.to_thread(self._reply, answer) if answer.size > LARGE else self._reply(answer)
        except InvalidAnswer as error:
            if isinstance(error.__cause__, TranslationError):
                self.on_misfit("reply")
            raise
        self.read(self.clock.monotonic() - started)
        return reply

    def _reply(self, answer: Answer) -> Reply:
        answer = self._opened(answer)
        outcome = self._outcome(answer)
        if answer.document is None:
            raise InvalidAnswer("the answer has no body", maybe_done=True)
        try:
            return Reply(body=self.translator.to_canonical(answer.document), outcome=outcome)
        except TranslationError as error:
            raise InvalidAnswer("the answer does not fit the mapping", maybe_done=True, errors=error.errors) from error

    def _opened(self, answer: Answer) -> Answer:
        """Open what is wrapped in texts; where that can't be done, a status that is no success says how it went."""
        if answer.document is None:
            return answer
        try:
            opened = self.opened(answer.document)
        except TranslationError as error:
            if answer.http_status is not None and not 200 <= answer.http_status < 300:  # noqa: PLR2004 - RFC 9110
                return replace(answer, document=None)
            raise InvalidAnswer("the answer does not fit the mapping", maybe_done=True, errors=error.errors) from error
        return answer if opened is answer.document else replace(answer, document=opened)

    def _outcome(self, answer: Answer) -> Outcome:
        """Decide in this order: fault, body code, HTTP status; raises unless the call was done."""
        if answer.fault is not None:
            return self._by_fault(answer.fault, answer)
        status = answer.http_status
        failed = status is not None and not 200 <= status < 300  # noqa: PLR2004 - RFC 9110: 2xx is success
        if answer.document is not None and self.outcomes.code_path:
            code = self.outcomes.code(answer.document)
            listed = self.outcomes.codes.get(code) if code is not None else None if failed else self.outcomes.absent
            if listed is not None and listed is not Outcome.INVALID:
                by = _code(code) if code is not None else "no code"
                return _settled(listed, self.outcomes.message(answer.document), answer, by)
            if not failed:
                what = "an answer without a code" if code is None else f"the answer's {_code(code)}"
                raise InvalidAnswer(f"{what} is not listed in the outcome table", maybe_done=True)
        return self._by_status(status, answer) if status is not None and failed else Outcome.OK

    def _by_fault(self, fault: Fault, answer: Answer) -> Outcome:
        found = self.outcomes.fault(fault)
        if found is None:
            raise InvalidAnswer(f"{_code(fault.code, 'fault')} is not listed in the faults table", maybe_done=True)
        outcome, text, code = found
        return _settled(outcome, text, answer, _code(code) if code else _code(fault.code, "fault"))

    def _by_status(self, status: int, answer: Answer) -> Outcome:
        listed = self.outcomes.http.get(status)
        if listed is not None:
            text = self.outcomes.message(answer.document) if answer.document is not None else ""
            if listed is Outcome.UNAVAILABLE and status not in NOT_SERVED:
                # Only 429 and 503 say that nothing was done; a table can name the rest, not vouch for it.
                raise Unavailable(text or f"HTTP {status}", maybe_done=True, by=f"HTTP {status}")
            return _settled(listed, text, answer, f"HTTP {status}")
        if status in UNAUTHENTICATED:
            raise AgencyLogin(f"HTTP {status} to our credentials", maybe_done=False)
        if status in NOT_SERVED:
            raise Unavailable(f"HTTP {status}", maybe_done=False, retry_after=_retry_after(answer))
        if status >= SERVER_ERROR:
            raise Unavailable(f"HTTP {status}", maybe_done=True)
        raise InvalidAnswer(f"HTTP {status} is not listed in the http table", maybe_done=True)

    def _spent(self, message: Message, outcome: Outcome, started: float) -> None:
        seconds = self.clock.monotonic() - started
        message.effort.attempts += 1
        message.effort.seconds += seconds
        self.observe(outcome, seconds)


_FAILURES: Mapping[Outcome, tuple[type[AgencyError], bool]] = {
    Outcome.NOT_FOUND: (NotFound, False),
    Outcome.REFUSED: (Refused, False),
    Outcome.UNAVAILABLE: (Unavailable, False),
    Outcome.LOGIN: (AgencyLogin, False),
    Outcome.TIMEOUT: (AgencyTimeout, True),
    Outcome.UNKNOWN: (UnknownOutcome, True),
    Outcome.INVALID: (InvalidAnswer, True),
}
"""What an outcome that the agency itself stated is raised as, and whether it may have been done."""


def _settled(outcome: Outcome, text: str, answer: Answer, by: str) -> Outcome:
    """Return a success; raises what the agency says, in its words, `by` a code, a fault or a status."""
    if outcome in (Outcome.OK, Outcome.DUPLICATE):
        return outcome
    kind, maybe_done = _FAILURES[outcome]
    raise kind(text, maybe_done=maybe_done, retry_after=_retry_after(answer), by=by)


def _stumbled(error: Exception) -> InvalidAnswer:
    """Say where an adapter failed.

    Whatever an agency sends, a hand-written adapter that stumbles over it is no bug of the gateway's; the exception's
    own text may hold personal data.
    """
    frame = extract_tb(error.__traceback__)[-1]
    place = f"{PurePath(frame.filename).name}:{frame.lineno}"
    return InvalidAnswer(f"the adapter failed: {type(error).__name__} at {place}", maybe_done=True)


def _kept(answer: Answer) -> bytes:
    return _encode(replace(answer, headers={}))


def _code(code: str, what: str = "code") -> str:
    """Name a code as the agency gave it, or how long it is: what looks like none may be a sentence about a person."""
    return f"{what} {code!r}" if _A_CODE.fullmatch(code) else f"{what} of {len(code)} characters"


def _retry_after(answer: Answer) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110 section 10.2.3); a date there is not honoured."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None
