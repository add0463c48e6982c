"""The file by which `gateway reload` finds a running gateway and hears how it went."""

import os
from pathlib import Path

from gateway.errors import Finding
from gateway.presence import Presence, find, look, place
from tests.fakes import FakeClock

LISTEN = "127.0.0.1:8080"


def test_a_running_gateway_is_seen_with_its_process_and_its_loads(tmp_path: Path) -> None:
    with Presence.open(tmp_path / "var", LISTEN, FakeClock()) as presence:
        first = look(tmp_path / "var", LISTEN)
        assert first is not None
        assert (first.pid, first.loads, first.refused) == (os.getpid(), 1, [])
        presence.tell([Finding(where="gateway.toml:3", what="is not TOML")])
        second = look(tmp_path / "var", LISTEN)
        assert second is not None
        assert (second.loads, second.refused) == (2, ["gateway.toml:3: is not TOML"])


def test_one_that_has_ended_is_not_seen(tmp_path: Path) -> None:
    with Presence.open(tmp_path, LISTEN, FakeClock()):
        pass
    assert look(tmp_path, LISTEN) is None


def test_what_a_killed_one_left_behind_is_not_taken_for_a_running_one(tmp_path: Path) -> None:
    place(tmp_path, LISTEN).write_text('{"pid":1,"loads":3,"at":"2026-03-02T09:00:00+07:00","refused":[]}')
    assert look(tmp_path, LISTEN) is None


def test_one_that_listens_elsewhere_is_not_this_one(tmp_path: Path) -> None:
    with Presence.open(tmp_path, LISTEN, FakeClock()):
        assert look(tmp_path, "127.0.0.1:8081") is None


def test_where_nothing_can_be_written_the_gateway_runs_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("not a folder")
    with Presence.open(tmp_path / "var", LISTEN, FakeClock()) as presence:
        presence.tell([])
    assert look(tmp_path / "var", LISTEN) is None


def test_it_is_found_by_its_configuration_when_the_file_names_another_address(tmp_path: Path) -> None:
    with Presence.open(tmp_path, LISTEN, FakeClock(), config="/etc/a.toml"):
        found = find(tmp_path, "127.0.0.1:8081", "/etc/a.toml")
        assert found is not None
        assert found.listen == LISTEN
        assert find(tmp_path, "127.0.0.1:8081", "/etc/b.toml") is None
        moved = find(tmp_path, LISTEN, "/srv/a.toml")
        assert moved is not None


def test_of_two_that_share_a_folder_each_is_found_by_its_own_configuration(tmp_path: Path) -> None:
    first = Presence.open(tmp_path, LISTEN, FakeClock(), config="/etc/a.toml")
    second = Presence.open(tmp_path, "127.0.0.1:8081", FakeClock(), config="/etc/b.toml")
    with first, second:
        found = find(tmp_path, "127.0.0.1:8081", "/etc/a.toml")
        assert found is not None
        assert found.listen == LISTEN
