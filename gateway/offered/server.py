"""The SFTP listener: who may come in, how many, how long; what they do there is a visit's business."""

import asyncio
import hmac
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path

import asyncssh

from gateway.config.sftp import Sftp
from gateway.metrics import Metrics
from gateway.offered.accounts import Account
from gateway.offered.keys import host_key, public_key
from gateway.offered.shelf import Shelf
from gateway.offered.slow import Slow, origin
from gateway.offered.visit import Desk, Session
from gateway.ports import Clock, Log

SESSIONS = 4
"""Of one connection."""
LOGIN = 120.0
"""Seconds that a login may take, its waiting for a turn included."""
KEEP_ALIVE, UNANSWERED = 15.0, 3
"""Seconds of silence until a client is asked whether it is there, and how often in vain until it is not."""
LOOK = 5.0
_THREADS = 4
_NOBODY = "0" * 64
_LAST_SECONDS = 2.0


class Server:
    """One listener for all accounts; what is offered may change while it serves."""

    def __init__(self, settings: Sftp, *, clock: Clock, log: Log, metrics: Metrics) -> None:
        self.settings = settings
        self.clock = clock
        self.log = log
        self.slow = Slow(clock)
        self.came = metrics.by_last_label("gateway_sftp_logins_total", known=("accepted", "refused", "turned-away"))
        self.connections: set[Connection] = set()
        self.visits: set[asyncio.Task[None]] = set()
        self._metrics = metrics
        self._accounts: Mapping[str, Account] = {}
        self._desks: dict[str, Desk] = {}
        self._keys: dict[str, frozenset[bytes]] = {}
        self._disk = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="sftp")

    def offer(self, accounts: Mapping[str, Account]) -> None:
        """Let these come in from now on; whose account is gone or has changed is sent away, the others stay."""
        changed = {name for name, account in self._accounts.items() if accounts.get(name) != account}
        for name in changed:
            self._desks.pop(name, None)
        for name in accounts.keys() - self._desks.keys():
            self._desks[name] = self._desk(accounts[name])
            self._keys[name] = frozenset(map(public_key, accounts[name].offer.keys))
        self._accounts = accounts
        for connection in [one for one in self.connections if one.account in changed]:
            connection.send_away("akun berubah; sambungkan lagi")

    async def listen(self, bound: socket.socket) -> asyncssh.SSHAcceptor:
        """Begin to serve at a socket."""
        return await asyncssh.listen(
            sock=bound,
            server_factory=partial(Connection, self),
            server_host_keys=[host_key(Path(self.settings.host_key))],
            config=None,
            server_version="opd-gateway",
            encoding=None,
            gss_host=None,
            compression_algs=None,
            allow_pty=False,
            allow_scp=False,
            agent_forwarding=False,
            x11_forwarding=False,
            login_timeout=LOGIN,
            keepalive_interval=KEEP_ALIVE,
            keepalive_count_max=UNANSWERED,
        )

    def desk(self, account: str) -> Desk | None:
        """Return where an account's files are; None when it went away at this moment."""
        return self._desks.get(account)

    def knows_password(self, account: str, password: str) -> bool:
        """Compare, as slowly for an account that there isn't."""
        known = self._accounts.get(account)
        wanted = known.offer.password if known and known.offer.password else _NOBODY
        return hmac.compare_digest(sha256(password.encode()).hexdigest(), wanted)

    def knows_key(self, account: str, key: asyncssh.SSHKey) -> bool:
        """Tell whether a public key is one of an account's."""
        return account in self._accounts and key.public_data in self._keys[account]

    def shown(self, account: str) -> str:
        """Return an account's name for the log: what is none may be a password in the wrong field."""
        return account if account in self._accounts else "(unknown)"

    async def close_what_is_idle(self) -> None:
        """Send away who asks nothing any more, for ever."""
        while True:
            await self.clock.sleep(min(LOOK, self.settings.idle))
            now = self.clock.monotonic()
            for connection in [one for one in self.connections if now - one.asked_at >= self.settings.idle]:
                connection.send_away("terlalu lama tidak dipakai; sambungkan lagi")

    async def close(self) -> None:
        """Send everybody away; what they were writing stays as files in the making."""
        for connection in list(self.connections):
            connection.send_away("gateway berhenti; sambungkan lagi nanti")
        if self.visits:
            await asyncio.wait(self.visits, timeout=_LAST_SECONDS)
        self._disk.shutdown(wait=False)

    def _desk(self, account: Account) -> Desk:
        shelf = Shelf(account.offer, self.settings.megabytes * 10**6)
        uploads = self._metrics.by_last_label(
            "gateway_sftp_uploads_total", account.agency, account.offer.feed, known=("uploaded", "broken")
        )

        def told(what: str, /, *, file: str, size: int | None = None) -> None:
            if what in ("uploaded", "broken"):
                uploads(what)
            level = "warning" if what == "broken" else "info"
            self.log(f"sftp-{what}", level=level, agency=account.agency, feed=account.offer.feed, file=file, bytes=size)

        return Desk(shelf, self._in_a_thread, told)

    def make_room(self) -> bool:
        """Tell whether one more may come; of those who don't log in, the one that has tried longest goes for it."""
        if len(self.connections) < self.settings.connections:
            return True
        waiting = [one for one in self.connections if not one.account]
        if waiting:
            min(waiting, key=lambda one: one.asked_at).send_away("terlalu banyak sambungan")
        return bool(waiting)

    async def _in_a_thread(self, work: Callable[[], object]) -> object:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)


