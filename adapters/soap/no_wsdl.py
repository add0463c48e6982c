"""The adapter for SOAP servers without a WSDL (PHP's non-WSDL mode, SOAP::Lite): the messages say their types."""

import asyncio
import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from adapters.http import LARGE, HttpAnswer, HttpClient, Url, trace_headers
from adapters.login import SoapLogin, fixed_headers
from adapters.showing import Ask, let_in, showing
from adapters.soap.plan import Soap
from adapters.soap.spoken import Spoken
from adapters.soap.spoken_read import read
from adapters.soap.spoken_write import is_name, write
from adapters.soap.tolerate import Charset as XmlCharset
from adapters.soap.tolerate import Leniency, uncounted
from gateway import (
    Answer,
    Call,
    ConfigError,
    Document,
    Fault,
    FieldError,
    Finding,
    InvalidAnswer,
    Tolerated,
    TranslationError,
)

PROBE_TIMEOUT = 5.0


def _known_charset(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError(f'"{name}" is no charset; write e.g. "iso-8859-1"') from None
    return name


Charset = Annotated[str, AfterValidator(_known_charset)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoapWithoutWsdl:
    """Speaks rpc/encoded SOAP with one agency; nothing is known of its methods but what its answers say."""

    http: HttpClient
    url: Annotated[Url, Field(description="The agency's address.")]
    namespace: Annotated[
        str,
        Field(
            description="The namespace of its methods: `uri` in PHP and in SOAP::Lite.",
            examples=["urn:sipolan"],
            min_length=1,
        ),
    ]
    action: Annotated[
        str,
        Field(
            description="The SOAPAction; `{namespace}` and `{method}` stand for themselves.",
            examples=["{namespace}/{method}"],
        ),
    ] = "{namespace}#{method}"
    soap: Annotated[Soap, Field(description="The SOAP version.", examples=["1.2"])] = "1.1"
    objects: Annotated[
        Literal["struct", "map"],
        Field(
            description="How objects are sent: as a SOAP struct, or as Apache's Map, which is an array in PHP.",
            examples=["map"],
        ),
    ] = "struct"
    base64_text: Annotated[
        tuple[Charset, ...],
        Field(
            description="Charsets of text that comes as base64, of which the first that fits is taken;"
            " when not set, base64 is binary data.",
            examples=[["utf-8", "iso-8859-1"]],
        ),
    ] = ()
    numbers: Annotated[
        Literal["number", "text"],
        Field(
            description="What a number comes as: SOAP::Lite calls a NIK a number too, so there it is text.",
            examples=["text"],
        ),
    ] = "number"
    binary: Annotated[
        tuple[str, ...],
        Field(
            description="The native fields, by path, that are sent as base64, and stay so when they come.",
            examples=[["berkas", "return.foto"]],
        ),
    ] = ()
    login: Annotated[
        SoapLogin | None,
        Field(description="Credentials, which the mapping places in the body or in a header; or a login of HTTP."),
    ] = None
    timezone: ZoneInfo | None = None
    tolerate: Annotated[
        tuple[Literal["leading-junk", "undeclared-xsi"], ...],
        Field(description="How its answers may deviate from XML; each is counted.", examples=[["leading-junk"]]),
    ] = ()
    charset: Annotated[
        XmlCharset | None,
        Field(
            description="What its answers are really in, where they don't say so or say it wrongly.",
            examples=["windows-1252"],
        ),
    ] = None
    tolerated: Tolerated = uncounted
    _spoken: Spoken = field(init=False, repr=False)
    _ask: Ask = field(init=False, repr=False)

    def __post_init__(self) -> None:
        spoken = Spoken(
            soap=self.soap,
            namespace=self.namespace,
            maps=self.objects == "map",
            binary=frozenset(self.binary),
            base64_text=self.base64_text,
            digits=self.numbers == "text",
            zone=self.timezone,
        )
        object.__setattr__(self, "_spoken", spoken)
        object.__setattr__(self, "_ask", showing(self.login, self.http))

    def prepare(self, target: str, /) -> None:
        """Refuse what can't be a method's name."""
        if not is_name(target):
            what = f"'{target}' is no name of a method"
            raise ConfigError(Finding(where=self.url, what=what, remedy="write it as the server has it, e.g. cariIzin"))

    async def exchange(self, call: Call, /) -> Answer:
        """Send one call and return its document or fault; see Adapter for the errors."""
        blocks, plain = _split(call.headers)
        body = write(self._spoken, call.target, call.document, blocks)
        headers = {
            **plain,
            **trace_headers(call),
            **self._content_headers(call.target),
            **fixed_headers(self.login),
        }
        answer = await self._ask("POST", self.url, headers=headers, body=body, timeout=call.timeout, safe=call.safe)
        leniency = self._leniency()
        if len(answer.body) > LARGE:
            read = await asyncio.to_thread(self._read, call.target, answer, leniency)
        else:
            read = self._read(call.target, answer, leniency)
        for deviation in sorted(leniency.used):
            self.tolerated(deviation)
        return read

    async def probe(self) -> None:
        """Connect and hang up; raises Unavailable or AgencyTimeout."""
        await self.http.probe(self.url, timeout=PROBE_TIMEOUT)

    async def log_in(self, *, timeout: float) -> bool:  # noqa: ASYNC109 -- as in HttpClient.send
        """Return whether the agency took a login of HTTP, False when only a call can tell; raises AgencyLogin."""
        return await let_in(self.login, self.http, self._ask, self.url, {}, timeout=timeout)

    def reread(self, target: str, answer: Answer, /) -> Answer:
        """Read what was kept because it could not be read."""
        return self._read(target, HttpAnswer.kept(answer), self._leniency())

    def _leniency(self) -> Leniency:
        return Leniency(named=frozenset(self.tolerate), charset=self.charset)

    def _content_headers(self, method: str) -> dict[str, str]:
        action = self.action.replace("{namespace}", self.namespace).replace("{method}", method)
        if self.soap == "1.1":
            return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
        return {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}

    def _read(self, method: str, answer: HttpAnswer, leniency: Leniency) -> Answer:
        """A readable envelope counts whatever the status; an unreadable answer is left to a status that is no 2xx."""
        successful = 200 <= answer.status < 300  # noqa: PLR2004 -- RFC 9110 section 15.3
        try:
            found = read(self._spoken, method, answer.body, leniency)
        except InvalidAnswer as error:
            if not successful:
                leniency.used.clear()
                return answer.unread()
            what = f"{self.http.agency}: {method}: {error}"
            invalid = InvalidAnswer(what, maybe_done=True, errors=error.errors)
            invalid.answer = answer.unread()
            raise invalid from error
        document, fault = (None, found) if isinstance(found, Fault) else (found, None)
        return Answer(
            document=document, fault=fault, http_status=answer.status, headers=answer.headers, size=len(answer.body)
        )


def _split(headers: Document) -> tuple[Document, Mapping[str, str]]:
    """Tell SOAP header blocks (nested) from HTTP headers (plain text)."""
    blocks = {name: value for name, value in headers.items() if isinstance(value, Mapping)}
    plain = {name: value for name, value in headers.items() if name not in blocks}
    wrong = [
        FieldError(pointer=name, rule="type", params={"expected": "text"})
        for name, value in plain.items()
        if not isinstance(value, str)
    ]
    if wrong:
        raise TranslationError("request", wrong)
    return blocks, plain
