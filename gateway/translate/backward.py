"""Turns rules into the plan that undoes a table, where it can be undone."""

from dataclasses import replace

from gateway.translate import convert
from gateway.translate.convert import Pair, Step
from gateway.translate.pairs import BLANKS, Pairs, Setting, checks, joiner, overlap, pointer
from gateway.translate.plan import EMPTY, OPTIONAL, REQUIRED, Field, Listed, Part, Plan, Source, is_context
from gateway.translate.rules import MISSING, Path, Repeat, Rule, Rules


class _OneWay(Exception):
    """A rule can't be undone, so its table has no inverse."""


class Backward:
    """Builds the inverse of one table."""

    def __init__(self, setting: Setting, pairs: Pairs) -> None:
        self._setting = setting
        self._pairs = pairs
        self._reads = setting.side == "read"

    def plan(self, rules: Rules) -> Plan | None:
        """Return the plan that undoes the table, None if a rule in it can't be undone."""
        try:
            return Plan(file=self._setting.mapping.name, parts=self._backward(rules, ()))
        except _OneWay:
            return None

    def _backward(self, rules: Rules, above: Path) -> tuple[Part, ...]:
        parts: list[Part] = []
        splits: dict[tuple[Path, str], list[Rule]] = {}
        for rule in rules:
            if isinstance(rule, Repeat):
                parts.append(self._repeat_back(rule, above))
            elif rule.split is not None:
                splits.setdefault((rule.sources[0], rule.split), []).append(rule)
            elif rule.const is MISSING:
                parts.extend(self._undo(rule, above))
        parts.extend(self._unsplit(path, separator, found, above) for (path, separator), found in splits.items())
        lists = [part.target for part in parts if isinstance(part, Listed)]
        if len(set(lists)) < len(lists):
            raise _OneWay
        targets = {part.target for part in parts}
        if any(overlap(one, other) for one in targets for other in targets if one != other):
            raise _OneWay
        return tuple(parts)

    def _repeat_back(self, rule: Repeat, above: Path) -> Listed:
        inside = (*above, *(rule.each if self._reads else rule.left))
        item = Plan(file=self._setting.mapping.name, parts=self._backward(rule.rules, inside))
        return self._list_back(rule, item)

    def _list_back(self, rule: Rule | Repeat, item: Plan | Field) -> Listed:
        each = rule.each or ()
        optional = rule.optional or rule.when is not None
        return Listed(
            target=each, each=rule.left, item=item, pointer=pointer(rule.left if self._reads else each),
            line=rule.line, absent=OPTIONAL if optional else REQUIRED if self._reads else EMPTY,
            lenient=not self._reads,
        )  # fmt: skip

    def _undo(self, rule: Rule, above: Path) -> list[Part]:
        steps, pair = self._steps_back(rule, (*above, *rule.each) if rule.each and self._reads else above)
        made: list[Part] = []
        for number, path in enumerate(rule.sources, start=1):
            if is_context(path):
                if rule.join is not None:
                    raise _OneWay
                continue
            back = self._field_back(rule, pair, path, (Source(path=rule.left),), steps)
            if rule.join is not None:
                fewer = back.absent is OPTIONAL
                undo = convert.undo_join(rule.join, number, len(rule.sources), fewer=fewer)
                back = replace(back, steps=(*steps, undo))
            if rule.each is not None:
                item = replace(back, sources=(Source(path=()),), pointer="", absent=REQUIRED, when=None)
                item = replace(item, target=path)
                made.append(self._list_back(rule, item))
                continue
            made.append(back)
        return made

    def _unsplit(self, path: Path, separator: str, rules: list[Rule], above: Path) -> Field:
        rules = sorted(rules, key=lambda rule: rule.part)
        if [rule.part for rule in rules] != list(range(1, len(rules) + 1)) or is_context(path):
            raise _OneWay
        sources = tuple(Source(path=rule.left, steps=self._steps_back(rule, above)[0]) for rule in rules)
        pair = self._pairs.pair(rules[0], above)
        back = self._field_back(rules[0], pair, path, sources, ())
        optional = all(rule.optional for rule in rules)
        return replace(back, combine=joiner(separator, strict=True), absent=OPTIONAL if optional else REQUIRED)

    def _steps_back(self, rule: Rule, above: Path) -> tuple[tuple[Step, ...], Pair]:
        pair = self._pairs.pair(rule, above)
        step = pair.write if self._reads else pair.read
        several = len(rule.sources) > 1
        one_way = (step is None and pair.form.kind == "any" and rule.converter is not None) or rule.join == ""
        if one_way or (several and rule.join is None) or (self._reads and not self._invertible(rule)):
            raise _OneWay
        steps = (step,) if step else ()
        checked = checks(rule)
        return ((*steps, *checked) if self._reads else (*checked, *steps)), pair

    def _invertible(self, rule: Rule) -> bool:
        if rule.converter is None or rule.converter.kind != "codes":
            return True
        words = list(self._setting.mapping.codes[str(rule.converter.argument)].words.values())
        return len(set(words)) == len(words)

    def _field_back(
        self, rule: Rule, pair: Pair, target: Path, sources: tuple[Source, ...], steps: tuple[Step, ...]
    ) -> Field:
        optional = rule.optional or rule.default is not MISSING or rule.when is not None
        return Field(
            target=target,
            sources=sources,
            pointer=pointer(rule.left if self._reads else target),
            line=rule.line,
            rule=rule,
            form=pair.form,
            steps=steps,
            absent=OPTIONAL if optional else REQUIRED,
            keep_null=not self._reads and rule.optional,
            blanks=BLANKS | pair.blanks if not self._reads and self._setting.blank else frozenset(),
        )
