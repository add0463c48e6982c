"""Messages as rows and back, the same for every store: sealed bodies, keyed hashes, masked texts; knows no SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from gateway.errors import FieldError, InvalidRequest
from gateway.ledger.keys import Keys, Unreadable
from gateway.masking import mask_text
from gateway.message import Document, Message, MessageId, OperationId, Origin, Outcome, Reply
from gateway.records import Attempt, Deed, Entry, Filter, Record, Refused, State, Summary


class Row(Protocol):
    """A row by column name, as its driver gives it."""

    def __getitem__(self, column: str, /) -> Any:
        """Return a column's value."""
        ...


When = Callable[[Any], datetime]
"""Makes a store's own form of time an aware datetime."""

TEXT = 300
_DUE = frozenset({State.PENDING, State.HANDED_OVER})
LATELY = 100
"""How many of the latest final messages tell how quick a lane is."""


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a document holds no {type(value).__name__}")


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain)
_canonical = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain, order="sorted")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def encode(document: Document) -> bytes:
    """Write a document as JSON whose numbers keep their digits."""
    return _encoder.encode(document)


def decode(data: bytes) -> Document:
    """Read what `encode` wrote."""
    document: Document = _decoder.decode(data)
    return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """The columns of a new message that don't depend on what is in the ledger; times are still datetimes."""

    id: str
    lane: str
    operation: str
    client: str
    correlation_id: str
    traceparent: str
    repeat: str
    skip_buried: bool
    order_key: bytes | None
    subject: bytes | None
    idempotency: bytes | None
    body_hash: bytes
    body: bytes
    size: int
    key_number: int
    accepted_at: datetime
    answer_by: datetime | None
    near_at: datetime | None
    until_final: bool
    expires: float | None
    receipt: int | None
    record: int | None


def pack(entry: Entry, keys: Keys) -> Packed:
    """Seal and hash what an entry must not show."""
    message = entry.message
    body = encode(message.body)
    key, asked = message.idempotency_key, message.asked_as or message.operation
    return Packed(
        id=message.id,
        lane=entry.lane,
        operation=message.operation,
        client=message.client,
        correlation_id=message.correlation_id,
        traceparent=message.traceparent,
        repeat=entry.repeat,
        skip_buried=entry.skip_buried,
        order_key=keys.hashed("order", entry.lane, entry.order_key) if entry.order_key is not None else None,
        subject=subject_hash(keys, entry.subject) if entry.subject is not None else None,
        idempotency=keys.hashed("idempotency", message.client, asked, key) if key is not None else None,
        body_hash=keys.hashed("body", _canonical.encode(message.body)),
        body=keys.seal(message.id, "body", body),
        size=len(body),
        key_number=keys.current,
        accepted_at=message.accepted_at,
        answer_by=entry.answer_by,
        near_at=entry.near_at or entry.answer_by,
        until_final=entry.until_final,
        expires=entry.expires,
        receipt=entry.origin.receipt if entry.origin is not None else None,
        record=entry.origin.record if entry.origin is not None else None,
    )


def subject_hash(keys: Keys, subject: str) -> bytes:
    """Return what a subject is searched by."""
    return keys.hashed("subject", subject)


def sought(keys: Keys, wanted: Filter) -> bytes | None:
    """Return what the subject of a search is searched by, if there is one.

    Raises InvalidRequest for words that no message can have and not every store can be asked for.
    """
    words = {
        "agency": wanted.lane,
        "operation": wanted.operation,
        "client": wanted.client,
        "subject": wanted.subject,
    }
    errors = [
        FieldError(pointer=f"/{name}", rule="type", params={"expected": "printable text"})
        for name, word in words.items()
        if word is not None and not word.isprintable()
    ]
    if errors:
        raise InvalidRequest("a filter holds characters that nothing is named with", errors=errors)
    return None if wanted.subject is None else subject_hash(keys, wanted.subject)


def seal_answer(keys: Keys, message: MessageId, answer: Reply | Refused | None) -> bytes | None:
    """Seal what a direct call would have been told."""
    if answer is None:
        return None
    if isinstance(answer, Reply):
        said: Document = {"body": answer.body, "outcome": answer.outcome.value, "age": answer.age}
    else:
        text = answer.text.encode(errors="ignore").decode()  # half a surrogate pair is no JSON
        said = {"code": answer.code, "text": text, "errors": [_field_error(error) for error in answer.errors]}
    return keys.seal(message, "answer", encode(said))


def seal_deed(keys: Keys, message: MessageId, detail: Document | None) -> bytes | None:
    """Seal what an edit changed."""
    return None if detail is None else keys.seal(message, "deed", encode(detail))


def said(text: str) -> str:
    """Return a text fit to be kept in clear: printable, masked and short."""
    # Before it is masked: what nobody can see may stand between the digits of a number. PostgreSQL takes no NUL at all.
    shown = text if text.isprintable() else "".join(map(_printable, text))
    return mask_text(shown)[:TEXT]


