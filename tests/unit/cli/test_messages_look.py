"""`gateway messages list` and `show`: found by everything there is to find by, shown masked."""

import json
import os
import pty
import re
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.errors import FieldError
from gateway.records import Buried, Expired, Postponed, Refused, State, Unknown
from tests.office import NAME, NIK

HOUR = 3600.0
ROOT = Path(__file__).parents[3]


def ids(told) -> list[str]:
    return [row["id"] for row in told["messages"]]


def test_a_list_tells_of_each_message_what_people_ask_first(office):
    each = office.ledger(lambda books: books.one_of_each())
    told = office.json("messages", "list")
    assert {row["id"]: row["state"] for row in told["messages"]} == {id_: state.value for state, id_ in each.items()}
    row = next(row for row in told["messages"] if row["state"] == "buried")
    assert (row["agency"], row["operation"], row["client"]) == ("dpmptsp", "dpmptsp/ajukan-izin", "klik-pelalawan")
    assert (row["reason"], row["text"], row["attempts"]) == ("poison", "gagal untuk 140502******9001", 1)
    assert set(row) == {
        *("id", "state", "agency", "operation", "client", "direct", "repeat", "attempts", "accepted_at"),
        *("next_try_at", "settled_at", "answer_by", "answered_at", "urgency", "reason", "text", "size"),
        *("receipt", "record"),
    }


def test_it_is_lines_where_there_is_no_terminal(office):
    office.ledger(lambda books: books.ended(Refused(text="Siti Rahmawati", why="code\t'05'\nlagi")))
    result = office.gateway("messages", "list")
    (line,) = result.stdout.splitlines()
    assert line.split("\t")[1:3] == ["refused", "dpmptsp/ajukan-izin"]
    assert line.split("\t")[-1] == "code '05' lagi"
    assert result.stderr.splitlines()[1:] == ["1 shown"]


def test_an_agencys_words_do_not_steer_the_terminal(office):
    (message,) = office.ledger(lambda books: books.ended(Refused(text="\x1b[2Jhilang", why="\x1b[2Jhilang")))
    for command in (("list",), ("show", message)):
        said = office.gateway("messages", *command).stdout
        assert "[2Jhilang" in said
        assert "\x1b" not in said


def test_it_is_a_table_of_80_columns_on_a_terminal(office):
    each = office.ledger(lambda books: books.one_of_each())
    result = office.gateway("messages", "list", FORCE_COLOR="1", COLUMNS="80", NO_COLOR="1", TERM="dumb")
    assert max(map(len, result.stdout.splitlines())) <= 80
    for message in each.values():
        assert message in result.stdout
    assert "poison" in result.stdout


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--state", "buried"), ["old"]),
        (("--state", "buried", "--state", "pending"), ["new", "other", "old"]),
        (("--agency", "dinkes"), ["other"]),
        (("--operation", "dinkes/ajukan-izin"), ["other"]),
        (("--client", "tidak-ada"), []),
        (("--older-than", "1h"), ["old"]),
        (("--since", "1h"), ["new", "other"]),
        (("--until", "1h"), ["old"]),
        (("--since", "2020-01-01", "--until", "2020-01-02T10:00"), []),
        (("--subject", NIK), ["other", "old"]),
        (("--limit", "1"), ["new"]),
    ],
)
def test_messages_are_found_by(office, options, found):
    async def three(books):
        (old,) = await books.ended(Buried(reason="poison"), ago=2 * HOUR)
        other = await books.put(lane="dinkes", ago=60.0)
        return {"old": old, "other": other, "new": await books.put(subject=None)}

    names = office.ledger(three)
    assert ids(office.json("messages", "list", *options)) == [names[name] for name in found]


def test_a_subject_can_be_typed_unseen(office):
    mine = office.ledger(lambda books: books.put())
    office.ledger(lambda books: books.put(subject="1405020101909002"))
    result = office.gateway("messages", "list", "--subject", "-", typed=f"{NIK}\n")
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == [mine]
    assert result.stderr.splitlines()[1:] == ["1 shown"]
    assert office.gateway("messages", "list", "--subject", "-").exit_code == 2


def test_a_subject_is_typed_unseen_on_a_terminal_and_read_from_a_pipe_though_the_output_is_one(office):
    """In processes with a terminal of their own: reading a pipe must neither ask nor warn."""
    mine = office.ledger(lambda books: books.put())
    piped = f"printf '%s\\n' {NIK} | {sys.executable} -m gateway messages list --subject - -c gateway.toml --json"
    seen = on_a_terminal(office.folder, ["/bin/sh", "-c", piped])
    assert mine in seen
    assert "arning" not in seen
    assert "subject" not in seen
    asked = [sys.executable, "-m", "gateway", "messages", "list", "--subject", "-", "-c", "gateway.toml", "--json"]
    seen = on_a_terminal(office.folder, asked, typed=f"{NIK}\n")
    assert mine in seen
    assert NIK not in seen


