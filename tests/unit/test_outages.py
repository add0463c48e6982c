"""When an outage is told to be over though nobody found out."""

from gateway.records import Buried, Settlement
from tests.delivery import LANE, Rig


async def test_rule_11_13_an_outage_is_over_for_nobody_can_find_out_and_what_is_sent_next_tells_of_it_anew(
    rig: Rig,
) -> None:
    rig.having(probe=None)
    await rig.ledger.put(rig.entry(0, key="a"))
    (claim,) = await rig.ledger.claim(LANE, 1, lease=60)
    await rig.ledger.settle(Settlement(ticket=claim.ticket, verdict=Buried(reason="poison")))
    await rig.ledger.put(*[rig.entry(number, key="a") for number in (1, 2)])
    (asked,) = await rig.ledger.put(rig.entry(3, key="b"))
    rig.agency.down = True
    async with rig.delivering():
        await rig.clock.sleep(60)
        assert rig.news == [True]
        assert await rig.ledger.cancel(asked.id, by="budi")
        await rig.clock.sleep(600)
        assert rig.news == [True, False]
        await rig.ledger.cancel(claim.ticket.id, by="budi")
        await rig.clock.sleep(60)
    assert rig.news == [True, False, True]
