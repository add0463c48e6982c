"""What operators do to messages from the command line: every act and every refusal, by exit code and words."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.records import Buried, Expired, Filter, Refused, Settlement, State, Unknown
from tests.office import BODY, FEE, MENDED_FEE, mend, unreadable

ROOT = Path(__file__).parents[3]
POISON = Buried(reason="poison")


def state(office, message):
    return office.ledger(lambda books: books.state(message))


def count(office, *states):
    async def look(books):
        return len((await books.ledger.search(Filter(states=frozenset(states)), limit=1000)).rows)

    return office.ledger(look)


def deeds(office, message):
    async def look(books):
        return [(deed.act, deed.by) for deed in (await books.record(message)).deeds]

    return office.ledger(look)


def test_one_message_is_replayed_by_its_id(office):
    (message,) = office.ledger(lambda books: books.ended(POISON))
    result = office.gateway("messages", "replay", message, "--by", "sri")
    assert (result.exit_code, result.stdout) == (0, "replayed 1 of 1\n")
    assert deeds(office, message) == [("replay", "sri")]


def test_many_are_only_counted_and_sampled_until_it_is_said_again(office):
    messages = office.ledger(lambda books: books.ended(*[POISON] * 7))
    result = office.gateway("messages", "replay", "--agency", "dpmptsp")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split("\t")[0] for line in lines[:5]] == messages[:5]
    assert lines[5:] == ["... and 2 more"]
    assert "would replay 7; do it with --yes" in result.stderr
    assert count(office, State.BURIED) == 7
    done = office.gateway("messages", "replay", "--agency", "dpmptsp", "--yes", "--rate", "1000/s")
    assert (done.exit_code, done.stdout) == (0, "replayed 7 of 7\n")
    assert count(office, State.PENDING) == 7


def test_a_dry_run_and_a_replay_as_json(office):
    office.ledger(lambda books: books.ended(POISON, Expired(), unreadable()))
    told = office.json("messages", "replay", "--agency", "dpmptsp")
    assert (told["dry_run"], told["would_replay"], told["of_them_unknown"], len(told["sample"])) == (True, 2, 0, 2)
    done = office.json("messages", "replay", "--agency", "dpmptsp", "--yes")
    assert done == {"replayed": 2, "skipped": 0, "total": 2, "stopped": False}


def test_what_a_filter_does_not_find_is_no_failure(office):
    result = office.gateway("messages", "replay", "--agency", "dpmptsp", "--yes")
    assert (result.exit_code, result.stdout) == (0, "replayed 0 of 0\n")


def test_unknown_ones_need_the_option_and_the_phrase(office):
    (message,) = office.ledger(lambda books: books.ended(unreadable()))
    without = office.gateway("messages", "replay", message)
    assert (without.exit_code, state(office, message)) == (1, State.UNKNOWN)
    assert "it is unknown" in without.stderr
    for typed in ("yes\n", "\n", ""):
        wrong = office.gateway("messages", "replay", message, "--unknown", typed=typed)
        assert (wrong.exit_code, state(office, message)) == (1, State.UNKNOWN)
    right = office.gateway("messages", "replay", message, "--unknown", typed="send 1 again\n")
    assert (right.exit_code, state(office, message)) == (0, State.PENDING)
    assert "1 of these may have been done already" in right.stderr


def test_yes_does_not_stand_for_the_phrase(office):
    office.ledger(lambda books: books.ended(unreadable(), POISON))
    arguments = ("messages", "replay", "--agency", "dpmptsp", "--unknown")
    dry = office.gateway(*arguments)
    assert "would replay 2, 1 of them unknown" in dry.stderr
    assert office.gateway(*arguments, "--yes", typed="yes\n").exit_code == 1
    assert count(office, State.PENDING) == 0
    assert office.gateway(*arguments, "--yes", typed="send 1 again\n").exit_code == 0
    assert count(office, State.PENDING) == 2


@pytest.mark.parametrize(
    "arguments", [(), ("some-id", "--agency", "dpmptsp"), ("some-id", "--rate", "fast"), ("--rate", "1/s")]
)
def test_a_replay_of_nothing_or_of_two_kinds_is_usage(office, arguments):
    assert office.gateway("messages", "replay", *arguments).exit_code == 2


def test_states_that_are_not_replayed_are_refused(office):
    result = office.gateway("messages", "replay", "--state", "delivered", "--yes")
    assert result.exit_code == 1
    assert "/state must be one of: buried, expired, refused" in result.stderr


def test_ctrl_c_in_the_middle_of_300_stops_cleanly_and_says_how_many(office):
    office.ledger(lambda books: books.ended(*[Expired()] * 300))
    command = [sys.executable, "-m", "gateway", "messages", "replay", "--agency", "dpmptsp", "--yes", "--rate", "100/s"]
    child = subprocess.Popen(
        [*command, "--config", str(office.folder / "gateway.toml")],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None
    assert re.fullmatch(r"replayed: \d+ of 300\n", child.stderr.readline())
    child.send_signal(signal.SIGINT)
    said, more = child.communicate(timeout=30)
    found = re.fullmatch(r"replayed (\d+) of 300; stopped, (\d+) left as they were\n", said)
    assert found is not None, said
    assert (child.returncode, "Traceback" in more) == (1, False)
    done, left = map(int, found.groups())
    assert (done + left, count(office, State.PENDING), count(office, State.EXPIRED)) == (300, done, left)
    rest = office.gateway("messages", "replay", "--agency", "dpmptsp", "--yes")
    assert rest.stdout == f"replayed {left} of {left}\n"


def test_a_person_resolves_what_is_unknown(office):
    done, refused = office.ledger(lambda books: books.ended(unreadable(), unreadable()))
    assert office.gateway("messages", "resolve", done, "--delivered").stdout == f"{done} is delivered\n"
    said = office.gateway("messages", "resolve", refused, "--refused", "--text", "berkas kurang", "--by", "sri")
    assert said.stdout == f"{refused} is refused\n"
    assert deeds(office, refused) == [("resolve", "sri")]
    again = office.gateway("messages", "resolve", done, "--refused")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "it is delivered: only what is unknown or handed over is resolved" in again.stderr


@pytest.mark.parametrize("options", [(), ("--delivered", "--text", "x")])
def test_a_resolution_must_say_what(office, options):
    (message,) = office.ledger(lambda books: books.ended(unreadable()))
    assert office.gateway("messages", "resolve", message, *options).exit_code == 2
    assert state(office, message) is State.UNKNOWN


def test_a_message_is_given_up(office):
    message = office.ledger(lambda books: books.put())
    assert office.gateway("messages", "cancel", message).stdout == f"{message} is cancelled\n"
    assert office.gateway("messages", "cancel", message).exit_code == 1


def test_every_act_tells_scripts_what_became_of_it(office):
    done, odd, waits = office.ledger(lambda books: books.ended(unreadable(), unreadable(), POISON))
    assert office.json("messages", "resolve", done, "--delivered") == {"id": done, "state": "delivered"}
    changed = json.dumps({**BODY, "jenis": "SIUP"})
    edited = office.json("messages", "edit", waits, "--body", "-", typed=changed)
    assert edited == {"id": waits, "state": "pending"}
    assert office.json("messages", "cancel", waits) == {"id": waits, "state": "cancelled"}
    still = office.gateway("messages", "reread", odd, "--json")
    told = json.loads(still.stdout)
    assert (still.exit_code, told["id"], told["state"], told["errors"][0]["rule"]) == (1, odd, "unknown", "number")
    mend(office.folder, {FEE: MENDED_FEE})
    assert office.json("messages", "reread", odd) == {"id": odd, "state": "delivered", "why": None, "errors": []}


def test_a_kept_answer_is_reread_with_the_mended_mapping(office):
    (message,) = office.ledger(lambda books: books.ended(unreadable()))
    still = office.gateway("messages", "reread", message)
    assert (still.exit_code, still.stdout.splitlines()[0]) == (
        1,
        f"{message} is unknown: the answer does not fit the mapping",
    )
    assert re.search(r"mappings/dpmptsp\.toml:\d+: /biaya is not a valid number", still.stdout)
    mend(office.folder, {FEE: MENDED_FEE})
    result = office.gateway("messages", "reread", message)
    assert (result.exit_code, result.stdout) == (0, f"{message} is delivered\n")


def test_a_buried_message_is_corrected_from_a_file_and_sent(office):
    (message,) = office.ledger(lambda books: books.ended(POISON))
    corrected = json.dumps({**BODY, "jenis": "SIUP"})
    result = office.gateway("messages", "edit", message, "--body", "-", "--by", "sri", typed=corrected)
    assert (result.exit_code, result.stdout) == (0, f"{message} is pending, with its new body\n")
    told = office.json("messages", "show", message)
    assert [deed.get("changed") for deed in told["timeline"][1:]] == [
        {"/jenis": ["*** (3 characters)", "*** (4 characters)"]},
    ]
    assert deeds(office, message) == [("edit", "sri")]


def test_a_buried_message_is_corrected_in_an_editor_and_the_look_is_recorded(office):
    (message,) = office.ledger(lambda books: books.ended(POISON))
    result = office.gateway("messages", "edit", message, "--by", "sri", EDITOR="sed -i s/IMB/SIUP/", VISUAL="")
    assert result.exit_code == 0
    assert deeds(office, message) == [("unmask", "sri"), ("edit", "sri")]
    assert office.ledger(lambda books: books.record(message)).body == {**BODY, "jenis": "SIUP"}


def test_what_may_have_been_done_is_edited_only_when_the_sentence_is_typed(office):
    async def buried_again(books):
        (message,) = await books.ended(Unknown(), repeat="never")
        await books.ledger.replay([message], by="sri", unknown=True)
        (claim,) = await books.ledger.claim("dpmptsp", 1, lease=60.0)
        await books.ledger.settle(Settlement(ticket=claim.ticket, verdict=POISON))
        return message

    message = office.ledger(buried_again)
    (office.folder / "body.json").write_text(json.dumps({**BODY, "jenis": "SIUP"}), "utf-8")
    command = ("messages", "edit", message, "--body", "body.json")
    assert office.gateway(*command, typed="yes\n").exit_code == 1
    assert state(office, message) is State.BURIED
    assert office.gateway(*command, typed="send 1 again\n").exit_code == 0
    assert state(office, message) is State.PENDING


def test_an_editor_that_changes_nothing_sends_nothing(office):
    (message,) = office.ledger(lambda books: books.ended(POISON))
    result = office.gateway("messages", "edit", message, "--by", "sri", EDITOR="true", VISUAL="")
    assert (result.exit_code, state(office, message)) == (1, State.BURIED)
    assert deeds(office, message) == [("unmask", "sri")]


@pytest.mark.parametrize(
    ("body", "words"),
    [("{", "not JSON"), ("[]", "must be a JSON object"), ('{"jenis": 7}', "/jenis must be"), ("{}", "is required")],
)
def test_a_body_that_does_not_fit_is_not_taken(office, body, words):
    (message,) = office.ledger(lambda books: books.ended(POISON))
    result = office.gateway("messages", "edit", message, "--body", "-", typed=body)
    assert (result.exit_code, state(office, message)) == (1, State.BURIED)
    assert words in result.stderr
    assert deeds(office, message) == []


def test_an_editors_mistake_is_told_and_nothing_sent(office):
    (message,) = office.ledger(lambda books: books.ended(POISON))
    result = office.gateway("messages", "edit", message, EDITOR="sed -i s/jenis/jeniss/", VISUAL="")
    assert (result.exit_code, state(office, message)) == (1, State.BURIED)
    assert "/jeniss is not a known field" in result.stderr


def test_only_a_buried_message_is_edited(office):
    (message,) = office.ledger(lambda books: books.ended(Refused()))
    result = office.gateway("messages", "edit", message, EDITOR="false", VISUAL="")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "only a buried message is edited" in result.stderr


@pytest.mark.parametrize("act", ["show", "replay", "cancel", "reread", "edit"])
def test_every_act_on_nobodys_message_is_told_so(office, act):
    more = ("--body", "-") if act == "edit" else ()
    result = office.gateway("messages", act, "tidak-ada", *more, typed="{}")
    assert (result.exit_code, result.stderr) == (1, "the ledger has no message of this id\n")


def test_a_person_says_that_people_have_their_answer(office):
    async def late(books):
        (message,) = await books.ended(Expired(), answer_by=books.clock.now())
        return message

    message = office.ledger(late)
    assert office.json("messages", "list", "--overdue")["messages"]
    result = office.gateway("messages", "answered", message, "--by", "sri")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{message} is answered, at ")
    assert office.json("messages", "list", "--overdue")["messages"] == []
    assert "answered     20" in office.gateway("messages", "show", message).stdout
    assert deeds(office, message) == [("answered", "sri")]
    again = office.gateway("messages", "answered", message)
    assert again.exit_code == 1
    assert re.fullmatch(r"people had their answer already, at 20\S+ \S+\n", again.stderr)


def test_without_a_date_there_is_nothing_to_answer(office):
    (message,) = office.ledger(lambda books: books.ended(Expired()))
    result = office.gateway("messages", "answered", message, "--json")
    assert result.stdout == ""
    assert (result.exit_code, "no answer of it is due" in result.stderr) == (1, True)
