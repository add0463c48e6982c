"""Everything that can go wrong, by what the reader of the error can do next; knows no protocol and no HTTP status.

GatewayError                       code: stable slug = problem type = metric label = docs heading
├─ ConfigError                     findings: file:line, what, what to write
├─ ClientError
│  ├─ InvalidRequest               a field is wrong (422), or the body is no JSON (malformed: 400)
│  ├─ Unauthorized
│  ├─ UnknownOperation             or no right to it; `allow` when only the method is wrong
│  ├─ TooLarge, UriTooLong, HeadersTooLarge, UnsupportedMedia
│  ├─ IdempotencyMismatch          the key came with another body before
│  ├─ InProgress, Gone             the same request is under way; it was kept long enough
│  ├─ UnknownMessage               the ledger has no such message, or it is another client's
│  ├─ WrongState                   of operators' acts: the message's state does not allow it
│  ├─ RateLimited                  retry_after
│  └─ Overloaded                   retry_after
├─ AgencyError                     outcome, maybe_done: may the agency have done it?
│  ├─ NotFound, Refused            text: the agency's own words
│  ├─ Unavailable (Unreachable, NoSnapshot, PartsUnavailable), AgencyTimeout, BreakerOpen, AgencyClosed
│  └─ AgencyLogin, InvalidAnswer, UnknownOutcome
├─ LedgerUnavailable               full, read-only or unreachable (LedgerSilent: the answer was lost); nothing was sent
└─ TranslationError                side, errors: every field that does not fit
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from gateway.message import Answer, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One field that does not fit: `rule` and `params` choose the words (wording.py); `value` is already masked."""

    pointer: str
    rule: str
    params: Mapping[str, str] = field(default_factory=dict)
    where: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing `gateway check` has to say: where (file:line), what is wrong, what to write instead."""

    where: str
    what: str
    remedy: str = ""
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" ({self.remedy})" if self.remedy else "")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an error happened: an agency, by name and as people know it, and the operation asked of it."""

    agency: str
    agency_title: str
    operation: str


class GatewayError(Exception):
    """Anything this gateway raises on purpose."""

    code: ClassVar[str] = "internal"
    recorded: str | None = None
    """The id under which the ledger keeps the message, where it keeps one."""
    place: Place | None = None
    """Where it happened, when that is not what the client asked: a composite passes the agency's errors on."""

    @property
    def why(self) -> str:
        """What happened in a line that may be kept and shown in clear: no word of an agency's, no value of a field."""
        return str(self)


class ConfigError(GatewayError):
    """The configuration can't be used; carries every finding, not only the first."""

    code = "config"

    def __init__(self, *findings: Finding) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