def _printable(letter: str) -> str:
    if letter.isprintable():
        return letter
    return " " if letter.isspace() else ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Makes of rows what they say; `when` reads the store's form of time."""

    keys: Keys
    when: When

    def message(self, row: Row) -> Message:
        """Return the message of a claimed row; raises Unreadable when its key is lost."""
        message = MessageId(row["id"])
        return Message(
            id=message,
            operation=OperationId(row["operation"]),
            body=decode(self.keys.unseal(message, "body", row["body"])),
            client=row["client"],
            correlation_id=row["correlation_id"],
            traceparent=row["traceparent"],
            accepted_at=self.when(row["accepted_at"]),
            deadline=0.0,
        )

    def readable(self, row: Row) -> Message | None:
        """Return the message of a row, None when its key is lost."""
        try:
            return self.message(row)
        except Unreadable:
            return None

    def clocks(self, row: Row | None) -> dict[str, Any]:
        """Return what lane statistics tell of the clocks that run."""
        if row is None:
            return {}
        return {"near": row["near"], "past": row["past"], "answer_by": self.when(row["answer_by"])}

    def summary(self, row: Row) -> Summary:
        """Return one line about a row."""
        state = State(row["state"])
        return Summary(
            id=MessageId(row["id"]),
            lane=row["lane"],
            operation=OperationId(row["operation"]),
            client=row["client"],
            state=state,
            direct=bool(row["direct"]),
            repeat=row["repeat"],
            attempts=row["attempts"],
            accepted_at=self.when(row["accepted_at"]),
            due=self.when(row["due"]) if state in _DUE else None,
            settled_at=self._maybe(row["settled_at"]),
            answer_by=self._maybe(row["answer_by"]),
            near_at=self._maybe(row["near_at"]),
            answered_at=self._maybe(row["answered_at"]),
            reason=row["reason"],
            text=row["text"],
            size=row["size"],
            uncertain=bool(row["uncertain"]),
            origin=None if row["receipt"] is None else Origin(receipt=row["receipt"], record=row["record"]),
        )

    def record(self, row: Row, attempts: Sequence[Row], deeds: Sequence[Row], held: str | None) -> Record:
        """Return everything about a row; what its key can't open any more is left out and said to be unreadable."""
        opened = _Opener(MessageId(row["id"]), self.keys)
        body, answer = opened.document("body", row["body"]), opened.answer(row["answer"])
        native, told = opened("native", row["native"]), tuple(self._deed(deed, opened) for deed in deeds)
        return Record(
            summary=self.summary(row),
            correlation_id=row["correlation_id"],
            traceparent=row["traceparent"],
            body=body,
            answer=answer,
            native=native,
            attempts=tuple(map(self._attempt, attempts)),
            deeds=told,
            readable=opened.readable,
            shed=row["body"] is None,
            held=MessageId(held) if held is not None else None,
        )

    def _attempt(self, row: Row) -> Attempt:
        return Attempt(
            number=row["number"],
            at=self.when(row["at"]),
            seconds=row["seconds"],
            outcome=Outcome(row["outcome"]),
            status=row["status"],
            error=row["error"],
        )

    def _deed(self, row: Row, opened: "_Opener") -> Deed:
        return Deed(
            at=self.when(row["at"]), by=row["by"], act=row["act"], detail=opened.document("deed", row["detail"])
        )

    def _maybe(self, value: object) -> datetime | None:
        return None if value is None else self.when(value)


def difference(before: object, after: object, pointer: str = "") -> dict[str, object]:
    """Return what changed, by JSON Pointer: `[old, new]`, with null where there was nothing."""
    if before == after and type(before) is type(after):
        return {}
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        changes: dict[str, object] = {}
        for name in sorted(before.keys() | after.keys()):
            step = name.replace("~", "~0").replace("/", "~1")
            changes |= difference(before.get(name), after.get(name), f"{pointer}/{step}")
        return changes
    return {pointer: [before, after]}


class _Opener:
    """Opens the sealed fields of one message and remembers whether any could not be."""

    __slots__ = ("_keys", "_message", "readable")

    def __init__(self, message: MessageId, keys: Keys) -> None:
        self._message = message
        self._keys = keys
        self.readable = True

    def __call__(self, field: str, sealed: bytes | None) -> bytes | None:
        if sealed is None:
            return None
        try:
            return self._keys.unseal(self._message, field, sealed)
        except Unreadable:
            self.readable = False
            return None

    def document(self, field: str, sealed: bytes | None) -> Document | None:
        data = self(field, sealed)
        return None if data is None else decode(data)

    def answer(self, sealed: bytes | None) -> Reply | Refused | None:
        told = self.document("answer", sealed)
        if told is None:
            return None
        if "outcome" in told:
            age = told["age"]
            return Reply(body=told["body"], outcome=Outcome(told["outcome"]), age=None if age is None else float(age))
        return Refused(
            code=told["code"],
            text=told["text"],
            errors=tuple(msgspec.convert(error, FieldError) for error in told["errors"]),
        )


def _field_error(error: FieldError) -> Document:
    fields: Document = msgspec.to_builtins(error)
    return fields
