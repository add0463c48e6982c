"""The settings of the SFTP server that the gateway offers to those who drop files."""

from pydantic import Field

from gateway.config.address import Address
from gateway.config.settings import Settings
from gateway.config.units import Duration


class Sftp(Settings):
    """The gateway's own SFTP server, for feeds that have an `account`; needs the extra `drops`."""

    listen: Address = Field("127.0.0.1:2222", description="Where it listens.", examples=["0.0.0.0:2222"])
    host_key: str = Field(
        "sftp-host.key",
        description="The private key by which clients know it again; `gateway sftp host-key` makes it.",
        examples=["tls/sftp-host.key"],
    )
    connections: int = Field(20, ge=1, description="Connections at a time; more are turned away.", examples=[50])
    megabytes: int = Field(1000, ge=1, description="The largest file, in millions of bytes.", examples=[200])
    idle: Duration = Field(600.0, description="A connection that asks nothing for so long is closed.", examples=["5m"])
    attempts: int = Field(6, ge=1, description="Logins that may fail on one connection.", examples=[3])
