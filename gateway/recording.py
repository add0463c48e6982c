"""How an operation's messages are recorded, from its section; paths must lead to fields that it has."""

from collections.abc import Collection, Iterator

from gateway.config.load import Located
from gateway.config.locate import suggest
from gateway.config.models import Operation
from gateway.errors import ConfigError, Finding
from gateway.hours import Calendar
from gateway.message import OperationId
from gateway.recorder import Final, Question, Recording


def recording(
    agency: str, name: str, *, located: Located, fields: Collection[str], calendar: Calendar | None
) -> Recording:
    """Return how the ledger keeps an operation's messages; raises ConfigError with every finding."""
    section, operation = located.config.agency[agency], located.config.agency[agency].operation[name]
    found = [*_lost(agency, name, located, fields), *_unasked(agency, name, located)]
    if found:
        raise ConfigError(*found)
    days = operation.answer_within or section.answer_within
    return Recording(
        lane=agency,
        stored=operation.deliver == "store-and-forward",
        repeat=operation.repeat,
        expires=operation.expires or section.expires or located.config.defaults.expires,
        wait=operation.wait,
        order_by=_path(operation.order_by),
        subject=_path(operation.subject),
        skip_buried=operation.on_buried == "skip",
        dates=None if not days or calendar is None else lambda at: calendar.answer_dates(at, days),
        ask=_question(agency, operation),
    )


def _question(agency: str, operation: Operation) -> Question | None:
    ask = operation.ask
    if ask is None:
        return None
    final = None if ask.final is None else Final(field=_path(ask.final.field), words=frozenset(ask.final.words))
    return Question(
        operation=OperationId(f"{agency}/{ask.operation}"), fields=ask.fields, done=_path(ask.done), final=final
    )


def _lost(agency: str, name: str, located: Located, fields: Collection[str]) -> Iterator[Finding]:
    operation = located.config.agency[agency].operation[name]
    for key, path in (("order_by", operation.order_by), ("subject", operation.subject)):
        if path is not None and path.partition(".")[0] not in fields:
            yield Finding(
                where=located.where("agency", agency, "operation", name, key),
                what=f'{agency}/{name}: {key} "{path}" is no field of its request',
                remedy=suggest(path, fields),
            )


def _unasked(agency: str, name: str, located: Located) -> Iterator[Finding]:
    operations = located.config.agency[agency].operation
    ask = operations[name].ask
    if ask is not None and ask.operation not in operations:
        yield Finding(
            where=located.where("agency", agency, "operation", name, "ask", "operation"),
            what=f'{agency}/{name}: there is no operation "{ask.operation}" to ask',
            remedy=suggest(ask.operation, operations),
        )
    days = operations[name].answer_within or located.config.agency[agency].answer_within
    if ask is not None and ask.final is not None and not days:
        yield Finding(
            where=located.where("agency", agency, "operation", name, "ask", "final"),
            what=f"{agency}/{name}: final says when answer_within stops, and there is none",
            remedy='write answer_within = "3 working days", or leave out final',
        )


def _path(text: str | None) -> tuple[str, ...]:
    return tuple(text.split(".")) if text else ()
