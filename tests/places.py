"""Servers that offer a folder over SFTP and FTP, and a store that speaks S3, all on 127.0.0.1."""

import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncssh
import boto3
import httpx
from moto.server import ThreadedMotoServer

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it stands on asyncore, which Python 3.12 no longer brings
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

USER, PASSWORD, BUCKET = "rsud", "rahasia-sekali", "serah"


class _Sshd(asyncssh.SSHServer):
    def __init__(self, connections: list[asyncssh.SSHServerConnection]) -> None:
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connections.append(conn)

    def begin_auth(self, _username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


@asynccontextmanager
async def sftp_server(
    folder: Path, *, port: int = 0, key: asyncssh.SSHKey | None = None, kind: type[asyncssh.SFTPServer] | None = None
) -> AsyncIterator[tuple[int, str]]:
    """Serve a folder as "/"; yields the port and the key's fingerprint."""
    key = key or asyncssh.generate_private_key("ssh-ed25519")
    kind = kind or asyncssh.SFTPServer
    connections: list[asyncssh.SSHServerConnection] = []
    listener = await asyncssh.listen(
        "127.0.0.1",
        port,
        server_host_keys=[key],
        server_factory=lambda: _Sshd(connections),
        sftp_factory=lambda channel: kind(channel, chroot=str(folder).encode()),
    )
    try:
        yield listener.get_port(), key.get_fingerprint()
    finally:
        listener.close()
        for connection in connections:
            connection.abort()
            await connection.wait_closed()
        await listener.wait_closed()


@contextmanager
def ftp_server(
    folder: Path, *, certificate: Path | None = None, implicit: bool = False, **handler: Any
) -> Iterator[int]:
    """Serve a folder as "/"; `handler` sets attributes of the server's class. Yields the port."""
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(folder), perm="elradfmwMT")
    base = (Implicit if implicit else TLS_FTPHandler) if certificate else FTPHandler
    secured = {"tls_control_required": True, "tls_data_required": True, "certfile": str(certificate)}
    secured = secured if certificate else {}
    made = type("Handler", (base,), {"authorizer": authorizer, "auth_failed_timeout": 0, **secured, **handler})
    loop = IOLoop()
    server = FTPServer(("127.0.0.1", 0), made, ioloop=loop)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            loop.loop(timeout=0.01, blocking=False)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.address[1]
    finally:
        stop.set()
        thread.join(5)
        server.close_all()


class Implicit(TLS_FTPHandler):  # type: ignore[misc]
    """TLS is there before the first word is said."""

    def handle(self) -> None:
        self.secure_connection(self.ssl_context)

    def handle_ssl_established(self) -> None:
        super().handle()

    def ftp_AUTH(self, _line: str) -> None:  # noqa: N802 - so pyftpdlib calls it
        self.respond("550 TLS is there already.")


def without(*commands: str) -> dict[str, Any]:
    """Return a handler's commands but these."""
    return {name: facts for name, facts in FTPHandler.proto_cmds.items() if name not in commands}


@contextmanager
def s3_server() -> Iterator[str]:
    """Run a store with an empty bucket; yields its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    httpx.post(f"{address}/moto-api/reset")  # all stores of a process are one
    try:
        s3_client(address).create_bucket(Bucket=BUCKET)
        yield address
    finally:
        server.stop()


def s3_client(address: str) -> Any:
    """Return another client of the same store."""
    return boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id=USER, aws_secret_access_key=PASSWORD
    )
