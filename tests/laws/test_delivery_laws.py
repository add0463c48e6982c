"""Three days of outage, and a poison in a crowd: what delivery must survive without anybody looking."""

import tracemalloc

from gateway.errors import Unavailable
from gateway.message import Message, MessageId, Reply
from gateway.records import State
from tests.delivery import LANE, Rig
from tests.laws.longer import LONGER

DAYS = 72 * 3600.0
MANY = 1000 if LONGER == 1 else 10_000
"""Messages that wait: in a few seconds in `make test`, in a minute in `make chaos`."""


async def test_72_hours_of_outage_leave_nothing_behind(rig: Rig) -> None:
    await down_for_72_hours(rig, MANY)


async def down_for_72_hours(rig: Rig, many: int) -> None:
    """Memory stays flat, each end of the outage is told once, and every key's messages arrive in order."""
    rig.having(concurrency=8)
    rig.agency.down = True
    for start in range(0, many, 500):
        await rig.ledger.put(*[rig.entry(n, key=f"warga {n % 700}", expires=DAYS) for n in range(start, start + 500)])
    async with rig.delivering():
        await rig.clock.sleep(3600)
        tracemalloc.start()
        await rig.clock.sleep(3600)
        before, _ = tracemalloc.get_traced_memory()
        await rig.clock.sleep(DAYS - 7200)
        rig.clock.slept.clear()
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert rig.news == [True]
        rig.agency.down = False
        await rig.comes(lambda: _empty(rig))
    assert after - before < 200_000
    assert rig.news == [True, False]
    assert await rig.depth(State.EXPIRED) == 0
    arrived = rig.agency.numbers()
    assert sorted(arrived) == list(range(many))
    for key in range(700):
        assert [n for n in arrived if n % 700 == key] == list(range(key, many, 700))


async def test_a_poison_among_1_000_is_buried_alone_and_delivered_once_mended(rig: Rig) -> None:
    def answer(message: Message) -> Reply | Exception:
        if message.body["n"] == 400 and not message.body.get("mended"):
            return Unavailable("HTTP 500: Notice: Undefined index", maybe_done=True)
        return Reply(body={"nomor": str(message.body["n"])})

    rig.agency.answers = answer
    rig.agency.seconds = 0.5
    messages = [receipt.id for receipt in await rig.ledger.put(*map(rig.entry, range(1000)))]
    poison = messages[400]
    async with rig.delivering():
        await rig.until(State.BURIED, poison, within=7200)
        others = [message for message in messages if message != poison]
        await rig.until(State.DELIVERED, *others)
        summary = (await rig.record(poison)).summary
        assert (summary.reason, summary.attempts) == ("poison", 10)
        assert "Undefined index" in summary.text
        assert rig.news == []
        assert await rig.ledger.edit(MessageId(poison), {"n": 400, "mended": True}, by="budi", sure=True)
        await rig.until(State.DELIVERED, poison)
    assert sorted(set(rig.agency.numbers())) == list(range(1000))
    assert len(rig.agency.arrived) == 999 + 10 + 1
    assert [deed.act for deed in (await rig.record(poison)).deeds] == ["edit"]


async def _empty(rig: Rig) -> bool:
    (stats,) = [stats for stats in await rig.ledger.stats() if stats.lane == LANE]
    return not stats.depth.get(State.PENDING) and not stats.depth.get(State.DELIVERING)
