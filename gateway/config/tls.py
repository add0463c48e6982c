"""The settings of TLS, of the API's own listener and towards an agency."""

from typing import Literal

from pydantic import Field

from gateway.config.settings import Settings


class ListenerTls(Settings):
    """TLS of the API's own listener; its files are read again at each reload."""

    certificate: str = Field(
        description="The certificate with its chain, a PEM file; the key may stand behind them.",
        examples=["tls/api.pem"],
    )
    key: str | None = Field(None, description="Its key, a PEM file without password.", examples=["tls/api-key.pem"])
    client_ca: str | None = Field(
        None,
        description="Only clients whose certificate this authority signed may connect at all; a PEM file.",
        examples=["tls/apps-ca.pem"],
    )
    minimum: Literal["1.2", "1.3"] = Field("1.2", description="The oldest version of TLS.", examples=["1.3"])


class Tls(Settings):
    """How an agency's HTTPS is checked, and who we are to it."""

    verify: bool = Field(True, description="Check the agency's certificate.", examples=[False])
    ca: str | None = Field(
        None, description="A file with the agency's own certificate authority.", examples=["tls/sipolan-ca.pem"]
    )
    certificate: str | None = Field(
        None, description="Our client certificate, a PEM file.", examples=["tls/gateway.pem"]
    )
    key: str | None = Field(None, description="Its key, a PEM file.", examples=["tls/gateway-key.pem"])
    minimum: Literal["1.0", "1.1", "1.2", "1.3"] = Field(
        "1.2",
        description="The oldest version of TLS; below 1.2 it is for servers that can do no better, and is warned of.",
        examples=["1.0"],
    )
