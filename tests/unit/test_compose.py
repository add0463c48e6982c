"""Route passes on by a field; gather asks side by side and says of each part what became of it."""

import asyncio
from typing import Any

import pytest

from gateway.compose import Parts, gather, route
from gateway.errors import (
    FieldError,
    InvalidRequest,
    NotFound,
    Overloaded,
    PartsUnavailable,
    Refused,
    TranslationError,
    Unavailable,
)
from gateway.message import Message, OperationId, Reply
from gateway.registry import Operation
from gateway.translate.compile import compile_operation
from gateway.translate.load import parse_mapping
from tests.unit.test_channel import message

MAPPING = parse_mapping(
    '[x.request]\nnik = "nik"\nlain = { from = "lain", optional = true }\n[x.reply]\na = "a"\n', "m.toml"
)
COMPILED = compile_operation(MAPPING, "x")


def operation(name: str, handler: Any) -> Operation:
    return Operation(
        id=OperationId(name),
        title=name,
        about="",
        agency=name.split("/", maxsplit=1)[0],
        agency_title=name,
        safe=True,
        method=None,
        path=None,
        deadline=20.0,
        request=COMPILED.request,
        reply=COMPILED.reply,
        handler=handler,
    )


def answering(name: str, *, age: float | None = None, seen: list[Message] | None = None) -> Operation:
    async def answer(asked: Message) -> Reply:
        if seen is not None:
            seen.append(asked)
        return Reply(body={"by": name}, age=age)

    return operation(name, answer)


def failing(name: str, error: Exception) -> Operation:
    async def fail(_: Message) -> Reply:
        raise error

    return operation(name, fail)


async def test_a_route_passes_on_to_the_agency_that_the_field_names() -> None:
    seen: list[Message] = []
    handler = route("kategori", {"jalan": answering("dpupr/lapor", seen=seen), "*": answering("diskominfo/lapor")})
    assert (await handler(message({"kategori": "jalan"}))).body == {"by": "dpupr/lapor"}
    assert (await handler(message({"kategori": "sampah"}))).body == {"by": "diskominfo/lapor"}
    assert [asked.operation for asked in seen] == ["dpupr/lapor"]
    assert [asked.asked_as for asked in seen] == [message({}).operation]


async def test_a_route_without_a_rest_refuses_what_no_target_takes() -> None:
    handler = route("kategori", {"jalan": answering("dpupr/lapor"), "air": answering("pdam/lapor")})
    with pytest.raises(InvalidRequest) as caught:
        await handler(message({"kategori": "sampah"}))
    (error,) = caught.value.errors
    assert (error.pointer, error.params["allowed"]) == ("/kategori", "air, jalan")


async def test_rule_11_11_a_gather_says_of_each_part_what_became_of_it() -> None:
    handler = gather(
        {
            "izin": answering("a/x"),
            "antrean": answering("b/x", age=61.4),
            "kk": failing("c/x", NotFound("tidak ada", maybe_done=False)),
            "pln": failing("d/x", Unavailable("connection refused at 10.0.0.1", maybe_done=False)),
        }
    )
    reply = await handler(message({"nik": "1405029001180001"}))
    assert reply.body == {
        "parts": {
            "izin": {"state": "ok", "data": {"by": "a/x"}},
            "antrean": {"state": "stale", "data": {"by": "b/x"}, "age": 61},
            "kk": {"state": "not-found"},
            "pln": {"state": "missing", "reason": "agency-unavailable"},
        }
    }


async def test_each_part_gets_only_the_fields_it_knows() -> None:
    seen: list[Message] = []
    await gather({"izin": answering("a/x", seen=seen)})(message({"nik": "1", "asing": "2"}))
    assert seen[0].body == {"nik": "1"}
    assert seen[0].operation == "a/x"


async def test_rule_11_11_a_gather_of_nothing_but_failures_is_unavailable_until_the_first_may_be_back() -> None:
    handler = gather(
        {
            "a": failing("a/x", Unavailable("down", maybe_done=False, retry_after=30.0)),
            "b": failing("b/x", Overloaded("full", retry_after=1.0)),
        }
    )
    with pytest.raises(PartsUnavailable) as caught:
        await handler(message({"nik": "1"}))
    assert caught.value.retry_after == pytest.approx(1.0)
    assert not caught.value.maybe_done


async def test_not_found_everywhere_is_an_answer() -> None:
    handler = gather({"a": failing("a/x", NotFound("", maybe_done=False))})
    assert (await handler(message({"nik": "1"}))).body == {"parts": {"a": {"state": "not-found"}}}


async def test_the_parts_run_side_by_side() -> None:
    meet = asyncio.Barrier(2)

    def meeting(name: str) -> Operation:
        async def answer(_: Message) -> Reply:
            await meet.wait()
            return Reply(body={"by": name})

        return operation(name, answer)

    async with asyncio.timeout(5):
        await gather({"a": meeting("a/x"), "b": meeting("b/x")})(message({"nik": "1"}))


async def test_a_bug_in_one_part_is_not_hidden() -> None:
    handler = gather({"a": failing("a/x", RuntimeError("bug")), "b": answering("b/x")})
    with pytest.raises(ExceptionGroup):
        await handler(message({"nik": "1"}))


def test_the_schema_of_a_gather_shows_every_part() -> None:
    schema = Parts({"izin": COMPILED.reply})
    parts: Any = schema.json["properties"]
    assert parts["parts"]["properties"]["izin"]["properties"]["data"] == COMPILED.reply.json
    assert schema.fields == {"parts"}
    assert schema.check({}) == ()


async def test_an_error_of_a_routes_target_says_where_it_happened() -> None:
    handler = route("kategori", {"*": failing("dpupr/lapor", Refused("wilayah lain", maybe_done=False))})
    with pytest.raises(Refused) as caught:
        await handler(message({"kategori": "jalan"}))
    assert caught.value.place is not None
    assert (caught.value.place.agency, caught.value.place.operation) == ("dpupr", "dpupr/lapor")


async def test_a_request_that_does_not_fit_a_part_is_the_clients_error() -> None:
    misfit = TranslationError("request", [FieldError(pointer="/nik", rule="digits", params={"digits": "16"})])
    with pytest.raises(TranslationError):
        await gather({"a": failing("a/x", misfit), "b": answering("b/x")})(message({"nik": "1"}))


async def test_a_gather_took_as_long_as_its_slowest_part() -> None:
    def taking(name: str, seconds: float) -> Operation:
        async def answer(asked: Message) -> Reply:
            asked.effort.attempts += 1
            asked.effort.seconds += seconds
            return Reply(body={})

        return operation(name, answer)

    asked = message({"nik": "1"})
    await gather({"a": taking("a/x", 0.2), "b": taking("b/x", 0.5)})(asked)
    assert (asked.effort.attempts, asked.effort.seconds) == (2, 0.5)
