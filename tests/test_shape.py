"""The shape of the code: one idea per file, short functions, a docstring on top of every module."""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("gateway", "adapters", "demo")
MAX_FILE = 400
MAX_FUNCTION = 60
AIM_MEDIAN = 8
AIM_NINETY_PERCENT = 28
UNTESTED: Mapping[int, str] = {}
"""Rules of the design's section 11 without a test by their number, and why; take one out when it has one."""
PARTLY: Mapping[int, str] = {}
"""Rules of which a part is not built, so that no test can prove it."""


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {
        path.relative_to(ROOT): len(path.read_text("utf-8").splitlines()) for path in sources(*PACKAGES, "tests")
    }
    assert not {str(path): lines for path, lines in lengths.items() if lines > MAX_FILE}


def test_no_function_is_longer_than_60_lines() -> None:
    lengths = dict(entry for path in sources(*PACKAGES, "tests") for entry in functions(path))
    assert not {name: lines for name, lines in lengths.items() if lines > MAX_FUNCTION}


def test_every_module_says_what_it_is() -> None:
    silent = [path for path in sources(*PACKAGES) if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert not [str(path.relative_to(ROOT)) for path in silent]


def test_the_sizes_beside_the_aims(capsys: pytest.CaptureFixture[str]) -> None:
    lengths = [lines for path in sources(*PACKAGES) for _, lines in functions(path)]
    middle, ninety = median(lengths), quantiles(lengths, n=10)[-1]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(lengths)} functions: median {middle:g} lines (aim {AIM_MEDIAN}), "
            f"90 % at most {ninety:g} (aim {AIM_NINETY_PERCENT})\n"
        )
    assert middle <= AIM_MEDIAN
    assert ninety <= AIM_NINETY_PERCENT


def rules() -> set[int]:
    text = (ROOT / "docs/design.md").read_text("utf-8").partition("\n## 11. ")[2].partition("\n## 12. ")[0]
    return {int(number) for number in re.findall(r"(?m)^(\d+)\. ", text)}


def test_every_rule_of_the_design_has_a_test_by_its_number() -> None:
    named = re.compile(r"\btest_rule_11_(\d+)_[a-z]")
    tested = {int(number) for path in sources("tests") for number in named.findall(path.read_text("utf-8"))}
    assert rules() == set(range(1, 27))
    assert sorted(tested) == sorted(rules() - UNTESTED.keys())
    assert PARTLY.keys() <= tested
