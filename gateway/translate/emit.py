"""Compiles a plan to straight-line Python, whose lines are the mapping's own."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gateway.message import Context
from gateway.translate.code import Code
from gateway.translate.convert import Bad, Step, Words
from gateway.translate.explain import as_list, from_context, take_root
from gateway.translate.plan import OPTIONAL, REQUIRED, Field, Fixed, Listed, Plan, is_context
from gateway.translate.rules import MISSING, Path

Quick = Callable[[Any, Context | None], Any]
Tree = dict[str, Any]


def emit(plan: Plan) -> Quick:
    """Return the plan as a function of document and context; it raises anything at all if something doesn't fit."""
    return _Function(plan.file).of_plan(plan)


def emit_cells(plan: Plan, columns: Sequence[str]) -> Quick | None:
    """Return the plan as a function of the texts under these columns, None where it wants more than texts."""
    flat = all(not isinstance(part, Listed) and _is_flat(part) for part in plan.parts)
    return _Function(plan.file, columns).of_plan(plan) if flat and not plan.root else None


def _is_flat(part: Field | Fixed) -> bool:
    paths = [source.path for source in part.sources] if isinstance(part, Field) else []
    paths += [part.when.path] if part.when else []
    return all(len(path) == 1 and not is_context(path) for path in paths)


def _gap(*_: object) -> None:
    raise Bad("required")


