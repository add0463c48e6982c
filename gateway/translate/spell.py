"""How a spreadsheet's typed cells are written out, so that a row table made for CSV reads them; knows no file."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from gateway.columns import Spell
from gateway.errors import FieldError
from gateway.translate.convert import Bad, Pair, flags
from gateway.translate.dates import dates
from gateway.translate.numbers import decimals, numbers
from gateway.translate.rules import Repeat, Rule

EXACT_DIGITS = 15
"""How many digits of a number Excel keeps."""


def spells(rules: Iterable[Rule | Repeat], zone: ZoneInfo) -> dict[str, Spell]:
    """Return how the typed cells of each column are spelt, where that is not as any CSV export would."""
    found: dict[str, Spell] = {}
    for rule in _whole(rules):
        column = rule.sources[0][0]
        if rule.digits is not None:
            found[column] = _identifier(rule.digits)
        elif column not in found and (spell := _spell(rule, zone)):
            found[column] = spell
    return found


def _whole(rules: Iterable[Rule | Repeat]) -> Iterator[Rule]:
    """Yield the rules that read one cell as it is."""
    for rule in rules:
        if isinstance(rule, Repeat):
            yield from _whole(rule.rules)
        elif len(rule.sources) == 1 and len(rule.sources[0]) == 1 and rule.split is None:
            yield rule


def _spell(rule: Rule, zone: ZoneInfo) -> Spell | None:
    if rule.converter is None:
        return None
    argument = rule.converter.argument
    match rule.converter.kind, argument:
        case "date", str():
            return _moment(dates(argument, zone, text=True), zone)
        case "number", str():
            return _number(numbers(argument, number=False), argument)
        case "bool", (str(), str()) as words:
            return _flag(flags(*words))
        case _:
            return None


def _identifier(digits: int) -> Spell:
    """Refuse numbers in place of texts: Excel drops zeros in front and every digit after the 15th."""

    def spell(value: object) -> str | FieldError | None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        exact = digits <= EXACT_DIGITS and value == int(value) and len(str(int(value))) == digits
        return None if exact else FieldError(pointer="", rule="number-cell")

    return spell


def _moment(pair: Pair, zone: ZoneInfo) -> Spell:
    def spell(value: object) -> str | None:
        ours = _canonical(value, pair.form.kind, zone)
        return None if ours is None or pair.write is None else str(pair.write.run(ours))

    return spell


def _canonical(value: object, kind: str, zone: ZoneInfo) -> str | None:
    """Return a cell's date or time as the gateway writes it; a cell that shows no time of day is midnight."""
    moment = datetime.combine(value, time()) if type(value) is date else value
    if isinstance(moment, datetime):
        local = moment.replace(tzinfo=zone, microsecond=0)
        return {"date": local.date().isoformat(), "time": local.time().isoformat()}.get(kind, local.isoformat())
    return value.isoformat("seconds") if isinstance(value, time) and kind == "time" else None


def _number(pair: Pair, form: str) -> Spell:
    def spell(value: object) -> str | FieldError | None:
        if not isinstance(value, int | float) or isinstance(value, bool) or pair.write is None:
            return None
        try:
            return str(pair.write.run(Decimal(f"{value:.15g}")))
        except Bad:
            return FieldError(pointer="", rule="decimals", params={"most": str(decimals(form))})

    return spell


def _flag(pair: Pair) -> Spell:
    def spell(value: object) -> str | None:
        return str(pair.write.run(value)) if isinstance(value, bool) and pair.write else None

    return spell
