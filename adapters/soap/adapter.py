"""The SOAP adapter: one port of a pinned WSDL over the shared HTTP client; types are the plan's business."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator
from pydantic import Field as Setting

from adapters.http import LARGE, HttpAnswer, HttpClient, Tls, trace_headers
from adapters.login import SoapLogin, fixed_headers
from adapters.showing import Ask, let_in, showing
from adapters.soap.around import around
from adapters.soap.contract import contract_of
from adapters.soap.decode import decode
from adapters.soap.encode import encode
from adapters.soap.knock import knock
from adapters.soap.live import changed, origin
from adapters.soap.parts import Attachments
from adapters.soap.plan import MessagePlan, OperationPlan
from adapters.soap.planning import Plans, read_plans
from adapters.soap.settings import AddressingSettings, Security
from adapters.soap.show import show
from adapters.soap.tolerate import PARSING, Charset, Leniency, Tolerance, known, uncounted
from adapters.soap.wrap import Sent
from adapters.soap.wrapping import Wrapping, sent_of, wrapping
from gateway import (
    Answer,
    Call,
    Clock,
    ConfigError,
    Contract,
    Document,
    Duration,
    Fault,
    FieldError,
    Finding,
    InvalidAnswer,
    SystemClock,
    Tolerated,
    TranslationError,
)

PROBE_TIMEOUT = 5.0
_SHOWN = 20
_DAY = 86400.0
_USUAL_TLS = Tls()
# WSDLs are seen with spaces in their address; whatever is a URL already stays.
_AS_IT_IS = "%:/?#[]@!$&'()*+,;=~"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoapAdapter:
    """Speaks with one agency as its WSDL says; making one reads the WSDL, which blocks: do it in a thread.

    `url` overrides the WSDL's address; `service` and `port` choose where the WSDL has several; `timezone` is given to
    dateTimes that the agency sends without a zone; `header_namespace` is for header blocks the WSDL does not declare;
    `tolerated` hears how an answer deviated that was taken all the same. Raises ConfigError when the WSDL, or a file of
    `security`, can't be used.
    """

    http: HttpClient
    wsdl: Annotated[Path, Setting(description="The pinned WSDL; what it imports lies beside it.")]
    url: Annotated[str, Setting(description="The agency's address; the WSDL's own when not set.")] = ""
    service: Annotated[
        str, Setting(description="Which service, where the WSDL has several.", examples=["SipolanService"])
    ] = ""
    port: Annotated[
        str, Setting(description="Which port, where the service has several.", examples=["SipolanPort"])
    ] = ""
    login: Annotated[
        SoapLogin | None,
        Setting(description="Credentials, which the mapping places in the body or in a header; or a login of HTTP."),
    ] = None
    timezone: ZoneInfo | None = None
    header_namespace: Annotated[
        str,
        Setting(description="The namespace of header blocks that the WSDL does not declare.", examples=["urn:sipolan"]),
    ] = ""
    tolerate: Annotated[
        tuple[Tolerance, ...],
        BeforeValidator(known),
        Setting(
            description="How its answers may deviate from its WSDL; each is counted.", examples=[["missing-required"]]
        ),
    ] = ()
    charset: Annotated[
        Charset | None,
        Setting(
            description="What its answers are really in, where they don't say so or say it wrongly.",
            examples=["windows-1252"],
        ),
    ] = None
    wsdl_check: Annotated[
        Duration | Literal["off"],
        Setting(
            description="How often the WSDL at the address it was taken in from is compared with the pinned one.",
            examples=["7d"],
        ),
    ] = _DAY
    tls: Tls = _USUAL_TLS
    tolerated: Tolerated = uncounted
    security: Annotated[
        Security | None,
        Setting(
            description="WS-Security: who we are, and whether the agency is who it says; a section of its own.",
            examples=[{"user": "gateway", "password": "${SIPOLAN_PASSWORD}", "digest": True}],
        ),
    ] = None
    addressing: Annotated[
        AddressingSettings | None,
        Setting(description="WS-Addressing; `{}` turns it on.", examples=[{"version": "2005/08"}]),
    ] = None
    attachments: Annotated[
        Attachments | None,
        Setting(
            description="How binary fields are sent beside the envelope: all of them (`mtom`), or the files that it "
            "refers to (`swa`); none when not set.",
            examples=["mtom"],
        ),
    ] = None
    clock: Clock = field(default_factory=SystemClock)
    plans: Plans = field(init=False, repr=False)
    _address: str = field(init=False, repr=False)
    _origin: str = field(init=False, repr=False)
    _named: frozenset[Tolerance] = field(init=False, repr=False)
    _askable: Mapping[str, OperationPlan] = field(init=False, repr=False)
    _content: Mapping[str, Mapping[str, str]] = field(init=False, repr=False)
    _shown: Mapping[str, str] = field(init=False, repr=False)
    _wrapping: Wrapping | None = field(init=False, repr=False)
    _ask: Ask = field(init=False, repr=False)

    def __post_init__(self) -> None:
        plans = read_plans(self.wsdl, service=self.service, port=self.port)
        address = self.url or plans.address
        if not address.startswith(("http://", "https://")):
            raise ConfigError(Finding(where=str(self.wsdl), what="has no HTTP address", remedy="set `url`"))
        object.__setattr__(self, "plans", plans)
        object.__setattr__(self, "_origin", origin(self.wsdl))
        object.__setattr__(self, "_address", quote(address, safe=_AS_IT_IS))
        wraps = wrapping(self.security, self.addressing, self.attachments, clock=self.clock, where=self.wsdl)
        object.__setattr__(self, "_wrapping", wraps)
        object.__setattr__(self, "_ask", showing(self.login, self.http))
        object.__setattr__(self, "_named", frozenset(self.tolerate))
        askable = {name: one for name, one in plans.operations.items() if self.attachments == "swa" or not _files(one)}
        object.__setattr__(self, "_askable", askable)
        object.__setattr__(self, "_content", {name: _content_headers(one) for name, one in askable.items()})
        object.__setattr__(self, "_shown", fixed_headers(self.login))

    @property
    def address(self) -> str:
        """Where calls are sent."""
        return self._address

    def contract(self, target: str, /) -> Contract:
        """Return an operation's native fields; raises ConfigError when the WSDL lacks it or it can't be planned."""
        contract = contract_of(self._operation(target))
        lost = sorted(set(self.tolerate) - PARSING)
        if not lost or (target, "output") not in self.plans.trees:
            return contract
        return replace(contract, detour=f"{contract.detour}; its answers are not given {', '.join(lost)} there")

    def plan(self, target: str, /) -> Document:
        """Return how an operation is written and read; raises ConfigError as `contract` does."""
        return show(self._operation(target))

    def around(self, call: Call, /) -> Document:
        """Return the header blocks of a call, masked, where the section says more of them than the mapping does."""
        if self._wrapping is None:
            return {}
        operation = self._operation(call.target)
        blocks, _ = _split(call.headers, operation.request)
        sent, write = self._begun(operation, call), self._writing(operation, blocks)
        return around(self._wrapping.enveloped(sent, operation.request, call.document, write).envelope)

    async def exchange(self, call: Call, /) -> Answer:
        """Send one call and return its document or fault; see Adapter for the errors."""
        operation = self._operation(call.target)
        blocks, plain = _split(call.headers, operation.request)
        written = partial(self._written, operation, call, blocks)
        # Files are large, and zeep is slow.
        slow = self.attachments is not None or (operation.name, "input") in self.plans.trees
        content, body = await asyncio.to_thread(written) if slow else written()
        headers = {**plain, **trace_headers(call), **content, **self._shown}
        answer = await self._ask(
            "POST", self._address, headers=headers, body=body, timeout=call.timeout, safe=call.safe
        )
        leniency = self._leniency()
        reading = partial(self._read, operation, answer, leniency, call.message_id)
        long = len(answer.body) > LARGE or (operation.name, "output") in self.plans.trees
        read = await asyncio.to_thread(reading) if long else reading()
        for deviation in sorted(leniency.used) if leniency.used else ():
            self.tolerated(deviation)
        return read

    def _leniency(self) -> Leniency:
        return Leniency(named=self._named, charset=self.charset)

    async def probe(self) -> None:
        """Connect and hang up; raises Unavailable or AgencyTimeout."""
        await self.http.probe(self._address, timeout=PROBE_TIMEOUT)

    async def log_in(self, *, timeout: float) -> bool:  # noqa: ASYNC109 -- as in HttpClient.send
        """Show who we are and call nothing: by a HEAD for a login of HTTP, by an empty call for WS-Security.

        Returns whether the agency took it, False when only a call can tell; raises AgencyLogin and as exchange.
        """
        known = await let_in(self.login, self.http, self._ask, self._address, {}, timeout=timeout)
        if self._wrapping is None or self.security is None or not self.security.shows:
            return known

        async def post(headers: Mapping[str, str], body: bytes) -> HttpAnswer:
            every = {**headers, **self._shown}
            return await self._ask("POST", self._address, headers=every, body=body, timeout=timeout)

        return await knock(self.http.agency, self._wrapping, self.plans.soap, self._address, post)

    @property
    def compare_every(self) -> float | None:
        """Seconds between two looks at the agency's WSDL, None where nobody wrote down where it is from."""
        return None if self.wsdl_check == "off" or not self._origin else self.wsdl_check

    async def compare(self) -> tuple[str, ...]:
        """Return how the agency's WSDL differs from the pinned one; raises ConfigError when that can't be told."""
        return await asyncio.to_thread(changed, self.wsdl, service=self.service, port=self.port, tls=self.tls)

    def reread(self, target: str, answer: Answer, /) -> Answer:
        """Read what was kept because it did not fit the WSDL."""
        return self._read(self._operation(target), HttpAnswer.kept(answer), self._leniency())

    def _written(self, operation: OperationPlan, call: Call, blocks: Document) -> tuple[Mapping[str, str], bytes]:
        headers, write = self._content[operation.name], self._writing(operation, blocks)
        if self._wrapping is None:
            return headers, write(call.document)
        sent = self._wrapping.wrap(self._begun(operation, call), operation.request, call.document, write)
        return {**headers, "Content-Type": sent.media_type}, sent.envelope

    def _writing(self, operation: OperationPlan, blocks: Document) -> Callable[[Document], bytes]:
        """Return what writes a message's envelope."""
        tree = self.plans.trees.get((operation.name, "input"))
        return partial(encode, operation.request, headers=blocks, header_namespace=self.header_namespace, tree=tree)

    def _begun(self, operation: OperationPlan, call: Call) -> Sent:
        """Return a message of which nothing is written yet."""
        media_type = self._content[operation.name]["Content-Type"]
        return sent_of(operation, address=self._address, message_id=call.message_id, media_type=media_type)

    def _read(
        self, operation: OperationPlan, answer: HttpAnswer, leniency: Leniency, asked: str | None = None
    ) -> Answer:
        """A readable envelope counts whatever the status; an unreadable answer is left to a status that is no 2xx."""
        successful = 200 <= answer.status < 300  # noqa: PLR2004 -- RFC 9110 section 15.3
        if not successful and not answer.body.strip():
            return Answer(http_status=answer.status, headers=answer.headers)
        try:
            found = self._decoded(operation, answer, leniency, asked)
        except InvalidAnswer as error:
            if not successful:
                leniency.used.clear()
                return answer.unread()
            what = f"{self.http.agency}: {operation.name}: {error}"
            invalid = InvalidAnswer(what, maybe_done=True, errors=error.errors)
            invalid.answer = answer.unread()
            raise invalid from error
        document, fault = (None, found) if isinstance(found, Fault) else (found, None)
        return Answer(
            document=document, fault=fault, http_status=answer.status, headers=answer.headers, size=len(answer.body)
        )

    def _decoded(
        self, operation: OperationPlan, answer: HttpAnswer, leniency: Leniency, asked: str | None
    ) -> Document | Fault:
        if operation.reply is None and not answer.body.strip():
            return {}
        plan = operation.reply or MessagePlan(soap=operation.request.soap, rpc=False, encoded=False, payload=None)
        tree = self.plans.trees.get((operation.name, "output"))
        read = partial(decode, plan, zone=self.timezone, tree=tree, leniency=leniency)
        if self._wrapping is None:
            return read(answer.body)
        return self._wrapping.read(answer, asked, plan, leniency, read)

    def _operation(self, target: str) -> OperationPlan:
        found = self._askable.get(target)
        if found is not None:
            return found
        if target in self.plans.operations:
            what = f"operation '{target}' has attachments beside its Body"
            raise ConfigError(Finding(where=str(self.wsdl), what=what, remedy='set attachments = "swa"'))
        raise ConfigError(self.plans.refused.get(target) or self._unknown(target))

    def _unknown(self, target: str) -> Finding:
        known = sorted(self.plans.operations)
        near = get_close_matches(target, known, n=3, cutoff=0.5)
        names = [*near, *(name for name in known if name not in near)]
        more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        remedy = f"it has: {', '.join(names[:_SHOWN])}{more}"
        return Finding(where=str(self.wsdl), what=f"the WSDL has no operation '{target}'", remedy=remedy)


def _files(operation: OperationPlan) -> bool:
    """Tell whether one of its messages has files beside its Body."""
    return any(plan.attached for plan in (operation.request, operation.reply) if plan)


def _content_headers(operation: OperationPlan) -> dict[str, str]:
    """SOAP 1.1 has its action in a header of its own, quoted; SOAP 1.2 in the media type."""
    if operation.request.soap == "1.1":
        return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation.action}"'}
    action = f'; action="{operation.action}"' if operation.action else ""
    return {"Content-Type": f"application/soap+xml; charset=utf-8{action}"}


def _split(headers: Document, plan: MessagePlan) -> tuple[Document, Mapping[str, str]]:
    """Tell SOAP header blocks (nested, or declared in the WSDL) from HTTP headers (plain text)."""
    if not headers:
        return {}, {}
    blocks = {name: value for name, value in headers.items() if isinstance(value, Mapping) or name in plan.headers}
    plain = {name: value for name, value in headers.items() if name not in blocks}
    wrong = [
        FieldError(pointer=name, rule="type", params={"expected": "text"})
        for name, value in plain.items()
        if not isinstance(value, str)
    ]
    if wrong:
        raise TranslationError("request", wrong)
    return blocks, plain