class Connection(asyncssh.SSHServer):
    """One client: it logs in, and then gets nothing but SFTP, as everything else is refused unless it is granted."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.account = ""
        self.asked_at = server.clock.monotonic()
        self._address = ""
        self._failures = 0
        self._sessions = 0
        self._how = "key"

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Take it in, or turn it away."""
        self._conn = conn
        self._address = str((conn.get_extra_info("peername") or ("",))[0])
        if not self._server.make_room():
            self._server.came("turned-away")
            self._server.log("sftp-turned-away", level="warning", address=self._address, why="too many connections")
            conn.abort()
            return
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - it is gone, however
        """Forget it."""
        self._server.connections.discard(self)
        if self._failures and not self.account and self._how == "key":
            self._tell_refused("(unknown)")

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - an account that there isn't is asked all the same
        """Ask everybody who it is."""
        return True

    def auth_completed(self) -> None:
        """Begin to count from here how long nothing is asked."""
        self.account = self._conn.get_extra_info("username")
        self.asked()
        self._server.came("accepted")
        self._server.log("sftp-login", account=self.account, address=self._address, how=self._how)

    def password_auth_supported(self) -> bool:
        """Take passwords, whatever the account: which there are is nobody's business."""
        return True

    def public_key_auth_supported(self) -> bool:
        """Take keys."""
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        """Compare a password, when it is this address's turn."""
        self._how = "password"
        slow = self._server.slow
        if await slow.turn(origin(self._address)) and self._server.knows_password(username, password):
            slow.succeeded(origin(self._address))
            return True
        slow.failed(origin(self._address))
        self._tell_refused(self._server.shown(username))
        self._failed()
        return False

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Look for a key; a client may show several, none of which can be guessed."""
        self._how = "key"
        if self._server.knows_key(username, key):
            return True
        self._failed()
        return False

    def session_requested(self) -> Session | bool:
        """Open a channel for SFTP."""
        desk = self._server.desk(self.account)
        if desk is None or self._sessions >= SESSIONS:
            return False
        self._sessions += 1
        return Session(desk, self.asked, self._session_over, self._server.visits)

    def asked(self) -> None:
        """Note that something was asked."""
        self.asked_at = self._server.clock.monotonic()

    def send_away(self, why: str) -> None:
        """Close it, in words."""
        self._conn.disconnect(asyncssh.DISC_BY_APPLICATION, why)

    def _session_over(self) -> None:
        self._sessions -= 1

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= self._server.settings.attempts:
            self._conn.disconnect(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "terlalu banyak percobaan")

    def _tell_refused(self, account: str) -> None:
        self._server.came("refused")
        self._server.log("sftp-refused", level="warning", account=account, address=self._address, how=self._how)
