"""PLN, the electricity partner: a signed JSON post; the verdict is in `rc`, which the mapping's outcome table reads."""

import hmac
from dataclasses import dataclass

from pydantic import SecretStr

from adapters.body import encode, post_json
from adapters.http import HttpClient, Url
from gateway import Answer, Call


@dataclass(frozen=True, slots=True, kw_only=True)
class PlnAdapter:
    """Its `call` is the last part of a path."""

    http: HttpClient
    url: Url
    secret: SecretStr

    async def exchange(self, call: Call, /) -> Answer:
        """Sign the body with the shared secret and post it."""
        body = encode(call.document)
        signed = {"X-Signature": hmac.digest(self.secret.get_secret_value().encode(), body, "sha256").hex()}
        return await post_json(self.http, f"{self.url}/{call.target}", call, body=body, headers=signed)
