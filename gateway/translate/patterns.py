"""Judges a mapping's patterns: only those that take linear time and that JSON Schema understands as well."""

import re
from re import _constants as op  # type: ignore[attr-defined]  # the only view of a parsed pattern that Python has
from re import _parser as parser  # type: ignore[attr-defined]  # the same
from typing import Any

LONGEST = 256
"""Characters: what is longer is no code or number, and on 256 even three endless repetitions take milliseconds."""

_MOST_ENDLESS = 3
_MANY = 16
_BEYOND_ASCII = 128
_PLAIN = {op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN}
_REPEATS = {op.MAX_REPEAT, op.MIN_REPEAT}


def problem(pattern: str) -> str:
    """Return what is wrong with a pattern, "" if nothing is."""
    try:
        if re.compile(pattern).flags != re.UNICODE:
            return "flags are not known to JSON Schema"
        parsed = parser.parse(pattern)
        if _endless(parsed) > _MOST_ENDLESS:
            return f"more than {_MOST_ENDLESS} open repetitions can take forever; write {{1,9}} for + or *"
        return _judge(parsed, repeated=False)
    except (re.error, OverflowError, RecursionError) as error:
        return f"it can't be read: {error}"


def of_one_length(pattern: str) -> list[tuple[str, int]]:
    """Return which characters stand how often one after the other, all ASCII; none where that isn't all there is."""
    found = [_stretch(code, argument) for code, argument in parser.parse(pattern, re.ASCII)]
    return [each for each in found if each] if all(found) else []


def _stretch(code: Any, argument: Any, times: int = 1) -> tuple[str, int] | None:
    if code is op.LITERAL:
        return (chr(argument), times) if argument < _BEYOND_ASCII else None
    if code is op.IN:
        signs = [_signs(*each) for each in argument]
        return ("".join(signs), times) if all(signs) else None
    if code is op.MAX_REPEAT and times == 1 and argument[0] == argument[1] > 0 and len(argument[2]) == 1:
        repeated, inner = argument[2][0]
        return _stretch(repeated, inner, argument[0])
    return None


def _signs(code: Any, argument: Any) -> str:
    if code is op.CATEGORY and argument is op.CATEGORY_DIGIT:
        return "0123456789"
    first, last = argument if code is op.RANGE else (argument, argument)
    if code not in {op.RANGE, op.LITERAL} or last >= _BEYOND_ASCII:
        return ""
    return "".join(map(chr, range(first, last + 1)))


def _endless(parsed: Any) -> int:
    """Count the repetitions that may try many lengths."""
    count = 0
    for code, argument in parsed:
        if code in _REPEATS:
            count += (argument[1] - argument[0] > _MANY) + _endless(argument[2])
        elif code is op.BRANCH:
            count += sum(map(_endless, argument[1]))
        elif code is op.SUBPATTERN:
            count += _endless(argument[-1])
    return count


def _judge(parsed: Any, *, repeated: bool) -> str:
    for code, argument in parsed:
        wrong = ""
        if code in _REPEATS:
            _, most, inner = argument
            endless = most - argument[0] > _MANY
            wrong = "a repetition inside a repetition can take forever" if endless and repeated else ""
            wrong = wrong or _judge(inner, repeated=repeated or endless)
        elif code is op.BRANCH:
            wrong = "" if not repeated else "alternatives inside a repetition can take forever"
            wrong = wrong or next(filter(None, (_judge(branch, repeated=repeated) for branch in argument[1])), "")
        elif code is op.SUBPATTERN:
            wrong = _judge(argument[-1], repeated=repeated)
        elif code not in _PLAIN:
            wrong = "only characters, classes, groups, alternatives and repetitions (the whole text is matched anyway)"
        if wrong:
            return wrong
    return ""
