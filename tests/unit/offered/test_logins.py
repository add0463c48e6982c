"""Who comes in, how guessing is slowed down, and what ends a connection."""

import asyncio

import asyncssh
import pytest

from gateway.offered.slow import MOST, Slow, origin
from tests.clerk import NAME, PASSWORD, Office, OpenOffice, until
from tests.fakes import FakeClock


async def test_a_password_and_a_key_log_in_and_are_told(office: Office) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    line = key.export_public_key().decode()
    office.server.offer({NAME: office.account("imunisasi", keys=(line,))})
    async with office.client() as sftp:
        assert await sftp.listdir() == []
    async with office.client(password=None, client_keys=[key]) as sftp:
        assert await sftp.listdir() == []
    assert [(told["account"], told["how"]) for told in office.told("sftp-login")] == [
        (NAME, "password"),
        (NAME, "key"),
    ]
    assert office.count("gateway_sftp_logins_total", outcome="accepted") == 2
    assert PASSWORD not in str(office.lines)


@pytest.mark.parametrize(
    ("name", "password"), [(NAME, "wrong"), (NAME, ""), ("nobody", PASSWORD), ("", ""), ("hunter2", "x")]
)
async def test_others_are_refused_and_told_without_what_they_typed(office: Office, name: str, password: str) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        await office.connection(name, password)
    assert office.count("gateway_sftp_logins_total", outcome="refused") >= 1
    told = office.told("sftp-refused")[0]
    assert told["account"] == (NAME if name == NAME else "(unknown)")
    assert told["address"] == "127.0.0.1"
    assert "hunter2" not in str(office.lines)


async def test_an_account_without_a_password_takes_none(office: Office) -> None:
    office.server.offer({NAME: office.account("imunisasi", password="")})
    for password in ("", "0" * 64, PASSWORD):
        with pytest.raises(asyncssh.PermissionDenied):
            await office.connection(password=password)
        await office.clock.advance(60)


async def test_keys_that_nobody_gave_are_refused(office: Office) -> None:
    strange = asyncssh.generate_private_key("ssh-ed25519")
    with pytest.raises(asyncssh.PermissionDenied):
        await office.connection(password=None, client_keys=[strange])
    await until(lambda: office.told("sftp-refused"))


async def test_guessing_gets_slower_and_more_connections_make_it_no_faster(office: Office) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        await office.connection(password="wrong")
    guesses = [asyncio.create_task(office.connection(password=f"wrong{number}")) for number in range(4)]
    await until(lambda: len(office.server.connections) == 4)
    await asyncio.sleep(0.3)
    refused = office.count("gateway_sftp_logins_total", outcome="refused")
    assert refused < 4  # those that wait are not looked at
    for _ in range(40):
        await office.clock.advance(10)
        await asyncio.sleep(0.005)
    for guess in guesses:
        with pytest.raises((asyncssh.PermissionDenied, asyncssh.ConnectionLost)):
            await guess


async def test_so_many_failures_end_a_connection(open_office: OpenOffice) -> None:
    office = await open_office(attempts=2)
    strange = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(3)]
    with pytest.raises(asyncssh.DisconnectError, match="terlalu banyak percobaan"):
        await office.connection(client_keys=strange)


async def test_more_connections_than_allowed_are_turned_away(open_office: OpenOffice) -> None:
    office = await open_office(connections=2)
    async with office.client(), office.client():
        with pytest.raises((asyncssh.ConnectionLost, ConnectionError)):
            await office.connection()
        assert office.count("gateway_sftp_logins_total", outcome="turned-away") == 1
    await until(lambda: not office.server.connections)
    async with office.client():
        """There is room again."""


async def test_whoever_does_not_log_in_makes_room_for_those_who_do(open_office: OpenOffice) -> None:
    office = await open_office(connections=2)
    silent = [await asyncio.open_connection("127.0.0.1", office.port) for _ in range(2)]
    await until(lambda: len(office.server.connections) == 2)
    async with office.client() as sftp:
        assert await sftp.listdir() == []
    for _, writer in silent:
        writer.close()


async def test_a_connection_that_asks_nothing_is_closed(open_office: OpenOffice) -> None:
    office = await open_office(idle="5m")
    watching = asyncio.create_task(office.server.close_what_is_idle())
    async with office.client() as sftp:
        for _ in range(3):
            await office.clock.advance(200)
            await sftp.listdir()
        await office.clock.advance(310)
        with pytest.raises(asyncssh.SFTPError):
            await sftp.listdir()
    watching.cancel()


async def test_a_reload_sends_away_whose_account_changed_and_nobody_else(office: Office) -> None:
    async with office.client() as mine, office.client("puskesmas-stok") as others:
        await mine.listdir()
        office.server.offer(
            {NAME: office.account("imunisasi", "another-password"), "puskesmas-stok": office.account("stok")}
        )
        assert await others.listdir() == []
        with pytest.raises(asyncssh.SFTPError):
            await mine.listdir()
    with pytest.raises(asyncssh.PermissionDenied):
        await office.connection()
    await office.clock.advance(60)
    async with office.client(password="another-password") as sftp:
        assert await sftp.listdir() == []
    office.server.offer({})
    with pytest.raises(asyncssh.PermissionDenied):
        await office.connection(password="another-password")


async def test_a_password_typed_into_a_dialogue_of_the_server_counts_as_well(office: Office) -> None:
    async with office.client(preferred_auth="keyboard-interactive") as sftp:
        assert await sftp.listdir() == []
    with pytest.raises(asyncssh.PermissionDenied):
        await office.connection(password="wrong", preferred_auth="keyboard-interactive")
    assert office.told("sftp-refused")


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_address_of_ipv6_counts_with_its_network(address: str, counts_as: str) -> None:
    assert origin(address) == counts_as


async def test_an_address_that_failed_waits_longer_each_time_and_is_forgotten() -> None:
    clock = FakeClock()
    slow = Slow(clock)
    waits = []
    for _ in range(6):
        before = clock.monotonic()
        assert await slow.turn("a")
        waits.append(clock.monotonic() - before)
        slow.failed("a")
    assert waits == [0, 1, 2, 4, 8, 10]
    assert await slow.turn("b")
    slow.succeeded("a")
    before = clock.monotonic()
    assert await slow.turn("a")
    assert clock.monotonic() == before


async def test_an_attempt_that_would_wait_too_long_is_refused_at_once() -> None:
    clock = FakeClock(autojump=False)
    slow = Slow(clock)
    for _ in range(5):
        slow.failed("a")
    waiting = [asyncio.create_task(slow.turn("a")) for _ in range(6)]
    await asyncio.sleep(0)
    assert [task.result() for task in waiting if task.done()] == [False, False, False]
    await clock.advance(60)
    assert [await task for task in waiting] == [True, True, True, False, False, False]


async def test_whoever_comes_from_everywhere_fills_no_memory() -> None:
    slow = Slow(FakeClock())
    for number in range(MOST + 10):
        slow.failed(f"10.{number}")
    assert len(slow._failures) == MOST