def on_a_terminal(folder, command, typed=""):
    """Run a command on a terminal, type when it asks, and return all that is seen."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execve(command[0], command, {**os.environ, "PYTHONPATH": str(ROOT)})
    seen = b""
    with suppress(OSError):  # Linux tells of the end of a terminal so
        while chunk := os.read(terminal, 4096):
            seen += chunk
            if typed and b"subject" in seen:
                os.write(terminal, typed.encode())
                typed = ""
    os.waitpid(pid, 0)
    os.close(terminal)
    return seen.decode()


def test_what_people_must_have_an_answer_to_is_found_before_and_after(office):
    async def four(books):
        now = books.clock.now()
        late = await books.put(answer_by=now - timedelta(hours=2))
        near = await books.put(near_at=now - timedelta(days=2), answer_by=now + timedelta(days=2))
        far = await books.put(near_at=now + timedelta(days=2), answer_by=now + timedelta(days=3))
        await books.ended(Refused(), lane="dinkes", answer_by=now - timedelta(hours=2))
        return late, near, far

    late, near, far = office.ledger(four)
    told = office.json("messages", "list", "--due")
    assert ids(told) == [near, late]
    assert [row["urgency"] for row in told["messages"]] == ["near", "past"]
    assert ids(office.json("messages", "list", "--overdue")) == [late]
    assert ids(office.json("messages", "list", "--due", "1d")) == [late]
    assert ids(office.json("messages", "list", "--due", "5d")) == [far, near, late]
    assert ids(office.json("messages", "list", "--due", "--agency", "dinkes")) == []


def test_the_mark_of_a_date_is_on_its_row(office):
    async def two(books):
        now = books.clock.now()
        await books.put()
        return [
            await books.put(answer_by=now - timedelta(hours=2)),
            await books.put(near_at=now, answer_by=now + timedelta(days=1)),
        ]

    late, near = office.ledger(two)
    rows = {line.split("\t")[0]: line.split("\t")[5] for line in office.gateway("messages", "list").stdout.splitlines()}
    assert (rows.pop(late), rows.pop(near), *rows.values()) == ("past", "near", "")
    on_screen = office.gateway("messages", "list", FORCE_COLOR="1", COLUMNS="80", NO_COLOR="1", TERM="dumb").stdout
    assert max(map(len, on_screen.splitlines())) <= 80
    assert on_screen.count(" past") == on_screen.count(" near") == 1
    assert "(past)" in office.gateway("messages", "show", late).stdout
    assert "(near)" in office.gateway("messages", "show", near).stdout


def test_more_than_fits_is_said(office):
    office.ledger(lambda books: books.ended(*[Expired()] * 3))
    result = office.gateway("messages", "list", "--limit", "2")
    assert len(result.stdout.splitlines()) == 2
    assert result.stderr.splitlines()[1:] == ["2 shown; there are more: raise --limit"]


def test_an_agency_that_is_none_is_warned_of(office):
    result = office.gateway("messages", "list", "--agency", "dpmtsp")
    assert 'gateway.toml has no agency "dpmtsp"; it has: dinkes, dpmptsp' in result.stderr


@pytest.mark.parametrize(
    "options",
    [("--since", "kemarin"), ("--older-than", "2"), ("--due", "soon"), ("--state", "parked"), ("--limit", "0")],
)
def test_an_option_that_can_not_be_is_usage(office, options):
    result = office.gateway("messages", "list", *options)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_message_is_shown_with_its_shape_and_its_timeline(office):
    message = office.ledger(lambda books: books.one_of_each())[State.UNKNOWN]
    told = office.json("messages", "show", message)
    assert told["body"] == {
        "pemohon": {"nik": "140502******9001", "nama": "*** (14 characters)"},
        "jenis": "*** (3 characters)",
    }
    (attempt,) = told["timeline"]
    assert (attempt["what"], attempt["number"], attempt["outcome"]) == ("attempt", 1, "unavailable")
    assert (attempt["status"], attempt["error"]) == (503, "HTTP 503 untuk 140502******9001")
    assert told["native_answer"]["answer"]["document"]["retribusi"] == "*** (7 characters)"
    assert (told["readable"], told["shed"], told["answer"]) == (True, False, None)


def test_it_is_told_to_people_too(office):
    message = office.ledger(lambda books: books.one_of_each())[State.REFUSED]
    result = office.gateway("messages", "show", message)
    for words in (
        f"{message}  refused (refused)",
        "dpmptsp/ajukan-izin for klik-pelalawan, stored, repeat = never",
        "why          code '02'",
        '"text": "*** (51 characters)"',
        "attempt 1: unavailable  0.250 s  HTTP 503",
        "masked; --unmask shows it",
    ):
        assert words in result.stdout


def test_an_agencys_words_and_values_are_shown_only_behind_the_mask(office):
    error = FieldError(pointer="/nama", rule="max", params={"max": "5"}, where="m.toml:3", value=NAME)
    (message,) = office.ledger(lambda books: books.ended(Refused(text=f"{NAME} sudah ada", errors=(error,))))
    masked = office.json("messages", "show", message)["answer"]
    assert (masked["text"], "value" in masked["errors"][0]) == ("*** (24 characters)", False)
    assert masked["errors"][0]["where"] == "m.toml:3"
    assert [path for path in (office.folder / "var").iterdir() if NAME.encode() in path.read_bytes()] == []
    shown = office.json("messages", "show", message, "--unmask")["answer"]
    assert (shown["text"], shown["errors"][0]["value"]) == (f"{NAME} sudah ada", NAME)


def test_a_look_behind_the_mask_shows_all_and_is_recorded_with_who(office):
    message = office.ledger(lambda books: books.one_of_each())[State.UNKNOWN]
    told = office.json("messages", "show", message, "--unmask", "--by", "sri")
    assert (told["body"]["pemohon"]["nama"], told["body"]["pemohon"]["nik"]) == (NAME, NIK)
    deed = told["timeline"][-1]
    assert (deed["what"], deed["by"]) == ("unmask", "sri")
    again = office.json("messages", "show", message, "--unmask", LOGNAME="budi")
    assert again["timeline"][-1]["by"] == "budi"


def test_what_a_message_waits_for_is_shown(office):
    async def two(books):
        return [await books.put(order_key=NIK) for _ in range(2)]

    first, second = office.ledger(two)
    assert office.json("messages", "show", second)["held_by"] == first
    assert f"waits for    an older message of its order: {first}" in office.gateway("messages", "show", second).stdout
    assert office.json("messages", "show", second)["waits_for"]["reason"] == "order"


def test_in_a_paused_lane_a_message_waits_for_whoever_paused_it_and_not_for_its_next_try(office):
    (message,) = office.ledger(lambda books: books.ended(Postponed(seconds=0.0, text="connection refused")))
    before = office.gateway("messages", "show", message).stdout
    assert "waits for    its turn; its last try failed: connection refused" in before
    office.gateway("lane", "pause", "dpmptsp", "--by", "sri")
    said = office.gateway("messages", "show", message).stdout
    assert re.search(r"waits for    operator's pause by sri, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n", said)
    assert not re.search(r"(?m)^  (why|next try) ", said)
    assert office.json("messages", "show", message)["waits_for"]["reason"] == "operator"


def test_a_message_waits_for_service_hours_by_the_calendar_though_no_gateway_runs(office):
    config = office.folder / "gateway.toml"
    tomorrow = office.ledger(today) + timedelta(days=1)
    closed = f'closed = [{{ first = {tomorrow - timedelta(days=2)}, last = {tomorrow}, name = "Pindah" }}]'
    section = "[agency.dpmptsp]\n"
    config.write_text(config.read_text("utf-8").replace(section, f"{section}{closed}\n"), "utf-8")
    message = office.ledger(lambda books: books.put())
    assert (
        "waits for    closed (Pindah), waiting for service hours, "
        in office.gateway("messages", "show", message).stdout
    )
    assert office.json("lane", "list")[1]["waits_for"]["reason"] == "closed"


async def today(books):
    return books.clock.now().date()


def test_a_postponed_message_tells_when_it_is_tried_next(office):
    (message,) = office.ledger(lambda books: books.ended(Postponed(seconds=300.0)))
    assert office.json("messages", "show", message)["next_try_at"] is not None
    assert "next try" in office.gateway("messages", "show", message).stdout


def test_a_message_that_is_none(office):
    result = office.gateway("messages", "show", "tidak-ada")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no message of this id" in result.stderr


@pytest.mark.parametrize("by", ["", "  ", "sri\x1b[2J"])
def test_who_looks_must_be_a_name(office, by):
    message = office.ledger(lambda books: books.put())
    assert office.gateway("messages", "show", message, "--by", by).exit_code == 2


def test_an_answer_that_is_no_json_is_shown_unmasked_as_it_came(office):
    (message,) = office.ledger(lambda books: books.ended(Unknown(native=b"<html>")))
    assert office.json("messages", "show", message)["native_answer"]["answer"] == "*** (6 characters)"
    told = office.gateway("messages", "show", message, "--unmask", "--json")
    assert json.loads(told.stdout)["native_answer"]["answer"] == "<html>"
