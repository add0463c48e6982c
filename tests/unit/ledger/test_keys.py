"""Sealing, keyed hashes, and where the master key comes from."""

import base64
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.ledger.keys import Keys, KeySource, Unreadable, sealed_with
from gateway.message import MessageId

MASTER = bytes(range(32))
ONE, TWO = MessageId("0190-one"), MessageId("0190-two")


def test_what_was_sealed_opens_again() -> None:
    keys = Keys(MASTER)
    assert keys.unseal(ONE, "body", keys.seal(ONE, "body", b"isi")) == b"isi"


def test_nothing_of_it_is_readable_and_no_two_seals_are_alike() -> None:
    keys = Keys(MASTER)
    sealed = keys.seal(ONE, "body", b"1405029001180001")
    assert b"1405029001180001" not in sealed
    assert sealed != keys.seal(ONE, "body", b"1405029001180001")


@pytest.mark.parametrize(("message", "field"), [(TWO, "body"), (ONE, "answer")])
def test_a_seal_opens_only_as_that_field_of_that_message(message: MessageId, field: str) -> None:
    keys = Keys(MASTER)
    with pytest.raises(Unreadable):
        keys.unseal(message, field, keys.seal(ONE, "body", b"isi"))


@pytest.mark.parametrize("spoil", [lambda sealed: sealed[:-1] + b"?", lambda sealed: sealed[:5], lambda _: b""])
def test_what_was_changed_or_cut_off_does_not_open(spoil: Callable[[bytes], bytes]) -> None:
    keys = Keys(MASTER)
    with pytest.raises(Unreadable):
        keys.unseal(ONE, "body", spoil(keys.seal(ONE, "body", b"isi")))


def test_another_master_key_opens_nothing_and_hashes_otherwise() -> None:
    sealed = Keys(MASTER).seal(ONE, "body", b"isi")
    other = Keys(bytes(32))
    with pytest.raises(Unreadable):
        other.unseal(ONE, "body", sealed)
    assert other.hashed("subject", "a") != Keys(MASTER).hashed("subject", "a")
    assert other.check != Keys(MASTER).check


def test_a_later_encryption_key_still_opens_what_an_earlier_one_sealed() -> None:
    earlier, later = Keys(MASTER), Keys(MASTER, current=2)
    sealed = earlier.seal(ONE, "body", b"isi")
    assert later.unseal(ONE, "body", sealed) == b"isi"
    assert (sealed_with(sealed), sealed_with(later.seal(ONE, "body", b"isi"))) == (1, 2)


def test_rule_11_19_a_rotation_changes_no_hash() -> None:
    assert Keys(MASTER).hashed("subject", "a") == Keys(MASTER, current=2).hashed("subject", "a")
    assert Keys(MASTER).check == Keys(MASTER, current=2).check


def test_kinds_and_parts_of_hashes_never_run_into_each_other() -> None:
    keys = Keys(MASTER)
    hashes = [
        keys.hashed("subject", "ab"),
        keys.hashed("order", "ab"),
        keys.hashed("order", "a", "b"),
        keys.hashed("order", "", "ab"),
        keys.hashed("ordera", "b"),
    ]
    assert len(set(hashes)) == len(hashes)


def test_rule_11_19_a_new_ledger_gets_a_key_that_only_its_owner_may_read(tmp_path: Path) -> None:
    path = tmp_path / "var" / "ledger.key"
    made = KeySource(path=path).load(None)
    assert path.stat().st_mode & 0o777 == 0o600
    assert KeySource(path=path).load(made.check).check == made.check
    assert [file.name for file in path.parent.iterdir()] == ["ledger.key"]


def test_processes_that_start_at_once_make_one_key(tmp_path: Path) -> None:
    checks: list[str] = []
    start = threading.Barrier(8)

    def begin() -> None:
        start.wait()
        checks.append(KeySource(path=tmp_path / "ledger.key").load(None).check)

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(checks) == 8
    assert len(set(checks)) == 1


@pytest.mark.parametrize("text", [MASTER.hex(), MASTER.hex() + "\n", base64.b64encode(MASTER).decode()])
def test_rule_11_19_the_environments_key_may_be_hex_or_base64(tmp_path: Path, text: str) -> None:
    assert KeySource(value=text, path=tmp_path / "none").load(Keys(MASTER).check).check == Keys(MASTER).check
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("text", ["", "rahasia", MASTER.hex()[:-2], base64.b64encode(MASTER[:-1]).decode()])
def test_a_key_of_another_form_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigError, match="wrong form") as caught:
        KeySource(value=text).load(None)
    assert not text or text not in str(caught.value)


def test_rule_11_19_a_missing_key_of_an_old_ledger_is_not_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"
    with pytest.raises(ConfigError, match="put the key file back"):
        KeySource(path=path).load("0" * 64)
    assert not path.exists()


def test_rule_11_19_a_wrong_key_is_refused_saying_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"
    KeySource(path=path).load(None)
    with pytest.raises(ConfigError, match=r"not the key of this ledger.*--lost-key"):
        KeySource(path=path).load(Keys(MASTER).check)


def test_a_lost_key_can_be_given_up(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"
    keys = KeySource(path=path, lost=True).load(Keys(MASTER).check)
    assert keys.check != Keys(MASTER).check
    assert path.exists()


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"
    KeySource(path=path).load(None)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        KeySource(path=path).load(None)