class ClientError(GatewayError):
    """The request can't be taken as it is; asking again unchanged won't help, unless `retry_after` (seconds) is set."""

    def __init__(self, what: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(what)
        self.retry_after = retry_after


class InvalidRequest(ClientError):
    """Fields are missing, unknown or wrong; `malformed` when the body could not be read at all."""

    code = "invalid-request"

    def __init__(self, what: str = "", *, errors: Sequence[FieldError] = (), malformed: bool = False) -> None:
        super().__init__(what)
        self.errors = tuple(errors)
        self.malformed = malformed


class Unauthorized(ClientError):
    """No valid key came with the request."""

    code = "unauthorized"


class UnknownOperation(ClientError):
    """No such path, or no right to it; `allow` lists the methods when only the method is wrong."""

    code = "unknown-operation"

    def __init__(self, what: str = "", *, allow: Sequence[str] = ()) -> None:
        super().__init__(what)
        self.allow = tuple(allow)


class TooLarge(ClientError):
    """The body is over the limit, as sent or after inflating."""

    code = "too-large"


class UriTooLong(ClientError):
    """The path and query are over the limit."""

    code = "uri-too-long"


class HeadersTooLarge(ClientError):
    """The header block is over the limit."""

    code = "headers-too-large"


class UnsupportedMedia(ClientError):
    """The body is of a media type or encoding that isn't read here."""

    code = "unsupported-media"


class InProgress(ClientError):
    """The same request is under way already; `recorded` says where to look for its end."""

    code = "in-progress"


class Gone(ClientError):
    """What was asked for was kept long enough and is kept no more."""

    code = "gone"


class UnknownMessage(ClientError):
    """The ledger has no message of this id, or none that the client may see."""

    code = "unknown-message"


class WrongState(ClientError):
    """What an operator wants can't be done to a message in this state; nothing was changed."""

    code = "wrong-state"

    def __init__(self, what: str, *, state: str) -> None:
        super().__init__(what)
        self.state = state


class IdempotencyMismatch(ClientError):
    """The idempotency key was used before, with another body."""

    code = "idempotency-mismatch"


class RateLimited(ClientError):
    """This client asked more often than it may."""

    code = "rate-limited"


class Overloaded(ClientError):
    """Too many calls wait already; nothing was sent."""

    code = "overloaded"


class AgencyError(GatewayError):
    """The agency did not do what was asked, or nobody knows; `maybe_done` is false only where that is certain.

    `by` is its code, fault or status, where it said so itself: then `what` is its own words, which may name a person.
    """

    outcome: ClassVar[Outcome] = Outcome.INVALID
    retryable: ClassVar[bool] = False
    ill: ClassVar[bool | None] = True
    """Whether it shows that the agency is failing: False for an answer, None where it says nothing about that."""
    quotes: ClassVar[bool] = False
    """Whether `what` is the agency's own words, whoever raises it."""

    def __init__(
        self,
        what: str = "",
        *,
        maybe_done: bool,
        retry_after: float | None = None,
        errors: Sequence[FieldError] = (),
        by: str = "",
    ) -> None:
        super().__init__(what)
        self.maybe_done = maybe_done
        self.retry_after = retry_after
        self.errors = tuple(errors)
        self.by = by

    @property
    def words(self) -> str:
        """The agency's own words, "" where there are none."""
        return str(self) if self.by or self.quotes else ""

    @property
    def why(self) -> str:
        """What happened, or by what the agency said so, and which fields did not fit."""
        return "; ".join(filter(None, (self.by if self.words else self.by or str(self), _places(self.errors))))


class NotFound(AgencyError):
    """The agency has no such thing; `what` is its own text."""

    code = "not-found"
    outcome = Outcome.NOT_FOUND
    ill = False
    quotes = True


class Refused(AgencyError):
    """The agency said no; `what` is its own text."""

    code = "refused"
    outcome = Outcome.REFUSED
    ill = False
    quotes = True


class Unavailable(AgencyError):
    """The agency can't be reached or says that it can't serve now."""

    code = "agency-unavailable"
    outcome = Outcome.UNAVAILABLE
    retryable = True


class NoSnapshot(Unavailable):
    """No file of a feed has been taken in yet; asking again at once is no use, and nobody is failing."""

    code = "no-data-yet"
    retryable = False
    ill = None


class Unreachable(Unavailable):
    """No connection to the agency: nothing was sent, and nothing else would get through either."""


class PartsUnavailable(Unavailable):
    """No part of what was to be gathered could be had."""

    code = "parts-unavailable"


class BreakerOpen(AgencyError):
    """The agency failed too often just now; nothing was sent."""

    code = "breaker-open"
    outcome = Outcome.UNAVAILABLE


class AgencyClosed(AgencyError):
    """The agency is outside its service hours."""

    code = "agency-closed"
    outcome = Outcome.UNAVAILABLE


class AgencyTimeout(AgencyError):
    """No answer in time."""

    code = "agency-timeout"
    outcome = Outcome.TIMEOUT
    retryable = True


class AgencyLogin(AgencyError):
    """The agency does not accept the gateway's own credentials, even fresh ones."""

    code = "agency-login"
    outcome = Outcome.LOGIN


class InvalidAnswer(AgencyError):
    """The answer isn't what was agreed: unreadable, of the wrong shape, or with an unlisted code."""

    code = "agency-invalid-answer"
    outcome = Outcome.INVALID
    answer: Answer | None = None
    """What an adapter could not read (`Answer.unread`), set by the adapter, so that it is kept."""
    native: bytes | None = None
    """The native answer as JSON, where there was one, to be read again with a mended mapping (Channel.reread)."""


class UnknownOutcome(AgencyError):
    """It may have been done; asking again could double it."""

    code = "outcome-unknown"
    outcome = Outcome.UNKNOWN
    native: bytes | None = None


class LedgerUnavailable(GatewayError):
    """The ledger can't be written or read now: disk full, read-only, server away; it is tried anew with each call."""

    code = "ledger-unavailable"
    maybe_done = False
    """Whether what the client asked for may be recorded, and done, all the same: whoever asked the ledger says so."""


class LedgerSilent(LedgerUnavailable):
    """The ledger was asked and its answer was lost: it may have done it. To ask again with the same ids is safe."""


class TranslationError(GatewayError):
    """A document does not fit the mapping; `side` is the table, `errors` every field that does not fit."""

    code = "translation"

    def __init__(self, side: Literal["request", "reply"], errors: Sequence[FieldError]) -> None:
        super().__init__(
            "; ".join(f"{e.where or ''}: {e.pointer}: {e.rule} {dict(e.params)} {e.value or ''}" for e in errors)
        )
        self.side = side
        self.errors = tuple(errors)

    @property
    def why(self) -> str:
        """Which fields did not fit, without their values."""
        return _places(self.errors)


def _places(errors: Sequence[FieldError]) -> str:
    return "; ".join(f"{f'{e.where}: ' if e.where else ''}{e.pointer or '/'}: {e.rule}" for e in errors)
