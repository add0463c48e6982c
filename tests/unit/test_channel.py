"""What an answer means: fault, body code, HTTP status, in this order; and what is told when it can't be read."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.channel import LARGE, Channel, context_of
from gateway.errors import (
    AgencyError,
    AgencyLogin,
    AgencyTimeout,
    FieldError,
    InvalidAnswer,
    NotFound,
    Refused,
    TranslationError,
    Unavailable,
    UnknownOutcome,
)
from gateway.message import Answer, Call, Fault, Message, MessageId, OperationId, Outcome, Unread
from gateway.translate.outcome import OutcomeTable
from tests.fakes import FakeClock

CODES = {"00": Outcome.OK, "03": Outcome.DUPLICATE, "02": Outcome.NOT_FOUND, "05": Outcome.REFUSED}


class Plain:
    """A mapping that changes nothing, and refuses a reply that says `bad`."""

    def to_native(self, body, context, /):
        if "missing" in body:
            raise TranslationError("request", [FieldError(pointer="/missing", rule="required")])
        return {**body, "by": context.login.get("user", "")}

    def to_headers(self, _body, _context, /):
        return {"x-system": "test"}

    def to_canonical(self, document, /):
        self.translated_in = threading.get_ident()
        if "bad" in document:
            raise TranslationError("reply", [FieldError(pointer="/bad", rule="number", where="mappings/x.toml:7")])
        return document

    def pointer(self, native_path, /):
        return f"/ours/{native_path}"

    def key(self, _body, _context, /):
        return b""


@dataclass
class Agency:
    """Answers, or raises, what it was given; keeps the calls."""

    says: Answer | Exception
    calls: list[Call] = field(default_factory=list)

    async def exchange(self, call, /):
        self.calls.append(call)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


def channel(says: Answer | Exception, **tables: Any) -> tuple[Channel, Agency, list[tuple[Outcome, float]]]:
    agency, seen = Agency(says), []
    made = Channel(
        adapter=agency,
        translator=Plain(),
        outcomes=OutcomeTable(**tables),
        target="statusPermohonan",
        timeout=8.0,
        safe=False,
        clock=FakeClock(),
        context=context_of(FakeClock(), {"user": "gateway"}, read=True),
        observe=lambda outcome, seconds: seen.append((outcome, seconds)),
    )
    return made, agency, seen


def message(body: Mapping[str, Any] | None = None, *, seconds: float = 20.0) -> Message:
    return Message(
        id=MessageId("m-1"),
        operation=OperationId("dpmptsp/status-izin"),
        body=body or {"nomor": "1"},
        client="klik",
        correlation_id="c-1",
        traceparent="00-0-0-00",
        accepted_at=datetime.now(UTC),
        deadline=1000.0 + seconds,
    )


def coded(**more: Any) -> dict[str, Any]:
    return {"code_path": ("kode",), "message_path": ("pesan",), "codes": CODES, **more}


async def test_the_call_carries_document_headers_ids_and_the_time_that_is_left() -> None:
    way, agency, _ = channel(Answer(document={"a": 1}, http_status=200))
    reply = await way.send(message(seconds=3.0))
    (call,) = agency.calls
    assert reply.body == {"a": 1}
    assert call.document == {"nomor": "1", "by": "gateway"}
    assert call.headers == {"x-system": "test"}
    assert call.target == "statusPermohonan"
    assert (call.message_id, call.correlation_id) == ("m-1", "c-1")
    assert call.timeout == pytest.approx(3.0)


async def test_one_attempt_gets_no_more_than_its_timeout() -> None:
    way, agency, _ = channel(Answer(document={}, http_status=200))
    await way.send(message(seconds=20.0))
    assert agency.calls[0].timeout == pytest.approx(8.0)


async def test_nothing_is_sent_after_the_deadline() -> None:
    way, agency, _ = channel(Answer(document={}, http_status=200))
    with pytest.raises(AgencyTimeout) as caught:
        await way.send(message(seconds=-1.0))
    assert not caught.value.maybe_done
    assert agency.calls == []


async def test_a_request_that_does_not_fit_is_not_sent() -> None:
    way, agency, seen = channel(Answer(document={}, http_status=200))
    with pytest.raises(TranslationError):
        await way.send(message({"missing": 1}))
    assert agency.calls == seen == []


async def test_what_the_protocol_cant_carry_is_told_in_canonical_words() -> None:
    refused = TranslationError("request", [FieldError(pointer="nama", rule="control-character")])
    way, _, _ = channel(refused)
    with pytest.raises(TranslationError) as caught:
        await way.send(message())
    assert caught.value.side == "request"
    assert caught.value.errors[0].pointer == "/ours/nama"


FAULTS = {"Server.Busy": Outcome.UNAVAILABLE, "PegawaiTidakDitemukan": Outcome.NOT_FOUND}


@pytest.mark.parametrize(
    ("fault", "raised", "maybe_done"),
    [
        (Fault(code="Server.Busy", text="sibuk"), Unavailable, False),
        (Fault(code="Client", text="?", detail={"PegawaiTidakDitemukan": ""}), NotFound, False),
        (Fault(code="Server", text="aneh"), InvalidAnswer, True),
    ],
)
async def test_rule_11_8_a_fault_counts_before_anything_else(
    fault: Fault, raised: type[AgencyError], maybe_done: bool
) -> None:
    answer = Answer(document={"kode": "00"}, fault=fault, http_status=200)
    way, _, _ = channel(answer, **coded(faults=FAULTS))
    with pytest.raises(raised) as caught:
        await way.send(message())
    assert caught.value.maybe_done is maybe_done


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_rule_11_8_a_listed_body_code_counts_before_the_http_status(status: int) -> None:
    answer = Answer(document={"kode": "05", "pesan": "berkas kurang"}, http_status=status)
    way, _, seen = channel(answer, **coded())
    with pytest.raises(Refused, match="berkas kurang") as caught:
        await way.send(message())
    assert not caught.value.maybe_done
    assert (caught.value.words, caught.value.why) == ("berkas kurang", "code '05'")
    assert [outcome for outcome, _ in seen] == [Outcome.REFUSED]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(document={"kode": "01", "pesan": "Siti"}, http_status=200), "code '01'"),
        (Answer(document={"pesan": "Siti"}, http_status=404), "HTTP 404"),
        (Answer(document={"pesan": "Siti"}, http_status=500), "HTTP 500"),
        (Answer(document={}, fault=Fault(code="Server.Busy", text="Siti"), http_status=500), "fault 'Server.Busy'"),
        (
            Answer(document={}, fault=Fault(code="Siti sudah ada", text="Siti"), http_status=500),
            "fault of 14 characters is not listed in the faults table",
        ),
        (
            Answer(document={"kode": "Siti sudah ada"}, http_status=200),
            "the answer's code of 14 characters is not listed in the outcome table",
        ),
        (
            Answer(document={"kode": "00", "bad": "Siti"}),
            "the answer does not fit the mapping; mappings/x.toml:7: /bad: number",
        ),
    ],
)
async def test_why_it_failed_is_told_without_a_word_of_the_agencys(answer: Answer, why: str) -> None:
    codes = {**CODES, "01": Outcome.UNAVAILABLE}
    http = {404: Outcome.NOT_FOUND, 500: Outcome.UNAVAILABLE}
    way, _, _ = channel(answer, **coded(codes=codes, http=http, faults=FAULTS))
    with pytest.raises(AgencyError) as caught:
        await way.send(message())
    assert caught.value.why == why


async def test_a_duplicate_is_a_success() -> None:
    way, _, _ = channel(Answer(document={"kode": "03"}, http_status=200), **coded())
    assert (await way.send(message())).outcome == Outcome.DUPLICATE


@pytest.mark.parametrize("document", [{"kode": "99"}, {"pesan": "tanpa kode"}])
async def test_rule_11_8_a_code_that_is_not_listed_or_not_there_is_invalid(document: dict[str, str]) -> None:
    way, _, _ = channel(Answer(document=document, http_status=200), **coded())
    with pytest.raises(InvalidAnswer, match="not listed") as caught:
        await way.send(message())
    assert caught.value.maybe_done


async def test_an_agency_that_only_tells_failures_is_fine_without_a_code() -> None:
    way, _, _ = channel(Answer(document={"nomor": "1"}, http_status=200), **coded(codes={}, absent=Outcome.OK))
    assert (await way.send(message())).outcome == Outcome.OK


@pytest.mark.parametrize(
    ("status", "http", "raised", "maybe_done"),
    [
        (404, {404: Outcome.NOT_FOUND}, NotFound, False),
        (404, {}, InvalidAnswer, True),
        (401, {}, AgencyLogin, False),
        (403, {}, AgencyLogin, False),
        (429, {}, Unavailable, False),
        (503, {}, Unavailable, False),
        (500, {}, Unavailable, True),
        (502, {}, Unavailable, True),
        (504, {}, Unavailable, True),
        (504, {504: Outcome.TIMEOUT}, AgencyTimeout, True),
        (500, {500: Outcome.UNKNOWN}, UnknownOutcome, True),
        (500, {500: Outcome.UNAVAILABLE}, Unavailable, True),
        (503, {503: Outcome.UNAVAILABLE}, Unavailable, False),
        (302, {}, InvalidAnswer, True),
    ],
)
async def test_rule_11_8_an_http_status_means_what_the_table_or_http_says(
    status: int, http: Mapping[int, Outcome], raised: type[AgencyError], maybe_done: bool
) -> None:
    way, _, seen = channel(Answer(document={}, http_status=status), http=http)
    with pytest.raises(raised) as caught:
        await way.send(message())
    assert caught.value.maybe_done is maybe_done
    assert seen[0][0] == raised.outcome


@pytest.mark.parametrize(("text", "seconds"), [("2", 2.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)])
async def test_retry_after_in_seconds_is_passed_on(text: str, seconds: float | None) -> None:
    way, _, _ = channel(Answer(http_status=429, headers={"retry-after": text}))
    with pytest.raises(Unavailable) as caught:
        await way.send(message())
    assert caught.value.retry_after == seconds


async def test_a_success_without_a_body_is_invalid() -> None:
    way, _, seen = channel(Answer(http_status=200))
    with pytest.raises(InvalidAnswer):
        await way.send(message())
    assert seen[0][0] == Outcome.INVALID


async def test_a_reply_that_does_not_fit_keeps_its_errors_for_the_log() -> None:
    way, _, _ = channel(Answer(document={"bad": "Rp abc"}, http_status=200))
    with pytest.raises(InvalidAnswer) as caught:
        await way.send(message())
    assert caught.value.maybe_done
    assert caught.value.errors[0].where == "mappings/x.toml:7"


async def test_each_attempt_is_added_to_the_messages_effort() -> None:
    way, _, _ = channel(Unavailable("gone", maybe_done=False))
    asked = message()
    for _ in range(2):
        with pytest.raises(Unavailable):
            await way.send(asked)
    assert asked.effort.attempts == 2


async def test_an_adapter_that_stumbles_over_an_answer_is_an_invalid_answer_without_its_text() -> None:
    way, _, seen = channel(KeyError("1405029001180001"))
    with pytest.raises(InvalidAnswer, match=r"KeyError at test_channel\.py:") as caught:
        await way.send(message())
    assert "1405029001180001" not in str(caught.value)
    assert caught.value.maybe_done
    assert seen[0][0] == Outcome.INVALID


async def test_rule_11_3_an_answer_that_cant_be_read_is_kept_whole_and_reread_as_it_was_read() -> None:
    answer = Answer(document={"kode": "99", "biaya": Decimal("1.50")}, http_status=418)
    way, _, _ = channel(answer, **coded())
    with pytest.raises(InvalidAnswer, match="HTTP 418 is not listed") as caught:
        await way.send(message())
    native = caught.value.native
    assert native is not None
    with pytest.raises(InvalidAnswer, match="HTTP 418 is not listed"):
        way.reread(native)
    mended, _, _ = channel(answer, **coded(codes={"99": Outcome.DUPLICATE}))
    assert mended.reread(native).outcome == Outcome.DUPLICATE


async def test_an_unlisted_fault_is_kept_to_be_reread_too() -> None:
    fault = Fault(code="Server", text="aneh", detail={"PegawaiTidakDitemukan": ""})
    way, _, _ = channel(Answer(fault=fault, http_status=500), **coded())
    with pytest.raises(InvalidAnswer) as caught:
        await way.send(message())
    assert caught.value.native is not None
    mended, _, _ = channel(Answer(), **coded(faults=FAULTS))
    with pytest.raises(NotFound, match="aneh"):
        mended.reread(caught.value.native)


def unreadable(status: int = 200) -> InvalidAnswer:
    error = InvalidAnswer("dpupr: its answer is a page or XML, not JSON", maybe_done=True)
    error.answer = Answer(http_status=status, headers={"set-cookie": "x"}, unread=Unread(text="<html>"))
    return error


class Mended:
    """An adapter that can read now what it could not read then."""

    async def exchange(self, _call: Call) -> Answer:
        raise unreadable()

    def reread(self, target: str, answer: Answer) -> Answer:
        assert answer.unread is not None
        return Answer(document={"call": target, "was": answer.unread.text}, http_status=answer.http_status)


async def test_rule_11_3_what_the_adapter_could_not_read_is_kept_and_read_again_by_it() -> None:
    way, _, _ = channel(unreadable())
    with pytest.raises(InvalidAnswer, match="a page or XML") as caught:
        await way.send(message())
    assert caught.value.native is not None
    assert b"set-cookie" not in caught.value.native
    reply = replace(way, adapter=Mended()).reread(caught.value.native)
    assert reply.body == {"call": way.target, "was": "<html>"}


async def test_an_adapter_that_reads_nothing_again_leaves_it_to_be_looked_at_unless_the_status_says_enough() -> None:
    for status, wanted in ((200, "can't read a kept answer again: look at it"), (418, "HTTP 418 is not listed")):
        way, _, _ = channel(unreadable(status))
        with pytest.raises(InvalidAnswer) as caught:
            await way.send(message())
        assert caught.value.native is not None
        with pytest.raises(InvalidAnswer, match=wanted):
            way.reread(caught.value.native)
    mended, _, _ = channel(Answer(), **coded(http={418: Outcome.REFUSED}))
    with pytest.raises(Refused):
        mended.reread(caught.value.native)


def test_what_was_never_kept_as_an_answer_cant_be_reread() -> None:
    way, _, _ = channel(Answer())
    with pytest.raises(InvalidAnswer, match="can't be read"):
        way.reread(b"<html>")


async def test_neither_login_nor_body_shows_when_a_call_is_printed() -> None:
    way, agency, _ = channel(Answer(document={"nik": "1405029001180001"}, http_status=200))
    asked = message({"nik": "1405029001180001"})
    reply = await way.send(asked)
    shown = repr((way, asked, reply, agency.calls, agency.says))
    assert "1405029001180001" not in shown
    assert "user" not in shown


@pytest.mark.parametrize(("size", "elsewhere"), [(0, False), (LARGE, False), (LARGE + 1, True)])
async def test_only_a_large_answer_is_translated_in_a_thread(size, elsewhere):
    made, _, _ = channel(Answer(document={"a": 1}, size=size))
    reply = await made.send(message())
    assert reply.body == {"a": 1}
    assert (made.translator.translated_in != threading.get_ident()) == elsewhere


async def test_how_long_translating_took_is_heard_of_each_side_and_not_of_what_did_not_fit():
    seen: list[str] = []
    sides = {"wrote": lambda _: seen.append("request"), "read": lambda _: seen.append("reply")}
    for says in (Answer(document={"ok": 1}), Answer(document={"bad": 1})):
        made = replace(channel(says)[0], on_misfit=lambda side: seen.append(f"misfit {side}"), **sides)
        with suppress(InvalidAnswer):
            await made.send(message())
    assert seen == ["request", "reply", "request", "misfit reply"]
