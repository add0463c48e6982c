"""Feeds as they are watched: how old their data is, and whether their next file is late, the same for every replica."""

from dataclasses import replace

from prometheus_client import generate_latest

from gateway.feed_figures import FeedFigures
from gateway.feed_watch import FeedWatch
from gateway.hours import Calendar, Hours
from gateway.metrics import OTHER, Metrics
from gateway.punctual import due_of
from gateway.registry import Feed
from gateway.wording import RULES
from tests.drops import GOOD, OpenSite, Site
from tests.fakes import JAKARTA, MONDAY_MORNING

OFFICE = Calendar(zone=JAKARTA, weekly=Hours.parse("Mon-Fri 08:00-16:00"))
DUE = "gateway_feed_due_timestamp_seconds"
HOUR, DAY = 3600.0, 86400.0


def watch(site: Site, metrics: Metrics, every: str | None = "1 working day") -> FeedWatch:
    feed: Feed = replace(site.plan, due=due_of({} if every is None else {"every": every}, OFFICE))
    return FeedWatch(
        agency="puskesmas",
        feeds={"imunisasi": feed},
        receipts=site.ledger,
        arrivals=site.ledger,
        figures=FeedFigures(metrics, "puskesmas", ["imunisasi"]),
        clock=site.clock,
        log=site.log,
    )


def figure(metrics: Metrics, name: str, **more: str) -> float | None:
    labels = {"agency": "puskesmas", "feed": "imunisasi", **more}
    return metrics.registry.get_sample_value(name, labels)


async def due_in_hours(site: Site, metrics: Metrics) -> float:
    await watch(site, metrics).once()
    due = figure(metrics, DUE)
    assert due is not None
    return (due - MONDAY_MORNING.timestamp()) / HOUR


async def test_a_file_is_due_at_the_end_of_the_working_day_after_the_last_one_came(open_site: OpenSite) -> None:
    site, metrics = await open_site(), Metrics()
    tuesday, wednesday = 24 + 7, 48 + 7  # 16:00, in hours from Monday at 9
    assert await due_in_hours(site, metrics) == tuesday  # it counts from when the feed was first watched
    await site.clock.advance(DAY)
    assert await due_in_hours(site, metrics) == tuesday
    site.drop("imunisasi_1.csv")
    await site.look()
    assert await due_in_hours(site, metrics) == wednesday
    await site.clock.advance(DAY)
    site.drop("imunisasi_2.csv", "nik_anak;jenis\na;BCG\nb;BCG\nc;BCG\n")
    await site.look()
    assert site.told()[-1] == ("imunisasi_2.csv", "max-reject")
    assert await due_in_hours(site, metrics) == wednesday
    site.drop("imunisasi_3.csv")  # the live content again: nothing has changed, and that is news, too
    await site.look()
    assert site.told()[-1] == ("imunisasi_3.csv", "duplicate")
    assert await due_in_hours(site, metrics) == wednesday + 24


async def test_a_late_feed_is_told_once_and_every_replica_says_the_same(open_site: OpenSite) -> None:
    site, ours, theirs = await open_site(), Metrics(), Metrics()
    one = watch(site, ours)
    await one.once()
    assert site.lines == []
    other = await site.again()
    await site.clock.advance(2 * DAY)
    for _ in range(3):
        await one.once()
    await watch(other, theirs).once()
    assert figure(ours, DUE) == figure(theirs, DUE)
    assert [event for event, _ in site.lines] == ["feed-late"]
    assert [event for event, _ in other.lines] == ["feed-late"]
    what = "no file since 02 Mar 09:00; the next was due by 03 Mar 16:00"
    assert site.lines[0][1] == {"level": "warning", "agency": "puskesmas", "feed": "imunisasi", "what": what}
    await other.close()


async def test_where_nobody_said_how_often_files_come_none_is_due(open_site: OpenSite) -> None:
    site, metrics = await open_site(), Metrics()
    site.drop("imunisasi_1.csv")
    await site.look()
    await watch(site, metrics, every=None).once()
    assert figure(metrics, DUE) is None
    assert figure(metrics, "gateway_feed_rows") == 3.0
    assert figure(metrics, "gateway_feed_data_timestamp_seconds") == MONDAY_MORNING.timestamp()


async def test_a_feed_that_is_declared_no_more_is_late_no_more(open_site: OpenSite) -> None:
    site, metrics = await open_site(), Metrics()
    await watch(site, metrics).once()
    assert figure(metrics, DUE) is not None
    metrics.gauge(DUE, "rsud", "stok").set(1)
    watch(site, metrics).figures.forget()
    shown = generate_latest(metrics.registry).decode()
    assert [line for line in shown.splitlines() if line.startswith(f"{DUE}{{")] == [
        f'{DUE}{{agency="rsud",feed="stok"}} 1.0'
    ]


async def test_rows_are_counted_by_what_became_of_them_and_why(open_site: OpenSite) -> None:
    site, metrics = await open_site(keeping=None, max_reject=0.9), Metrics()
    figures = FeedFigures(metrics, "puskesmas", ["imunisasi"])
    assert figure(metrics, "gateway_file_rejects_total", rule="required") == 0.0
    site.drop("imunisasi_1.csv", GOOD + GOOD.partition("\n")[2] + "1405029001180009;\n1,4E+15;BCG\n")
    await site.look()
    (news,) = site.news
    figures.ended(news.receipt)
    figures.ended(replace(news.receipt, tally=replace(news.receipt.tally, rules={"made-up-by-a-stranger": 3})))
    for outcome, rows in (("accepted", 6.0), ("unchanged", 6.0), ("rejected", 4.0)):
        assert figure(metrics, "gateway_file_rows_total", outcome=outcome) == rows
    for rule, times in (("required", 1.0), ("rounded-number", 1.0), (OTHER, 3.0), ("made-up-by-a-stranger", None)):
        assert figure(metrics, "gateway_file_rejects_total", rule=rule) == times
    assert figure(metrics, "gateway_file_duration_seconds_count") == 2.0


async def test_a_feed_has_so_many_series_whatever_strangers_write_into_its_files(open_site: OpenSite) -> None:
    site, metrics = await open_site(), Metrics()
    site.drop("imunisasi_1.csv")
    await site.look()
    await watch(site, metrics).once()
    (news,) = site.news
    strange = dict.fromkeys([*RULES, *(f"x{number}" for number in range(1_000))], 1)
    figures = FeedFigures(metrics, "puskesmas", ["imunisasi"])
    figures.ended(replace(news.receipt, tally=replace(news.receipt.tally, rules=strange)))
    figures.waiting("imunisasi", 1)
    shown = [line for line in generate_latest(metrics.registry).decode().splitlines() if 'feed="imunisasi"' in line]
    usual = [line for line in shown if "rejects_total" not in line]
    assert len(usual) <= 25
    assert len(shown) - len(usual) == len(RULES) + 1


async def test_files_that_wait_and_files_that_stay_are_shown(open_site: OpenSite) -> None:
    site = await open_site()
    waiting: list[int] = []
    left: list[str] = []
    site.intake.waiting = lambda _feed, files: waiting.append(files)
    site.intake.left = left.append
    site.drop("imunisasi_1.csv")
    site.drop("imunisasi_2.csv", "nik_anak;jenis\n1;BCG\n2;BCG\n3;BCG\n")
    await site.look(times=2)
    assert (waiting, left) == ([2, 0], [])
