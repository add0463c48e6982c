"""Files of acknowledgements taken in, whatever comes between: a word counts once, and none is lost."""

from dataclasses import replace
from functools import partial

import pytest

from gateway.acks import read_ack
from gateway.errors import LedgerUnavailable
from gateway.feeds import Keeping
from gateway.handover import AckColumns, HandedOver
from gateway.message import Message, MessageId, OperationId, Outcome, Reply, new_message_id
from gateway.records import Entry, Settlement, State
from tests.drops import OpenSite, Site

FILE = OperationId("puskesmas/kirim-jadwal")
COLUMNS = AckColumns(id="nik_anak", status="jenis", message=None, delivered=("OK",), refused=("GAGAL",), seconds=3600.0)
OVER = HandedOver(reply=Reply(body={"berkas": "jadwal_1.csv"}, outcome=Outcome.OK), seconds=3600.0)


class CutOff(Exception):
    """The process ends here."""


def acknowledging(site: Site) -> Site:
    plan = replace(site.plan, read=partial(read_ack, COLUMNS), max_reject=1.0, acknowledges=frozenset({FILE}))
    site.intake.feeds = {"imunisasi": plan}
    return site


async def handed_over(site: Site, count: int) -> list[MessageId]:
    """Put messages and hand them over."""
    ids = await waiting(site, count)
    claims = await site.ledger.claim("puskesmas", count, lease=60.0)
    await site.ledger.settle(*(Settlement(ticket=claim.ticket, verdict=OVER) for claim in claims))
    return ids


async def waiting(site: Site, count: int) -> list[MessageId]:
    messages = [
        Message(
            id=new_message_id(),
            operation=FILE,
            body={"nik": "1"},
            client="uji",
            correlation_id="c",
            traceparent="",
            accepted_at=site.clock.now(),
            deadline=0.0,
        )
        for _ in range(count)
    ]
    await site.ledger.put(*(Entry(message=one, lane="puskesmas", repeat="never") for one in messages))
    return [one.id for one in messages]


async def states(site: Site, ids: list[MessageId]) -> list[State]:
    records = [await site.ledger.get(one) for one in ids]
    return [record.summary.state for record in records if record is not None]


def words(*said: tuple[str, str]) -> str:
    return "nik_anak;jenis\n" + "".join(f"{request};{status}\n" for request, status in said)


def counts(site: Site) -> tuple[int, dict[str, int]]:
    tally = site.news[-1].receipt.tally
    return tally.accepted, dict(tally.rules)


@pytest.mark.parametrize("before", [True, False])
async def test_a_process_that_ends_between_settling_and_the_receipt_rejects_nothing_that_it_settled(
    open_site: OpenSite, before: bool
) -> None:
    site = acknowledging(await open_site(keeping=Keeping(mode="acknowledge", mapping="a1")))
    one, other = await handed_over(site, 2)
    keep = site.ledger.add_rows

    async def add_rows(*arguments: object) -> None:
        if not before:
            await keep(*arguments)
        raise LedgerUnavailable("gone")

    site.ledger.add_rows = add_rows
    site.drop("imunisasi_1.csv", words((one, "OK"), (other, "GAGAL"), (one, "GAGAL"), ("?", "OK")))
    await site.look()
    assert site.told() == []
    assert await states(site, [one, other]) == [State.DELIVERED, State.REFUSED]
    later = acknowledging(await site.again())
    await later.look()
    assert later.told() == [("imunisasi_1.csv", "accepted")]
    assert counts(later) == (2, {"request-contradicts": 1, "request-unknown": 1})
    assert [row[1] for row in later.handed_back("imunisasi_1.csv.rejected.csv")[1:]] == [
        "berlawanan dengan jawaban sebelumnya; yang pertama berlaku", "tidak ada permintaan dengan nomor ini",
    ]  # fmt: skip
    await later.close()


async def test_a_ledger_that_is_away_leaves_a_file_of_acknowledgements_for_later(open_site: OpenSite) -> None:
    site = acknowledging(await open_site(keeping=Keeping(mode="acknowledge", mapping="a1")))
    (one,) = await handed_over(site, 1)
    hear = site.ledger.acknowledge

    async def away(*_arguments: object, **_more: object) -> None:
        raise LedgerUnavailable("gone")

    site.ledger.acknowledge = away
    site.drop("imunisasi_1.csv", words((one, "OK")))
    await site.look()
    assert (site.told(), await states(site, [one])) == ([], [State.HANDED_OVER])
    site.ledger.acknowledge = hear
    later = acknowledging(await site.again())
    await later.look()
    assert (counts(later), await states(later, [one])) == ((1, {}), [State.DELIVERED])
    await later.close()


async def test_the_same_words_in_another_file_do_no_harm_and_other_words_are_handed_back(open_site: OpenSite) -> None:
    site = acknowledging(await open_site(keeping=Keeping(mode="acknowledge", mapping="a1")))
    ids = await handed_over(site, 2)
    for number, said in enumerate(("OK", "ok", "GAGAL"), 1):
        site.drop(f"imunisasi_{number}.csv", words(*((one, said) for one in ids)))
        await site.look()
    assert [news.receipt.tally.accepted for news in site.news] == [2, 2, 0]
    assert counts(site) == (0, {"request-contradicts": 2})
    assert await states(site, ids) == [State.DELIVERED] * 2


async def test_a_word_about_what_has_not_gone_out_is_handed_back_and_counts_when_it_comes_again(
    open_site: OpenSite,
) -> None:
    site = acknowledging(await open_site(keeping=Keeping(mode="acknowledge", mapping="a1")))
    (one,) = await waiting(site, 1)
    site.drop("imunisasi_1.csv", words((one, "OK")))
    await site.look()
    assert (counts(site), await states(site, [one])) == ((0, {"request-not-handed-over": 1}), [State.PENDING])
    # The agency has it while the gateway writes still, and speaks of it: whoever writes is shut out.
    (claim,) = await site.ledger.claim("puskesmas", 1, lease=60.0)
    handed = (site.folder / "rejected/imunisasi_1.csv.rejected.csv").read_bytes()
    site.drop("imunisasi_2.csv", handed)
    await site.look()
    assert (counts(site), await states(site, [one])) == ((1, {}), [State.DELIVERED])
    assert await site.ledger.settle(Settlement(ticket=claim.ticket, verdict=OVER)) == (False,)
    assert await states(site, [one]) == [State.DELIVERED]
