"""Reads and writes decimal numbers as people write them: 1.234,56 or Rp1.234,56; never through a float."""

import re
from collections.abc import Callable
from decimal import Context, Decimal, InvalidOperation
from functools import cache

from gateway.translate.convert import (
    LONGEST_NUMBER,
    Bad,
    Form,
    Pair,
    Plain,
    Seen,
    Step,
    Words,
    need_number,
    refuse_type,
)

_FORMAT = re.compile(r"(?P<before>(?:Rp\.? ?)?)1(?P<group>[.,' ]?)234(?:(?P<point>[.,])(?P<decimals>[0-9]{1,6}))?")
_SEEN = 4096
_EXACT = Context(prec=2 * LONGEST_NUMBER + 8)


def problem(form: str) -> str:
    """Return what is wrong with a number format, "" if nothing is."""
    found = _FORMAT.fullmatch(form)
    if found is None:
        return "write the number 1234.56 their way: 1.234,56 or 1,234.56 or 1234,56 or Rp1.234,56"
    return "grouping and decimals need different signs" if found["group"] and found["group"] == found["point"] else ""


def decimals(form: str) -> int:
    """Return how many digits a number format has behind the point."""
    return len(_parts(form)["decimals"])


@cache
def numbers(form: str, *, number: bool) -> Pair:
    """Return the converter of a number format; `number` when their side takes a number itself, not text."""
    parse = _parser(form)
    reads = _reader(form, parse)
    write = Step(run=need_number, quick=Decimal) if number else Step(run=_writer(form))
    return Pair(
        read=Step(run=reads, quick=Seen(reads, _SEEN), makes=Words("{0}({v})", (parse,)), plain=_plain(form)),
        write=write,
        form=Form(kind="number"),
        exact=number,
    )


def _parser(form: str) -> Callable[[str], Decimal]:
    parts = _parts(form)
    before, group, point = parts["before"], parts["group"], parts["point"]
    some = re.escape(group)
    unlike = _unlike(form)
    whole = rf"[0-9]{{1,3}}(?:{some}[0-9]{{3}})*" if group else rf"[0-9]{{1,{LONGEST_NUMBER}}}"
    after = rf"(?:{re.escape(point)}[0-9]{{1,{len(parts['decimals'])}}})?" if point else ""
    match = re.compile(rf"-?{re.escape(before)}{whole}{after}").fullmatch

    def parse(text: str) -> Decimal:
        if match(text) is None or len(text) > 2 * LONGEST_NUMBER:
            raise unlike(text)
        digits = text.replace(before, "", 1) if before else text
        digits = digits.replace(group, "") if group else digits
        return Decimal(digits.replace(point, ".") if point else digits)

    return parse


def _unlike(form: str) -> Callable[[str], Bad]:
    """Return what says why a text is not of a form: what is nearly so is told what it lacks."""
    parts = _parts(form)
    before, group, point = (re.escape(parts[name]) for name in ("before", "group", "point"))
    after = rf"(?:{point}[0-9]{{1,{len(parts['decimals'])}}})?" if point else ""
    ungrouped = re.compile(rf"-?{before}[0-9]{{4,{LONGEST_NUMBER}}}{after}")
    longer = re.compile(rf"-?{before}[0-9]{{1,3}}(?:{group}[0-9]{{3}})*{point}[0-9]{{1,{LONGEST_NUMBER}}}")

    def why(text: str) -> Bad:
        if group and ungrouped.fullmatch(text):
            return Bad("number-group", text, number=form, sign=parts["group"])
        if point and longer.fullmatch(text):
            return Bad("decimals", text, most=str(len(parts["decimals"])))
        return Bad("number", text, number=form)

    return why


def _plain(form: str) -> Plain:
    """Return what most numbers of a format look like, and how JSON has them with the same digits."""
    parts = _parts(form)
    before, group, point = parts["before"], parts["group"], parts["point"]
    some = rf"[0-9]{{0,2}}(?:{re.escape(group)}[0-9]{{3}}){{0,9}}+" if group else rf"[0-9]{{0,{LONGEST_NUMBER // 2}}}+"
    after = rf"(?:{re.escape(point)}[0-9]{{1,{len(parts['decimals'])}}}+)?+" if point else ""
    values: list[str] = []
    code = "{v}"
    for sign, ours in ((before, ""), (group, ""), (point, ".")):
        if sign and sign != ours:
            code += f".replace({{{len(values)}}}, {{{len(values) + 1}}})"
            values += [sign, ours]
    # Without a needless zero in front, which JSON does not know.
    return Plain(rf"{re.escape(before)}(?:0|[1-9]{some}){after}", before + group + point, (Words(code, tuple(values)),))


def _reader(form: str, parse: Callable[[str], Decimal]) -> Callable[[object], Decimal | int]:
    def read(value: object) -> Decimal | int:
        if isinstance(value, str):
            return parse(value)
        if value is None or not isinstance(value, int | Decimal):
            raise refuse_type(value, "number {form}", form=f'"{form}"')
        return need_number(value)

    return read


def _writer(form: str) -> Callable[[object], str]:
    parts = _parts(form)
    after = decimals(form)
    smallest = Decimal(1).scaleb(-after)
    spell = ("," if parts["group"] else "") + f".{after}f"
    signs = str.maketrans({",": parts["group"], ".": parts["point"]})

    def write(value: object) -> str:
        number = Decimal(need_number(value))
        try:
            if number.quantize(smallest, context=_EXACT) != number:
                raise Bad("number", value, number=form)
        except InvalidOperation as error:
            raise Bad("number", value, number=form) from error
        sign = "-" if number < 0 else ""
        return sign + parts["before"] + format(number.copy_abs(), spell).translate(signs)

    return write


def _parts(form: str) -> dict[str, str]:
    found = _FORMAT.fullmatch(form)
    return found.groupdict(default="") if found else {}
