"""Public WSDLs that nobody here wrote: they load or are one finding, and nearly all their messages are compiled."""

from collections.abc import Iterator
from pathlib import Path

from adapters.soap.planning import Plans, read_plans
from gateway import ConfigError


def plans(corpus: Path) -> Iterator[tuple[Path, Plans]]:
    for path in sorted((corpus / "wsdl").rglob("*.wsdl")):
        try:
            yield path, read_plans(path)
        except ConfigError as error:
            (finding,) = error.findings
            assert finding.where
            assert finding.remedy


def test_every_public_wsdl_loads_or_is_one_finding(corpus: Path) -> None:
    loaded = dict(plans(corpus))
    operations = [operation for found in loaded.values() for operation in found.operations.values()]

    assert len(loaded) >= 130
    assert len(operations) >= 410
    assert sum(len(found.refused) for found in loaded.values()) <= 45


def test_the_messages_of_public_wsdls_are_compiled(corpus: Path) -> None:
    operations = [operation for _, found in plans(corpus) for operation in found.operations.values()]
    messages = [plan for one in operations for plan in (one.request, one.reply) if plan is not None]

    assert [plan.odd for plan in messages if plan.odd] == []
    assert len(messages) >= 830
