"""Turns rules into the plan that builds the left of each from its right; decides what each rule key does."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gateway.translate import convert
from gateway.translate.convert import Bad, Form, Pair, Step
from gateway.translate.dates import moment_part
from gateway.translate.pairs import BLANKS, Pairs, Setting, checks, joiner, longest, overlap, pointer
from gateway.translate.plan import (
    EMPTY,
    OPTIONAL,
    REQUIRED,
    Absent,
    Field,
    Fixed,
    Listed,
    Part,
    Plan,
    Source,
    is_context,
)
from gateway.translate.rules import CONTEXT, MISSING, Path, Repeat, Rule, Rules, show

_MOMENT_PARTS = {"date": slice(0, 10), "time": slice(11, 16)}


class Forward:
    """Builds the plan of one table."""

    def __init__(self, setting: Setting, pairs: Pairs) -> None:
        self._setting = setting
        self._pairs = pairs
        self._reads = setting.side == "read"

    def plan(self, rules: Rules, root: Path = ()) -> Plan:
        """Return the plan that builds the left of each rule."""
        return Plan(file=self._setting.mapping.name, parts=self._forward(rules, ()), root=root)

    def _overlaps(self, rules: Rules) -> None:
        for index, rule in enumerate(rules):
            for other in rules[:index]:
                if overlap(rule.left, other.left):
                    what = f"{show(rule.left)} is built by line {other.line} already"
                    self._pairs.find(rule.line, what, "one rule per field; an object has rules for its fields only")

    def _forward(self, rules: Rules, above: Path) -> tuple[Part, ...]:
        self._overlaps(rules)
        return tuple(
            self._repeat(rule, above) if isinstance(rule, Repeat) else self._rule(rule, above) for rule in rules
        )

    def _rule(self, rule: Rule, above: Path) -> Part:
        if rule.const is not MISSING:
            return Fixed(target=rule.left, value=rule.const, line=rule.line, rule=rule, when=rule.when)
        if rule.each is None:
            return self._field(rule, above)
        target = rule.left if self._reads else rule.each
        inside = (*above, *rule.each) if self._reads else above
        item = replace(self._field(rule, inside), target=(), pointer="", absent=REQUIRED)
        return self._list(rule, rule.left, rule.each, pointer(target), item)

    def _repeat(self, rule: Repeat, above: Path) -> Listed:
        ours = rule.left if self._reads else rule.each
        inside = (*above, *(rule.each if self._reads else rule.left))
        item = Plan(file=self._setting.mapping.name, parts=self._forward(rule.rules, inside))
        return self._list(rule, rule.left, rule.each, pointer(ours), item)

    def _list(self, rule: Rule | Repeat, target: Path, each: Path, pointer: str, item: Plan | Field) -> Listed:
        absent: Absent = OPTIONAL if rule.optional else EMPTY if self._reads else REQUIRED
        return Listed(
            target=target, each=each, item=item, pointer=pointer, line=rule.line, absent=absent, lenient=self._reads,
            when=rule.when,
        )  # fmt: skip

    def _field(self, rule: Rule, above: Path) -> Field:
        pair = self._pairs.pair(rule, above)
        convert_step = pair.read if self._reads else pair.write
        checked = checks(rule)
        steps = [*_split(rule), *(checked if self._reads else ())]
        if convert_step is not None and not (steps and pair is convert.TEXT):
            steps.append(convert_step)
        steps = [*steps, *(() if self._reads else checked)]
        if rule.sources == ((CONTEXT, "now"),) and pair.form.kind in _MOMENT_PARTS:
            steps.insert(0, moment_part(_MOMENT_PARTS[pair.form.kind], self._setting.zone))
        pointed = rule.left if self._reads and not self._setting.by_source else rule.sources[0]
        return Field(
            target=rule.left,
            sources=tuple(Source(path=path) for path in rule.sources),
            pointer="" if is_context(pointed) else ".".join(pointed) if self._setting.by_source else pointer(pointed),
            line=rule.line,
            rule=rule,
            form=_form(rule, pair, reads=self._reads),
            steps=tuple(steps),
            combine=_combine(rule),
            absent=self._absent(rule, pair),
            keep_null=rule.optional and (self._reads or rule.null),
            blanks=BLANKS | pair.blanks if self._reads and self._setting.blank else frozenset(),
            when=rule.when,
            exact=self._exact(rule, pair),
        )

    def _exact(self, rule: Rule, pair: Pair) -> bool:
        limited = rule.digits is not None or rule.pattern is not None or rule.max is not None
        structured = rule.split is not None or rule.join is not None or rule.when is not None
        return pair.exact and not structured and not (limited and rule.converter is not None)

    def _absent(self, rule: Rule, pair: Pair) -> object:
        if rule.default is MISSING:
            return OPTIONAL if rule.optional else REQUIRED
        try:
            theirs = pair.write.run(rule.default) if pair.write else rule.default
        except Bad as bad:
            limits = ", ".join(bad.params.values())
            self._pairs.find(rule.line, f"the default {rule.default!r} is no value of {show(rule.left)}", limits)
            return rule.default
        return rule.default if self._reads else theirs


def _split(rule: Rule) -> tuple[Step, ...]:
    return () if rule.split is None else (convert.take_part(rule.split, rule.part),)


def _combine(rule: Rule) -> Callable[[tuple[Any, ...]], Any] | None:
    if len(rule.sources) < 2:  # noqa: PLR2004  # one source needs no combining
        return None
    return joiner(rule.join, strict=False) if rule.join is not None else _together


def _together(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return values


def _form(rule: Rule, pair: Pair, *, reads: bool) -> Form:
    if rule.converter is not None and rule.converter.kind == "using":
        return pair.form
    if not reads and (rule.split is not None or rule.join is not None):
        return Form()
    if pair.form.kind != "text" or pair.form.words:
        return pair.form
    return Form(digits=rule.digits, pattern=rule.pattern, max=longest(rule))
