"""`gateway lane` and `gateway ledger`: queues and keys."""

import json
import re
import sqlite3

import pytest

from gateway.errors import ConfigError
from gateway.records import Buried, Postponed
from tests.office import Books, unreadable


def test_lanes_are_listed_with_what_waits_and_why(office):
    async def some(books: Books):
        await books.ended(Buried(reason="poison"), unreadable())
        await books.put(order_key="a")
        await books.put(order_key="a")
        await books.ledger.pause("dinkes", "hours", by="gateway")

    office.ledger(some)
    dinkes, dpmptsp = office.json("lane", "list")
    assert (dinkes["agency"], [pause["reason"] for pause in dinkes["pauses"]]) == ("dinkes", ["hours"])
    assert (dpmptsp["depth"], dpmptsp["held"]) == ({"pending": 2, "buried": 1, "unknown": 1}, 1)
    plain = office.gateway("lane", "list").stdout.splitlines()
    assert plain[0] == "dinkes\t0\t0\t0\t0\t0\t-\thours\tservice hours"
    assert re.fullmatch(r"dpmptsp\t2\t1\t1\t1\t0\t\d\d \w+ \d\d:\d\d\t-\tits turn", plain[1])
    assert (dinkes["waits_for"]["reason"], dpmptsp["waits_for"]["text"]) == ("hours", "its turn")
    table = office.gateway("lane", "list", FORCE_COLOR="1", COLUMNS="80", NO_COLOR="1", TERM="dumb").stdout
    assert max(map(len, table.splitlines())) <= 80


def test_a_lane_says_what_its_oldest_message_failed_of_at_its_last_try(office):
    office.ledger(lambda books: books.ended(Postponed(seconds=0.0, text="connection refused")))
    assert office.json("lane", "list")[1]["waits_for"] == {
        "reason": "queue",
        "text": "its turn; its last try failed: connection refused",
    }
    office.gateway("lane", "pause", "dpmptsp", "--by", "sri")
    assert "\toperator's pause by sri, since " in office.gateway("lane", "list").stdout


def test_a_lane_is_paused_until_a_time_and_resumed(office):
    assert office.gateway("lane", "pause", "dpmptsp", "--until", "2h", "--by", "sri").exit_code == 0
    (pause,) = office.json("lane", "list")[1]["pauses"]
    assert (pause["reason"], pause["by"], pause["until"] is None) == ("operator", "sri", False)
    assert office.gateway("lane", "resume", "dpmptsp").stdout == "dpmptsp is resumed\n"
    again = office.gateway("lane", "resume", "dpmptsp")
    assert (again.exit_code, again.stdout) == (1, "dpmptsp was not paused (operator)\n")


def test_pausing_and_resuming_tell_scripts_what_became_of_it(office):
    told = office.json("lane", "pause", "dpmptsp", "--until", "2h")
    assert (told.pop("until").count(":") >= 2, told) == (True, {"agency": "dpmptsp", "paused": True})
    forever = office.json("lane", "pause", "dpmptsp", "--reason", "maintenance", "--by", "budi")
    assert forever["until"] is None
    told = office.json("lane", "resume", "dpmptsp")
    assert (told["resumed"], [pause["by"] for pause in told["still_closed"]]) == (True, ["budi"])
    again = office.gateway("lane", "resume", "dpmptsp", "--json")
    assert (again.exit_code, json.loads(again.stdout)["resumed"]) == (1, False)


def test_resuming_says_what_still_keeps_it_closed(office):
    office.gateway("lane", "pause", "dpmptsp", "--reason", "maintenance", "--by", "budi")
    office.gateway("lane", "pause", "dpmptsp")
    result = office.gateway("lane", "resume", "dpmptsp")
    assert result.stdout == "dpmptsp is resumed; still closed: maintenance by budi\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("pause", "dpmtsp"), 1),
        (("resume", "dpmtsp"), 1),
        (("pause", "dpmptsp", "--until", "2020-01-01"), 1),
        (("pause", "dpmptsp", "--until", "later"), 2),
        (("pause", "dpmptsp", "--reason", "hours"), 2),
    ],
)
def test_a_pause_that_can_not_be_is_refused(office, arguments, code):
    result = office.gateway("lane", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert office.json("lane", "list")[1]["pauses"] == []


def test_a_new_key_seals_everything_again_and_all_of_it_stays_readable(office):
    ids = office.ledger(lambda books: books.one_of_each())
    result = office.gateway("ledger", "rotate-key")
    assert (result.exit_code, result.stdout) == (0, f"sealed {len(ids)} messages again\n")
    with sqlite3.connect(office.folder / "var/ledger.db") as db:
        assert db.execute("SELECT DISTINCT key_number FROM message").fetchall() == [(2,)]
    db.close()
    assert all(office.json("messages", "show", message)["readable"] for message in ids.values())
    assert office.gateway("ledger", "rotate-key", "--continue").stdout == "sealed 0 messages again\n"


def test_another_key_is_refused_by_every_command(office):
    message = office.ledger(lambda books: books.put())
    (office.folder / "var/ledger.key").write_text("11" * 32)
    with pytest.raises(ConfigError, match="this is not the key of this ledger"):
        office.gateway("messages", "show", message)
