"""What operators do: every act, every refusal, on a real ledger."""

import asyncio
from pathlib import Path

import pytest

from gateway import app, operate
from gateway.cli.options import read_config
from gateway.clock import SystemClock
from gateway.errors import InvalidRequest, UnknownMessage, WrongState
from gateway.message import Reply, new_message_id
from gateway.metrics import Metrics
from gateway.records import Buried, Delivered, Expired, Filter, Refused, Settlement, State, Unknown
from tests.fakes import FakeClock
from tests.office import BODY, FEE, MENDED_FEE, NIK, books, furnish, kept, mend, unreadable

POISON = Buried(reason="poison")
CLOCK = SystemClock("Asia/Jakarta")


@pytest.fixture
async def office(tmp_path: Path):
    furnish(tmp_path)
    async with books(tmp_path) as made:
        yield made


@pytest.fixture
def operations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return the table of operations as the mapping is now."""
    monkeypatch.chdir(tmp_path)

    def read():
        located = read_config(tmp_path / "gateway.toml")
        return app.assemble(located, clock=CLOCK, metrics=Metrics()).registry.operations

    return read


async def replayed(office, chosen, **more):
    more.setdefault("clock", CLOCK)
    return [far async for far in operate.replay(office.ledger, chosen, by="sri", **more)]


async def test_a_message_nobody_has_heard_of_is_unknown_to_every_act(office, operations):
    nobody, table = new_message_id(), operations()
    with pytest.raises(UnknownMessage):
        await operate.show(office.ledger, nobody)
    with pytest.raises(UnknownMessage):
        await operate.chosen_by_id(office.ledger, [nobody])
    with pytest.raises(UnknownMessage):
        await operate.resolve(office.ledger, nobody, Delivered(), by="sri")
    with pytest.raises(UnknownMessage):
        await operate.cancel(office.ledger, nobody, by="sri")
    with pytest.raises(UnknownMessage):
        await operate.edit(office.ledger, table, nobody, BODY, by="sri")
    with pytest.raises(UnknownMessage):
        await operate.reread(office.ledger, table, nobody, by="sri")


async def test_a_look_behind_the_mask_is_recorded_and_another_is_not(office):
    message = await office.put()
    await operate.show(office.ledger, message)
    assert (await office.record(message)).deeds == ()
    await operate.show(office.ledger, message, unmasked_by="sri")
    (deed,) = (await office.record(message)).deeds
    assert (deed.by, deed.act) == ("sri", "unmask")


@pytest.mark.parametrize("state", [State.PENDING, State.DELIVERED, State.UNKNOWN])
async def test_what_is_not_over_or_was_done_is_not_replayed(office, state):
    ids = await office.one_of_each()
    with pytest.raises(WrongState) as caught:
        await operate.chosen_by_id(office.ledger, [ids[state]])
    assert caught.value.state == state


@pytest.mark.parametrize("state", [State.BURIED, State.EXPIRED, State.REFUSED])
async def test_what_was_given_up_is_replayed_by_its_id(office, state):
    ids = await office.one_of_each()
    chosen = await operate.chosen_by_id(office.ledger, [ids[state], ids[state]])
    (far,) = await replayed(office, chosen)
    assert (far.done, far.skipped, far.total) == (1, 0, 1)
    assert await office.state(ids[state]) is State.PENDING


async def test_one_that_cant_be_replayed_keeps_the_others_from_it(office):
    ids = await office.one_of_each()
    with pytest.raises(WrongState):
        await operate.chosen_by_id(office.ledger, [ids[State.BURIED], ids[State.DELIVERED]])
    assert await office.state(ids[State.BURIED]) is State.BURIED


async def test_an_unknown_message_is_sent_again_only_by_its_phrase(office):
    unknown = (await office.one_of_each())[State.UNKNOWN]
    chosen = await operate.chosen_by_id(office.ledger, [unknown], unknown=True)
    assert chosen.phrase == "send 1 again"
    for said in ("", "yes", "send 2 again"):
        with pytest.raises(InvalidRequest) as caught:
            await replayed(office, chosen, confirm=said)
        assert caught.value.errors[0].pointer == "/confirm"
    assert await office.state(unknown) is State.UNKNOWN
    await replayed(office, chosen, confirm="send 1 again")
    assert await office.state(unknown) is State.PENDING


async def buried_again(office, **more):
    """A message that was unknown, whose replay was confirmed, and that then did not fit."""
    (message,) = await office.ended(Unknown(), **more)
    assert await office.ledger.replay([message], by="sri", unknown=True) == (message,)
    (claim,) = await office.ledger.claim("dpmptsp", 1, lease=60.0)
    await office.ledger.settle(Settlement(ticket=claim.ticket, verdict=Buried(reason="misfit")))
    return message


async def test_rule_11_2_what_may_have_been_done_and_was_buried_since_is_replayed_only_by_its_phrase(office):
    message = await buried_again(office, repeat="never")
    for chosen in (
        await operate.chosen_by_id(office.ledger, [message]),
        await operate.chosen_by_filter(office.ledger, Filter(lane="dpmptsp")),
    ):
        with pytest.raises(InvalidRequest):
            await replayed(office, chosen)
    assert await office.state(message) is State.BURIED
    (far,) = await replayed(office, chosen, confirm="send 1 again")
    assert (far.done, await office.state(message)) == (1, State.PENDING)


async def test_rule_11_2_what_may_have_been_done_is_edited_only_by_its_phrase(office, operations):
    message, corrected = await buried_again(office, repeat="never"), {**BODY, "jenis": "SIUP"}
    with pytest.raises(InvalidRequest) as caught:
        await operate.edit(office.ledger, operations(), message, corrected, by="sri")
    assert caught.value.errors[0].pointer == "/confirm"
    assert ((await office.record(message)).body, await office.state(message)) == (BODY, State.BURIED)
    sure = operate.edit(office.ledger, operations(), message, corrected, by="sri", confirm="send 1 again")
    assert await sure is State.PENDING


async def test_what_does_no_harm_when_repeated_needs_no_phrase(office):
    message = await buried_again(office, repeat="harmless")
    assert (await operate.chosen_by_id(office.ledger, [message])).phrase == ""


async def test_what_became_unknown_after_the_choice_is_skipped(office):
    (message,) = await office.ended(POISON)
    chosen = await operate.chosen_by_id(office.ledger, [message])
    await office.ledger.replay([message], by="lain")
    (claim,) = await office.ledger.claim("dpmptsp", 1, lease=60.0)
    await office.ledger.settle(Settlement(ticket=claim.ticket, verdict=Unknown()))
    (far,) = await replayed(office, chosen)
    assert (far.done, far.skipped) == (0, 1)
    assert await office.state(message) is State.UNKNOWN


async def test_a_filter_takes_what_is_buried_or_expired_unless_it_says_more(office):
    ids = await office.one_of_each()
    plain = await operate.chosen_by_filter(office.ledger, Filter(lane="dpmptsp"))
    assert plain.ids == (ids[State.BURIED], ids[State.EXPIRED])
    named = await operate.chosen_by_filter(office.ledger, Filter(states=frozenset({State.REFUSED})))
    assert named.ids == (ids[State.REFUSED],)
    doubtful = await operate.chosen_by_filter(office.ledger, Filter(lane="dpmptsp"), unknown=True)
    assert set(doubtful.ids) == {ids[State.BURIED], ids[State.EXPIRED], ids[State.UNKNOWN]}
    assert doubtful.doubtful == {ids[State.UNKNOWN]}


@pytest.mark.parametrize("states", [{State.DELIVERED}, {State.PENDING, State.BURIED}, {State.UNKNOWN}])
async def test_a_filter_of_what_cant_be_replayed_is_refused(office, states):
    with pytest.raises(InvalidRequest) as caught:
        await operate.chosen_by_filter(office.ledger, Filter(states=frozenset(states)))
    assert caught.value.errors[0].pointer == "/state"


async def test_a_filter_that_says_nothing_is_refused(office):
    with pytest.raises(InvalidRequest):
        await operate.chosen_by_filter(office.ledger, Filter())


async def test_a_filter_finds_them_all_oldest_first_over_many_pages(office):
    messages = await office.ended(*[POISON] * (operate.PAGE + 10))
    chosen = await operate.chosen_by_filter(office.ledger, Filter(lane="dpmptsp"))
    assert list(chosen.ids) == messages
    assert [row.id for row in chosen.sample] == messages[:5]


async def test_a_subject_is_found_by_its_plain_number(office):
    mine = await office.put()
    await office.put(subject="1405020101909002")
    page = await operate.search(office.ledger, Filter(subject=NIK), limit=10)
    assert [row.id for row in page.rows] == [mine]


async def test_a_search_goes_on_where_it_ended(office):
    messages = [await office.put() for _ in range(5)]
    first = await operate.search(office.ledger, Filter(), limit=3)
    rest = await operate.search(office.ledger, Filter(), limit=3, cursor=first.cursor)
    assert [row.id for row in (*first.rows, *rest.rows)] == messages[::-1]
    assert rest.cursor is None


async def test_a_rate_holds(tmp_path):
    furnish(tmp_path)
    async with books(tmp_path) as office:
        chosen = operate.Chosen(ids=tuple(await office.ended(*[POISON] * 20)))
        clock = FakeClock()
        far = await replayed(office, chosen, clock=clock, rate=8.0)
    assert [one.done for one in far] == list(range(2, 21, 2))
    assert sum(clock.slept) == pytest.approx(9 * 0.25)


async def test_a_replay_of_300_stops_between_two_batches_and_says_how_many(office):
    chosen = operate.Chosen(ids=tuple(await office.ended(*[Expired()] * 300)))
    stop, far = asyncio.Event(), operate.Replayed(done=0, skipped=0, total=0)
    async for far in operate.replay(office.ledger, chosen, by="sri", clock=CLOCK, stop=stop):
        if far.done >= 100:
            stop.set()
    assert (far.done, far.total) == (100, 300)
    pending = await operate.search(office.ledger, Filter(states=frozenset({State.PENDING})), limit=500)
    expired = await operate.search(office.ledger, Filter(states=frozenset({State.EXPIRED})), limit=500)
    assert (len(pending.rows), len(expired.rows)) == (100, 200)


class Asleep(SystemClock):
    """A clock that says when somebody goes to sleep, and lets nobody wake."""

    def __init__(self) -> None:
        super().__init__("Asia/Jakarta")
        self.sleeping = asyncio.Event()

    async def sleep(self, _seconds: float, /) -> None:
        self.sleeping.set()
        await asyncio.Event().wait()


async def test_a_stop_wakes_a_replay_that_waits_for_its_rate(office):
    chosen = operate.Chosen(ids=tuple(await office.ended(*[Expired()] * 3)))
    stop, clock = asyncio.Event(), Asleep()
    going = asyncio.create_task(replayed(office, chosen, clock=clock, rate=0.001, stop=stop))
    await clock.sleeping.wait()
    stop.set()
    assert [far.done for far in await asyncio.wait_for(going, 30)] == [1]


async def test_a_person_says_how_an_unknown_message_ended(office):
    done, refused = await office.ended(unreadable(), unreadable())
    assert await operate.resolve(office.ledger, done, Delivered(), by="sri") is State.DELIVERED
    assert await operate.resolve(office.ledger, refused, Refused(text="berkas kurang"), by="sri") is State.REFUSED
    assert (await office.record(refused)).answer == Refused(text="berkas kurang")
    with pytest.raises(WrongState, match="only what is unknown or handed over is resolved"):
        await operate.resolve(office.ledger, done, Refused(), by="sri")


async def test_only_what_waits_or_is_buried_is_cancelled(office):
    ids = await office.one_of_each()
    for state in (State.PENDING, State.BURIED):
        assert await operate.cancel(office.ledger, ids[state], by="sri") is State.CANCELLED
    with pytest.raises(WrongState):
        await operate.cancel(office.ledger, ids[State.DELIVERED], by="sri")


async def test_an_edit_is_checked_recorded_and_sent(office, operations):
    (message,) = await office.ended(POISON)
    with pytest.raises(InvalidRequest) as caught:
        await operate.edit(office.ledger, operations(), message, {**BODY, "lain": 1}, by="sri")
    assert caught.value.errors[0].pointer == "/lain"
    corrected = {**BODY, "jenis": "SIUP"}
    assert await operate.edit(office.ledger, operations(), message, corrected, by="sri") is State.PENDING
    record = await office.record(message)
    assert record.body == corrected
    assert [(deed.act, deed.by, deed.detail) for deed in record.deeds] == [
        ("edit", "sri", {"/jenis": ["IMB", "SIUP"]}),
    ]


async def test_only_a_buried_message_is_edited(office, operations):
    message = await office.put()
    with pytest.raises(WrongState):
        await operate.edit(office.ledger, operations(), message, BODY, by="sri")
    with pytest.raises(WrongState):
        await operate.editable(office.ledger, message, unmasked_by="sri")
    assert (await office.record(message)).deeds == ()


async def test_a_message_of_an_operation_that_is_gone_is_not_edited(office):
    (message,) = await office.ended(POISON)
    with pytest.raises(WrongState, match="no operation dpmptsp/ajukan-izin any more"):
        await operate.edit(office.ledger, {}, message, BODY, by="sri")


async def test_rereading_with_the_same_mapping_leaves_it_unknown_and_says_why(office, operations):
    (message,) = await office.ended(unreadable())
    end = await operate.reread(office.ledger, operations(), message, by="sri")
    assert (end.state, end.errors[0].rule) == (State.UNKNOWN, "number")
    assert await office.state(message) is State.UNKNOWN


async def test_rule_11_3_rereading_with_a_mended_mapping_delivers_it(office, operations, tmp_path):
    (message,) = await office.ended(unreadable())
    mend(tmp_path, {FEE: MENDED_FEE})
    end = await operate.reread(office.ledger, operations(), message, by="sri")
    assert (end.state, end.errors) == (State.DELIVERED, ())
    assert (await office.record(message)).answer == Reply(body={"nomor": "503/1/2026", "biaya": "Rp 1500"})


async def test_rereading_may_find_a_refusal(office, operations, tmp_path):
    native = kept({"kode": "207", "pesan": "berkas kurang"})
    (message,) = await office.ended(Unknown(native=native))
    mend(tmp_path, {'refused = ["201"]': 'refused = ["201", "207"]'})
    end = await operate.reread(office.ledger, operations(), message, by="sri")
    assert end.state is State.REFUSED
    assert (await office.record(message)).answer == Refused(code="refused", text="berkas kurang")


async def test_rereading_what_says_that_it_was_not_done_leaves_the_rest_to_a_person(office, operations, tmp_path):
    (message,) = await office.ended(Unknown(native=kept({"kode": "207"})))
    mend(tmp_path, {'refused = ["201"]': 'unavailable = ["207"]'})
    end = await operate.reread(office.ledger, operations(), message, by="sri")
    assert end.state is State.UNKNOWN
    assert "may be replayed" in end.why


async def test_an_http_error_does_not_become_a_success_by_rereading(office, operations, tmp_path):
    (message,) = await office.ended(Unknown(native=kept({"no": "503/1", "retribusi": "1.500,00"}, http_status=418)))
    mend(tmp_path, {'outcome = { from = "kode", ok = ["200"], refused = ["201"], message = "pesan" }': ""})
    end = await operate.reread(office.ledger, operations(), message, by="sri")
    assert (end.state, end.why) == (State.UNKNOWN, "HTTP 418 is not listed in the http table")


@pytest.mark.parametrize("native", [None, b"<html>"])
async def test_what_was_not_kept_cant_be_reread(office, operations, native):
    (message,) = await office.ended(Unknown(native=native))
    if native is None:
        with pytest.raises(WrongState, match="no answer of the agency's was kept"):
            await operate.reread(office.ledger, operations(), message, by="sri")
    else:
        assert (await operate.reread(office.ledger, operations(), message, by="sri")).state is State.UNKNOWN


async def test_a_lane_is_paused_and_resumed_by_a_person_only_for_a_persons_reasons(office):
    agencies = ("dpmptsp", "dinkes")
    await office.ledger.pause("dpmptsp", "hours", by="gateway")
    await operate.pause(office.ledger, agencies, "dpmptsp", by="sri", now=CLOCK.now())
    ended, still = await operate.resume(office.ledger, agencies, "dpmptsp", by="sri")
    assert (ended, [pause.reason for pause in still]) == (True, ["hours"])
    assert await operate.resume(office.ledger, agencies, "dpmptsp", by="sri") == (False, still)


async def test_a_lane_that_is_none_is_refused(office):
    with pytest.raises(InvalidRequest, match='no lane "dpmtsp"') as caught:
        await operate.pause(office.ledger, ("dpmptsp", "dinkes"), "dpmtsp", by="sri", now=CLOCK.now())
    assert caught.value.errors[0].params == {"allowed": "dinkes, dpmptsp"}


async def test_the_lane_of_an_agency_that_gateway_toml_lacks_can_be_paused_while_the_ledger_knows_it(office):
    await office.put(lane="lama")
    await operate.pause(office.ledger, ("dpmptsp",), "lama", by="sri", now=CLOCK.now())
    assert [pause.lane for pause in await office.ledger.list()] == ["lama"]


async def test_a_pause_that_is_over_before_it_begins_is_refused(office):
    now = CLOCK.now()
    with pytest.raises(InvalidRequest):
        await operate.pause(office.ledger, ("dinkes",), "dinkes", by="sri", now=now, until=now)


async def test_every_agency_has_a_lane_that_is_shown(office):
    await office.put()
    lanes = await operate.lanes(office.ledger, ("dpmptsp", "dinkes"))
    assert [(stats.lane, dict(stats.depth)) for stats in lanes] == [("dinkes", {}), ("dpmptsp", {State.PENDING: 1})]
