"""HTTP digest (RFC 7616): what a challenge asks for and the answer to it; sends nothing."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from urllib.parse import quote

# The best first: which of several is taken is ours to say (section 3.7).
_HASHES: Mapping[str, str] = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}
_SESSION = "-SESS"
_PARAMETER = re.compile(
    r"(?:(?P<scheme>[!#$%&'*+.^_`|~\w-]+)\s+)?(?P<name>[\w*-]+)\s*=\s*"
    r'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^\s,"]+))',
    re.ASCII,
)


@dataclass(slots=True, kw_only=True)
class Challenge:
    """One challenge and how often it was answered: each answer counts."""

    realm: str
    nonce: str
    algorithm: str
    qop: str
    opaque: str | None
    userhash: bool
    utf8: bool
    answered: int = field(default=0)

    def answer(  # noqa: PLR0913 -- what an answer is made of
        self,
        user: str,
        password: str,
        *,
        method: str,
        target: str,
        body: bytes,
        cnonce: Callable[[], str] = lambda: token_hex(16),
    ) -> str:
        """Return the value of the Authorization header for one request."""
        self.answered += 1
        count, once = f"{self.answered:08x}", cnonce()
        secret = self._hash(self._encoded(f"{user}:{self.realm}:{password}"))
        if self.algorithm.upper().endswith(_SESSION):
            secret = self._hash(f"{secret}:{self.nonce}:{once}".encode())
        asked = f"{method}:{target}" + (f":{self._hash(body)}" if self.qop == "auth-int" else "")
        middle = f"{self.nonce}:{count}:{once}:{self.qop}" if self.qop else self.nonce
        response = self._hash(f"{secret}:{middle}:{self._hash(asked.encode())}".encode())
        said = {"realm": self.realm, "uri": target, "nonce": self.nonce, "response": response}
        if self.opaque is not None:
            said["opaque"] = self.opaque
        if self.qop:
            said["cnonce"] = once
        quoted = ", ".join(f'{name}="{_escaped(value)}"' for name, value in said.items())
        counted = f", qop={self.qop}, nc={count}" if self.qop else ""
        return f"Digest {self._named(user)}, {quoted}, algorithm={self.algorithm}{counted}"

    def _named(self, user: str) -> str:
        if self.userhash:
            return f'username="{self._hash(self._encoded(f"{user}:{self.realm}"))}", userhash=true'
        if user.isascii():
            return f'username="{_escaped(user)}"'
        return f"username*=UTF-8''{quote(user, safe='')}"

    def _encoded(self, text: str) -> bytes:
        """Servers that don't say UTF-8 are older than it; what Latin-1 can't write they can't mean."""
        try:
            return text.encode("utf-8" if self.utf8 else "latin-1")
        except UnicodeEncodeError:
            return text.encode()

    def _hash(self, content: bytes) -> str:
        return hashlib.new(_HASHES[_plain(self.algorithm)], content, usedforsecurity=False).hexdigest()


def challenge(headers: Iterable[str]) -> Challenge | None:
    """Return the best challenge of a 401's WWW-Authenticate headers that can be answered, None when there is none."""
    known = [found for said in _challenges(", ".join(headers)) if (found := _read(said)) is not None]
    order = list(_HASHES)
    return min(known, key=lambda one: order.index(_plain(one.algorithm)), default=None)


def _challenges(text: str) -> Iterator[Mapping[str, str]]:
    """Yield the parameters of each digest challenge; others stand among them."""
    said: dict[str, str] = {}
    scheme = ""
    for found in _PARAMETER.finditer(text):
        if found["scheme"]:
            if scheme == "digest":
                yield said
            scheme, said = found["scheme"].lower(), {}
        value = found["token"] if found["quoted"] is None else re.sub(r"\\(.)", r"\1", found["quoted"])
        said[found["name"].lower()] = value
    if scheme == "digest":
        yield said


def _read(said: Mapping[str, str]) -> Challenge | None:
    algorithm = said.get("algorithm", "MD5")
    offered = [one.strip().lower() for one in said.get("qop", "").split(",") if one.strip()]
    qop = next((one for one in ("auth", "auth-int") if one in offered), "")
    if _plain(algorithm) not in _HASHES or "nonce" not in said or (offered and not qop):
        return None
    return Challenge(
        realm=said.get("realm", ""),
        nonce=said["nonce"],
        algorithm=algorithm,
        qop=qop,
        opaque=said.get("opaque"),
        userhash=said.get("userhash", "").lower() == "true",
        utf8=said.get("charset", "").upper() == "UTF-8",
    )


def _plain(algorithm: str) -> str:
    return algorithm.upper().removesuffix(_SESSION)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
