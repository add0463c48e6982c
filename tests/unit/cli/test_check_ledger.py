"""`gateway check` and the ledger: what messages wait for must not be taken away (design, 11.22)."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.records import State
from tests.office import books
from tests.postgres import Cluster
from tests.unit.cli.conftest import Office

DECLARED = "[agency.dpmptsp.operation.ajukan-izin]"


def changed(folder: Path, old: str, new: str) -> None:
    path = folder / "gateway.toml"
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


def drop(folder: Path) -> None:
    """Take the operation away, its agency stays."""
    text = (folder / "gateway.toml").read_text("utf-8")
    start = text.index(DECLARED)
    changed(folder, text[start : text.index("[agency.dinkes]")], "")


def line_of(folder: Path, part: str) -> str:
    text = (folder / "gateway.toml").read_text("utf-8")
    return f"gateway.toml:{text[: text.index(part)].count(chr(10)) + 1}"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted((folder / "var").rglob("*"))}


def test_rule_11_22_check_refuses_to_drop_an_operation_with_unsettled_messages(office: Office) -> None:
    office.ledger(lambda books: books.one_of_each())
    assert office.gateway("check").exit_code == 0
    drop(office.folder)
    done = office.gateway("check")
    assert done.exit_code == 1
    assert f"{line_of(office.folder, '[agency.dpmptsp]')}: error: dpmptsp/ajukan-izin: there is no such" in done.stdout
    assert "3 messages (1 buried, 1 pending, 1 unknown)" in done.stdout
    assert "gateway messages list --operation dpmptsp/ajukan-izin" in done.stdout


def test_rule_11_22_what_is_settled_holds_no_operation_back(office: Office) -> None:
    each = office.ledger(lambda books: books.one_of_each())
    for state in (State.PENDING, State.BURIED):
        assert office.gateway("messages", "cancel", each[state]).exit_code == 0
    assert office.gateway("messages", "resolve", each[State.UNKNOWN], "--delivered").exit_code == 0
    drop(office.folder)
    assert office.gateway("check").exit_code == 0


def test_rule_11_22_check_refuses_to_make_a_read_of_an_operation_with_unsettled_messages(office: Office) -> None:
    office.ledger(lambda books: books.put())
    changed(office.folder, 'deliver  = "store-and-forward"\n', "safe     = true\n")
    done = office.gateway("check")
    where = line_of(office.folder, DECLARED)
    assert f"{where}: error: dpmptsp/ajukan-izin: it only reads now, and the ledger has 1 message (1 pending)" in (
        done.stdout
    )


def test_rule_11_22_messages_still_go_out_when_their_operation_is_not_stored_any_more(office: Office) -> None:
    office.ledger(lambda books: books.put())
    changed(office.folder, 'deliver  = "store-and-forward"\n', "")
    assert office.gateway("check").exit_code == 0


def test_rule_11_22_check_refuses_to_drop_an_agency_with_unsettled_messages(office: Office) -> None:
    office.ledger(lambda books: books.put(lane="dpupr"))
    done = office.gateway("check")
    assert f"{line_of(office.folder, 'ledger  =')}: error: dpupr/ajukan-izin: there is no such operation" in done.stdout


def test_a_section_that_does_not_hold_is_told_as_that_and_not_as_gone(office: Office) -> None:
    office.ledger(lambda books: books.put())
    changed(office.folder, 'call     = "POST /permohonan"', 'cal      = "POST /permohonan"')
    done = office.gateway("check")
    assert "unknown key" in done.stdout
    assert "no such operation" not in done.stdout


def test_where_there_is_no_ledger_yet_check_makes_none(office: Office) -> None:
    assert office.gateway("check").exit_code == 0
    assert not (office.folder / "var").exists()


def test_check_reads_a_ledger_that_somebody_works_with_and_leaves_nothing_behind(office: Office) -> None:
    async def while_open() -> None:
        async with books(office.folder) as made:
            await made.put()
            await asyncio.to_thread(drop, office.folder)
            before = files(office.folder).keys()
            done = await asyncio.to_thread(office.gateway, "check")
            assert "1 message (1 pending)" in done.stdout
            assert files(office.folder).keys() == before
            await made.put()

    asyncio.run(while_open())
    at_rest = files(office.folder)
    assert "2 messages (2 pending)" in office.gateway("check").stdout
    assert files(office.folder) == at_rest


def test_what_is_no_ledger_is_a_warning(office: Office) -> None:
    (office.folder / "var").mkdir()
    (office.folder / "var/ledger.db").write_text("nothing of the kind " * 100)
    done = office.gateway("check")
    assert f"{line_of(office.folder, 'ledger  =')}: warning: gateway.ledger: not looked into" in done.stdout
    assert done.exit_code == 0


def test_a_postgresql_that_is_not_there_is_a_warning_without_its_address(postgres: Cluster, office: Office) -> None:
    url = f"postgresql://gateway:rahasia@/ledger?host={postgres.socket.parent}-nowhere"
    changed(office.folder, '"sqlite:var/ledger.db"', f'"{url}"')
    done = office.gateway("check")
    assert "warning: gateway.ledger: not looked into, so an operation may be gone" in done.stdout
    assert "rahasia" not in done.stdout
    assert done.exit_code == 0


def test_rule_11_22_check_looks_into_postgresql_and_makes_no_tables(postgres: Cluster, office: Office) -> None:
    changed(office.folder, '"sqlite:var/ledger.db"', f'"{postgres.database()}"')
    for _ in range(2):
        assert office.gateway("check").stdout.splitlines()[-1] == "nothing to change"
    office.ledger(lambda books: books.put())
    drop(office.folder)
    assert "1 message (1 pending)" in office.gateway("check").stdout


def test_where_it_is_not_known_which_ledger_is_meant_none_is_looked_into(office: Office) -> None:
    office.ledger(lambda books: books.put())
    drop(office.folder)
    changed(office.folder, '"sqlite:var/ledger.db"', '"postgresql://gateway:${LEDGER_PASSWORD}@/ledger"')
    assert "gateway.ledger: the environment has no LEDGER_PASSWORD" in office.gateway("check").stdout
    changed(office.folder, '"postgresql://gateway:${LEDGER_PASSWORD}@/ledger"', '"var/ledger.db"')
    done = office.gateway("check")
    assert 'gateway.ledger: is not of the form "sqlite:path" or "postgresql://..."' in done.stdout
    assert "ajukan-izin" not in done.stdout.replace("[ajukan-izin...]", "")


def test_check_and_every_command_refuse_a_ledger_that_a_newer_gateway_changed(office: Office) -> None:
    office.ledger(lambda books: books.put())
    with closing(sqlite3.connect(office.folder / "var" / "ledger.db")) as db, db:
        db.execute("INSERT INTO migration VALUES (7, 'later')")
    done = office.gateway("check")
    assert (done.exit_code, "a newer gateway has changed this ledger (step 7)" in done.stdout) == (1, True)
    with pytest.raises(ConfigError, match="run the newer version"):
        office.gateway("lane", "list")
