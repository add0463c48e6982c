"""The documents agree with the code and with each other."""

import re
from pathlib import Path

import pytest

from gateway import errors, wording

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("helm/**/*.md")]
DESIGN = (ROOT / "docs/design.md").read_text("utf-8")


def codes(error: type[errors.GatewayError] = errors.GatewayError) -> set[str]:
    return {error.code}.union(*(codes(kind) for kind in error.__subclasses__()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text("utf-8"))
    assert not [target for target in targets if not (page.parent / target).exists()]


def anchors(page: Path) -> set[str]:
    """Return the names that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_into_a_page_leads_to_a_heading(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", page.read_text("utf-8"))
    assert not [(to, name) for to, name in links if name not in anchors(page.parent / to if to else page)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^ {4})make ([a-z]+)", page.read_text("utf-8"), re.MULTILINE))
    assert named <= targets


def test_every_error_code_has_its_row_in_the_design() -> None:
    # ConfigError never reaches a client.
    missing = {code for code in codes() - {"config"} if f"`{code}`" not in DESIGN}
    assert not missing


def test_every_error_a_client_can_see_has_words_in_both_languages() -> None:
    # A TranslationError is told as invalid-request or agency-invalid-answer.
    assert codes() - {"config", "translation"} <= wording.PROBLEMS.keys()
