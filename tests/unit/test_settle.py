"""What an end becomes: an agency's words apart from what may stand in clear."""

import pytest

from gateway.errors import FieldError, InvalidAnswer, NotFound, TranslationError, Unavailable
from gateway.records import Buried, Postponed, Refused, Unknown
from gateway.settle import verdict_of

SAYS = "Siti Rahmawati sudah ada"
MISFIT = FieldError(pointer="/nama", rule="max", params={"max": "5"}, where="m.toml:3", value="Siti R")


@pytest.mark.parametrize(
    ("end", "verdict"),
    [
        (
            NotFound(SAYS, maybe_done=False, by="code '02'"),
            Refused(code="not-found", text=SAYS, why="code '02'"),
        ),
        (NotFound(SAYS, maybe_done=False), Refused(code="not-found", text=SAYS)),
        (
            Unavailable(SAYS, maybe_done=False, by="HTTP 503"),
            Postponed(seconds=0.0, text="HTTP 503", words=SAYS),
        ),
        (Unavailable("HTTP 503", maybe_done=True), Postponed(seconds=0.0, maybe_done=True, text="HTTP 503")),
        (
            InvalidAnswer("the answer does not fit", maybe_done=True, errors=[MISFIT]),
            Unknown(code="agency-invalid-answer", text="the answer does not fit; m.toml:3: /nama: max"),
        ),
        (
            TranslationError("request", [MISFIT]),
            Buried(reason="misfit", text="m.toml:3: /nama: max", errors=(MISFIT,)),
        ),
    ],
)
def test_an_agencys_words_and_a_fields_value_are_apart_from_what_is_kept_in_clear(end, verdict) -> None:
    assert verdict_of(end) == verdict
    assert "Siti" not in getattr(verdict, "why", "") + (verdict.text if not isinstance(verdict, Refused) else "")
