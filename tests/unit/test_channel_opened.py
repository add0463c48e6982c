"""Answers in which a text is opened first: what their tables find in it, and what is told when it can't be opened."""

from dataclasses import replace

import pytest

from gateway.errors import FieldError, InvalidAnswer, NotFound, TranslationError, Unavailable
from gateway.message import Answer
from tests.unit.test_channel import CODES, channel, message


def within(document):
    """Open the text `hasil`."""
    if not isinstance(document["hasil"], dict):
        raise TranslationError("reply", [FieldError(pointer="/hasil", rule="json", where="mappings/x.toml:3")])
    return document["hasil"]


async def test_a_code_within_a_text_is_found_once_it_is_opened() -> None:
    made, _, _ = channel(Answer(document={"hasil": {"kode": "02"}}, http_status=200), code_path=("kode",), codes=CODES)

    with pytest.raises(NotFound):
        await replace(made, opened=within).send(message())


async def test_a_text_that_cant_be_opened_is_an_invalid_answer_unless_the_status_says_how_it_went() -> None:
    made, _, _ = channel(Answer(document={"hasil": "Fatal error"}, http_status=200))
    with pytest.raises(InvalidAnswer) as caught:
        await replace(made, opened=within).send(message())
    assert [error.pointer for error in caught.value.errors] == ["/hasil"]

    made, _, _ = channel(Answer(document={"hasil": "Fatal error"}, http_status=503))
    with pytest.raises(Unavailable):
        await replace(made, opened=within).send(message())