class _Function:
    """One plan's code: `d` is the document, `c` the context, `M` means missing, `E` is an empty parent.

    With `columns`, `d` has the texts under them, in their order.
    """

    def __init__(self, file: str, columns: Sequence[str] | None = None) -> None:
        self._file = file
        self._places = None if columns is None else {name: place for place, name in enumerate(columns)}
        self._code = Code(file, "d, c", {"M": MISSING, "E": {}, "gap": _gap})
        self._parents: dict[Path, str] = {}

    def of_plan(self, plan: Plan) -> Quick:
        if plan.parts:
            self._code.line = plan.parts[0].line
        if plan.root:
            take, root = self._code.bind(take_root), self._code.bind(plan.root)
            self._code.write(f"r = {self._lenient(plan.root)}")
            self._code.write(f"d = r if r.__class__ is dict else {take}(d, {root})")
        tree: Tree = {}
        for part in plan.parts:
            self._code.line = part.line
            _plant(tree, part.target, self._part(part))
        self._code.write(f"return {self._object(tree)[0]}")
        return self._code.finish()

    def of_value(self, field: Field) -> Quick:
        self._code.line = field.line
        name, _ = self._field(field)
        self._code.write(f"if {name} is M: gap()")
        tree: Tree = {}
        if field.target:
            _plant(tree, field.target, (name, True))
        self._code.write(f"return {self._object(tree)[0] if tree else name}")
        return self._code.finish()

    def _part(self, part: Field | Fixed | Listed) -> tuple[str, bool]:
        """Write one part; return the name that holds its value, and whether that is always there (else it may be M)."""
        if part.when is None:
            return self._body(part)
        name, found = self._code.name("v"), self._code.name("w")
        kind, equals = self._code.bind(type(part.when.equals)), self._code.key(part.when.equals)
        self._code.write(f"{name} = M")
        self._code.write(f"{found} = {self._lenient(part.when.path)}")
        with self._code.block(f"if {found}.__class__ is {kind} and {found} == {equals}:"):
            self._code.write(f"{name} = {self._body(part)[0]}")
        return name, False

    def _body(self, part: Field | Fixed | Listed) -> tuple[str, bool]:
        if isinstance(part, Fixed):
            return self._code.key(part.value), True
        if isinstance(part, Listed):
            return self._listed(part)
        return self._field(part) if part.combine is None else self._combined(part)

    def _field(self, field: Field) -> tuple[str, bool]:
        name = self._code.name("v")
        source = field.sources[0]
        steps = (*source.steps, *field.steps)
        if field.absent is REQUIRED:
            self._certain(name, source.path, field, steps)
            return name, True
        self._fetch(name, source.path, strict=False)
        gone = field.blanks | ({MISSING} if field.keep_null else {MISSING, None})
        with self._code.block(f"if {name} in {self._code.bind(gone)}:"):
            self._or_else(name, field)
        with self._code.block(f"elif {name} is not None:" if field.keep_null else "else:"):
            self._steps(name, steps, text=self._places is not None)
        return name, field.absent is not OPTIONAL

    def _certain(self, name: str, path: Path, field: Field, steps: Sequence[Step]) -> None:
        self._fetch(name, path, strict=True)
        if field.blanks and not refuses(steps, field.blanks):
            self._code.write(f"if {name} in {self._code.bind(field.blanks)}: gap()")
        if not steps or field.combine is not None:
            self._code.write(f"if {name} is None: gap()")
        self._steps(name, steps, text=self._places is not None)

    def _combined(self, field: Field) -> tuple[str, bool]:
        value = self._code.name("v")
        names = [self._code.name("s") for _ in field.sources]
        whole, combine = f"({', '.join(names)},)", self._code.bind(field.combine)
        if field.absent is REQUIRED:
            for name, source in zip(names, field.sources, strict=True):
                self._certain(name, source.path, field, source.steps)
            self._code.write(f"{value} = {combine}({whole})")
            self._steps(value, field.steps)
            return value, True
        gone = self._code.bind(field.blanks | {MISSING, None})
        for name, source in zip(names, field.sources, strict=True):
            self._fetch(name, source.path, strict=False)
            self._code.write(f"if {name} in {gone}: {name} = M")
            with self._code.block("else:"):
                self._steps(name, source.steps, text=self._places is not None)
        self._code.write(f"{value} = tuple([s for s in {whole} if s is not M])")
        with self._code.block(f"if not {value}:"):
            self._or_else(value, field)
        with self._code.block("else:"):
            self._code.write(f"{value} = {combine}({value})")
            self._steps(value, field.steps)
        return value, field.absent is not OPTIONAL

    def _or_else(self, name: str, field: Field) -> None:
        self._code.write(f"{name} = {'M' if field.absent is OPTIONAL else self._code.key(field.absent)}")

    def _listed(self, part: Listed) -> tuple[str, bool]:
        item = _Function(self._file)
        run = self._code.bind(item.of_plan(part.item) if isinstance(part.item, Plan) else item.of_value(part.item))
        name = self._code.name("v")
        self._code.write(f"{name} = {self._lenient(part.each)}")
        if part.absent is not OPTIONAL:
            self._elements(name, run, part)
            return name, True
        self._code.write(f"if {name} is M or {name} is None: {name} = M")
        with self._code.block("else:"):
            self._elements(name, run, part)
        return name, False

    def _elements(self, name: str, run: str, part: Listed) -> None:
        other = self._code.bind(as_list if part.lenient else _gap)
        self._code.write(f"if {name}.__class__ is not list: {name} = {other}({name})")
        self._code.write(f"{name} = [{run}(i, c) for i in {name}]")

    def _steps(self, name: str, steps: Sequence[Step], *, text: bool = False) -> None:
        """Write what is done to a value; `text` when it is known to be a text."""
        for step in steps:
            run = self._code.bind(step.run)
            if text and step.fits:
                self._code.write(f"if not ({self._words(name, step.fits)}): {name} = {run}({name})")
            elif text and step.makes:
                self._code.write(f"{name} = {self._words(name, step.makes)}")
            elif isinstance(step.quick, type):
                self._code.write(f"if {name}.__class__ is not {self._code.bind(step.quick)}: {name} = {run}({name})")
                text = step.quick is str
            elif step.quick is not None:
                self._code.write(f"{name} = {self._code.bind(step.quick)}[{name}]")
                text = False
            else:
                self._code.write(f"{name} = {run}({name})")
                text = False
        if not steps:
            self._code.write("pass")

    def _words(self, name: str, words: Words) -> str:
        return words.code.format(*map(self._code.key, words.values), v=name)

    def _fetch(self, name: str, path: Path, *, strict: bool) -> None:
        if not is_context(path):
            self._code.write(f"{name} = {self._strict(path) if strict else self._lenient(path)}")
            return
        self._code.write(f"{name} = {self._code.bind(from_context)}({self._code.bind(path)}, c)")
        if strict:
            self._code.write(f"if {name} is M: gap()")

    def _strict(self, path: Path) -> str:
        if self._places is not None:
            return f"d[{self._places[path[0]]}]" if path[0] in self._places else "gap()"
        return f"{self._parent(path[:-1])}[{self._code.key(path[-1])}]" if path else "d"

    def _parent(self, path: Path) -> str:
        """Return where a path's last step is looked up; outside blocks it is fetched once for all its fields."""
        if not path or self._code.depth > 1:
            return self._strict(path)
        if path not in self._parents:
            name = self._code.name("p")
            self._code.write(f"{name} = {self._strict(path)}")
            self._parents[path] = name
        return self._parents[path]

    def _lenient(self, path: Path) -> str:
        if self._places is not None:
            return f"d[{self._places[path[0]]}]" if path[0] in self._places else "M"
        found = "d"
        for step in path[:-1]:
            found = f"({found}.get({self._code.key(step)}) or E)"
        return f"{found}.get({self._code.key(path[-1])}, M)" if path else "d"

    def _object(self, tree: Tree) -> tuple[str, bool]:
        """Write the assembly of an object, in the order of the rules; return its name and whether it can't be empty."""
        always: list[str] = []
        later: list[tuple[str, str, bool]] = []
        for key, node in tree.items():
            name, there = self._object(node) if isinstance(node, dict) else node
            if isinstance(node, dict) and not there:
                self._code.write(f"if not {name}: {name} = M")
            if there and not later:
                always.append(f"{self._code.key(key)}: {name}")
            else:
                later.append((self._code.key(key), name, there))
        built = self._code.name("o")
        self._code.write(f"{built} = {{{', '.join(always)}}}")
        for key, name, there in later:
            self._code.write(f"{'' if there else f'if {name} is not M: '}{built}[{key}] = {name}")
        return built, bool(always) or any(there for _, _, there in later)


def refuses(steps: Sequence[Step], texts: Iterable[str]) -> bool:
    """Tell whether these texts don't fit anyway, so that the slower reading comes to say that they are blank."""
    return not any(_passes(steps, text) for text in texts)


def _passes(steps: Sequence[Step], value: Any) -> bool:
    try:
        for step in steps:
            value = step.run(value)
    except Exception:  # noqa: BLE001 - compiled code may raise anything at all, too
        return False
    return True


def _plant(tree: Tree, target: Path, leaf: tuple[str, bool]) -> None:
    for step in target[:-1]:
        tree = tree.setdefault(step, {})
    tree[target[-1]] = leaf
