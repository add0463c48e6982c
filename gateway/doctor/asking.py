"""Login and probe: what an agency says to the gateway's login, and to a read that needs nothing; writes nothing."""

from collections.abc import Iterator

from gateway.doctor.found import Found, error, foreign, ok, skipped, warning
from gateway.errors import AgencyError, AgencyLogin, GatewayError, NotFound, Refused
from gateway.message import Message, new_message_id
from gateway.ports import Adapter, Clock, Handler, LogsIn, Probe
from gateway.registry import Agency, Operation

_TRY = "gateway try {}/OPERATION --data '...' asks one"
Said = list[tuple[str, Found]]

_CORRECT = "correct `login` or `security` and its secret in the environment; the agency knows what it expects"
_ONLY_A_CALL = "only a call can tell: who we are goes along with it, and nothing else may safely be asked"


async def ask(agency: Agency, adapter: Adapter, clock: Clock, *, login: bool, seconds: float) -> Said:
    """Return what the agency says to the login, if it has one, and whether it answers."""
    said: Said = []
    if login:
        found = await _logged_in(adapter, seconds)
        if found is not None:
            said.append(("login", found))
            if found.remedy:
                return said  # asking further with what was rejected may lock the account
    operation = _harmless(agency)
    if operation is None or operation.pipeline is None:
        return [*said, *await _without(agency, adapter, login=login and not said)]
    return [*said, *await _asked(operation, operation.pipeline, clock, login=login and not said, seconds=seconds)]


async def _logged_in(adapter: Adapter, seconds: float) -> Found | None:
    """Return None where nobody can tell without a call."""
    if not isinstance(adapter, LogsIn):
        return None
    try:
        return ok("the agency takes it") if await adapter.log_in(timeout=seconds) else None
    except AgencyLogin as failure:
        return error(foreign(failure.why or failure.code), _CORRECT)
    except GatewayError as failure:
        return error(_why(failure), "is the login's address right? ask the agency whether its system is well")


def _harmless(agency: Agency) -> Operation | None:
    """Return a read that needs no data, where there is one."""
    if agency.source is not None:
        return None
    reads = (one for one in agency.operations.values() if one.safe and not one.request.check({}))
    return next(reads, None)


async def _without(agency: Agency, adapter: Adapter, *, login: bool) -> Said:
    said = [("login", skipped(_ONLY_A_CALL, _TRY.format(agency.name)))] if login else []
    if agency.source is not None or not isinstance(adapter, Probe):
        return said if said or agency.source is not None else [_unasked(agency)]
    try:
        await adapter.probe()
    except GatewayError as failure:
        return [*said, ("probe", error(_why(failure), "see the checks above"))]
    return [*said, _unasked(agency)]


def _unasked(agency: Agency) -> tuple[str, Found]:
    return "probe", skipped("no operation can be asked without data", _TRY.format(agency.name))


async def _asked(operation: Operation, pipeline: Handler, clock: Clock, *, login: bool, seconds: float) -> Said:
    try:
        await pipeline(_message(operation, clock, seconds))
    except AgencyLogin as failure:
        return [("login", error(foreign(failure.why or failure.code), _CORRECT))]
    except NotFound:
        found = ok(f"answers {operation.id}")
    except Refused as failure:
        remedy = f"gateway try {operation.id} shows it"
        found = warning(f"refuses {operation.id}{_by(failure)}", remedy)
    except GatewayError as failure:
        return [*_login(login, None), ("probe", _failed(operation, failure))]
    else:
        found = ok(f"answers {operation.id} as agreed")
    return [*_login(login, operation), ("probe", found)]


def _login(login: bool, operation: Operation | None) -> Iterator[tuple[str, Found]]:
    if login and operation is not None:
        yield "login", ok(f"the agency takes it: it answers {operation.id}")
    elif login:
        yield "login", skipped("can't be told, for the call failed")


def _failed(operation: Operation, failure: GatewayError) -> Found:
    remedy = f"gateway try {operation.id} shows each step"
    return error(f"{operation.id} fails ({failure.code}): {_why(failure)}", remedy)


def _why(failure: GatewayError) -> str:
    return foreign((failure.why if isinstance(failure, AgencyError) else str(failure)) or failure.code)


def _by(failure: AgencyError) -> str:
    return f" ({foreign(failure.by)})" if failure.by else ""


def _message(operation: Operation, clock: Clock, seconds: float) -> Message:
    identity = new_message_id()
    return Message(
        id=identity,
        operation=operation.id,
        body={},
        client="doctor",
        correlation_id=identity,
        traceparent=f"00-{identity.replace('-', '')}-{identity.replace('-', '')[:16]}-00",
        accepted_at=clock.now(),
        deadline=clock.monotonic() + seconds,
    )
