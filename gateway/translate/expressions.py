"""Writes what steps make of a text as a polars expression: null where they refuse it, or where that isn't sure."""

import re
from collections.abc import Mapping, Sequence
from functools import reduce

import polars as pl

from gateway.translate.convert import Plain, Seen, Step, Words, json_of
from gateway.translate.lines import NEVER

_PLAIN = re.compile(rf"[^{NEVER}']*")
_POSSESSIVE = re.compile(r"(?<=[*?}])\+")
_COMMON = re.compile(r"(?!.*(?:\[[]\[]|--|[*+?}]\+|\{\D|\(\?[^:]))(?:\\[dw./-]|[A-Za-z0-9 /:,_.()|?*+{}\[\]-])*")
"""Patterns that mean the same to polars as to Python, on ASCII."""
_DAY = re.compile(r"(?:(yyyy)([^a-z]*))?(dd|mm)([^a-z]*)(dd|mm)(?:([^a-z]*)(yyyy))?")
_DAYS = {
    "dd": "(?:(?:0[1-9]|1[0-9]|2[0-8]){0}(?:0[1-9]|1[0-2])|(?:29|30){0}(?:0[13-9]|1[0-2])|31{0}(?:0[13578]|1[02]))",
    "mm": "(?:(?:0[1-9]|1[0-2]){0}(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2]){0}(?:29|30)|(?:0[13578]|1[02]){0}31)",
}
"""The days that every year has, by what comes first and what stands between."""
_YEAR = "(?:[1-9][0-9]{3}|0[0-9]{2}[1-9])"
Text = tuple[str | pl.Expr, ...]
"""What is written one after the other."""


def shapes(steps: Sequence[Step], quote: str) -> bool:
    """Tell whether no text but a plain one passes the first of these steps."""
    if not steps:
        return False
    step = steps[0]
    codes = step.quick if isinstance(step.quick, Mapping) and not isinstance(step.quick, Seen) else None
    if step.plain is not None:
        return quote not in step.plain.signs
    return codes is not None and all(map(_PLAIN.fullmatch, codes))


def applied(steps: Sequence[Step], value: pl.Expr, *, wanted: bool) -> tuple[Text, pl.Expr] | None:
    """Return the JSON of what steps make of a text, and the text that they make; None where there is no expression."""
    for step in steps:
        codes = step.quick if isinstance(step.quick, Mapping) and not isinstance(step.quick, Seen) else None
        if step is steps[-1] and step.plain and not wanted and (number := _of_number(step.plain)):
            return (_number(value, step.plain.shape, number),), value
        if step is steps[-1] and codes is not None and (not wanted or all(isinstance(v, str) for v in codes.values())):
            shown = [*map(json_of, codes.values())]
            return (_looked_up(value, [*codes], shown),), _looked_up(value, [*codes], [*map(str, codes.values())])
        made = _step(step, value)
        if made is None:
            return None
        value = made
    return ('"', value, '"'), value


def _step(step: Step, value: pl.Expr) -> pl.Expr | None:
    """Return the text that a step makes of one, null where it refuses it or that isn't sure; None: no expression."""
    if step.plain and not step.plain.json:
        return where(_matches(value, step.plain.shape), value)
    if step.longest is not None:
        return where(value.str.len_chars() <= step.longest, value)
    if step.pattern is not None and _is_common(step.pattern):
        ascii_only = value.str.len_bytes() == value.str.len_chars()
        return where(ascii_only & _matches(value, step.pattern), value)
    if step.makes and step.makes.cuts:
        separator, place = step.makes.values
        return value.str.split(str(separator)).list.get(int(str(place)), null_on_oob=True)
    if (shape := _day(step)) and step.day:
        parts = [value.str.slice(step.day.index(token), len(token)) for token in ("yyyy", "mm", "dd")]
        return where(_matches(value, shape), pl.concat_str(parts, separator="-"))
    return value if step.quick is str else None


def _day(step: Step) -> str | None:
    """Return what the days look like that surely are some, in a step's own form."""
    found = _DAY.fullmatch(step.day) if step.day else None
    if found is None or found[3] == found[5] or (found[1] is None) == (found[7] is None):
        return None
    days = _DAYS[found[3]].replace("{0}", re.escape(found[4]))
    return f"{_YEAR}{re.escape(found[2])}{days}" if found[1] else f"{days}{re.escape(found[6])}{_YEAR}"


def _is_common(pattern: str) -> bool:
    try:
        return _COMMON.fullmatch(pattern) is not None and len(pl.select(_matches(pl.lit(""), pattern))) > 0
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return False


def _of_number(plain: Plain) -> Words | None:
    """Return what is written of a number: one thing, and nothing around it."""
    words = plain.json[0] if len(plain.json) == 1 else None
    return words if isinstance(words, Words) else None


def _number(value: pl.Expr, shape: str, words: Words) -> pl.Expr:
    """Return a number's JSON."""
    signs = [str(sign) for sign in words.values]
    made = value
    for sign, ours in zip(signs[::2], signs[1::2], strict=True):
        made = made.str.replace_all(sign, ours, literal=True)
    return where(_matches(value, shape), made)


def _looked_up(value: pl.Expr, known: list[str], made: list[str]) -> pl.Expr:
    return value.replace_strict(known, made, default=None, return_dtype=pl.String)


def _matches(value: pl.Expr, shape: str) -> pl.Expr:
    return value.str.contains(rf"\A(?:{_POSSESSIVE.sub('', shape)})\z")


def where(sure: pl.Expr, value: pl.Expr) -> pl.Expr:
    """Return a value where it is sure, else null."""
    return pl.when(sure).then(value)


def is_one_of(cell: pl.Expr, texts: frozenset[str]) -> pl.Expr:
    """Tell whether a cell is one of these texts."""
    return reduce(lambda found, text: found | (cell == text), sorted(texts), pl.lit(value=False))


def written(text: Text) -> pl.Expr:
    """Return what is written as one expression."""
    pieces: list[pl.Expr] = []
    plain = ""
    for piece in text:
        if isinstance(piece, str):
            plain += piece
            continue
        pieces += [pl.lit(plain), piece] if plain else [piece]
        plain = ""
    return pl.concat_str([*pieces, pl.lit(plain)])
