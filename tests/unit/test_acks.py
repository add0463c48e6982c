"""Rows in which an agency says what became of its requests, and what they come to."""

from collections.abc import Collection, Sequence

import pytest

from gateway.acknowledged import Heard, Word
from gateway.acks import acknowledged, read_ack
from gateway.errors import TranslationError
from gateway.feeds import Chunk, Reject
from gateway.handover import AckColumns
from gateway.message import MessageId, OperationId
from gateway.records import Delivered, Refused

COLUMNS = AckColumns(
    id="no", status="status", message="pesan", delivered=("OK", "Diterima"), refused=("GAGAL",), seconds=60.0
)
OPERATIONS = (OperationId("puskesmas/kirim"),)


class Ledger:
    """Hears words, and says what each came to."""

    def __init__(self, *says: Heard) -> None:
        self.says = says
        self.heard: list[Word] = []

    async def acknowledge(
        self, operations: Collection[OperationId], words: Sequence[Word], /, *, by: str
    ) -> tuple[Heard, ...]:
        assert (operations, by) == (OPERATIONS, "x")
        self.heard += words
        return self.says


def chunk(*rows: dict[str, str]) -> Chunk:
    return Chunk(after=0, position=len(rows), rows=[(n, read_ack(COLUMNS, row)) for n, row in enumerate(rows, 1)])


def test_a_status_is_known_however_it_is_written() -> None:
    assert read_ack(COLUMNS, {"no": " a ", "status": "diterima ", "pesan": ""}) == {
        "request": "a", "verdict": "delivered", "status": "diterima", "words": "",
    }  # fmt: skip
    assert read_ack(COLUMNS, {"no": "a", "status": "GAGAL", "pesan": "penuh"})["verdict"] == "refused"


def test_everything_that_is_wrong_with_a_row_is_told() -> None:
    with pytest.raises(TranslationError) as raised:
        read_ack(COLUMNS, {"no": "", "status": "?"})
    assert [(error.pointer, error.rule) for error in raised.value.errors] == [("/no", "required"), ("/status", "codes")]
    assert raised.value.errors[1].params == {"allowed": "OK, Diterima, GAGAL"}


async def test_words_go_to_the_ledger_and_are_kept_nowhere_else() -> None:
    ledger = Ledger("settled", "again")
    rows = ({"no": "a", "status": "OK"}, {"no": "b", "status": "GAGAL", "pesan": "NIK 140502 ganda"})
    kept = await acknowledged(ledger, OPERATIONS, chunk(*rows), by="x")
    assert ledger.heard == [
        Word(message=MessageId("a"), verdict=Delivered()),
        Word(message=MessageId("b"), verdict=Refused(text="NIK 140502 ganda", why="status 'GAGAL'")),
    ]
    assert [document for _, document in kept.rows] == [
        {"request": "a", "verdict": "delivered"},
        {"request": "b", "verdict": "refused"},
    ]
    assert kept.rejects == []


@pytest.mark.parametrize("said", ["unknown", "cancelled", "not-handed-over", "contradicts"])
async def test_what_settles_nothing_is_handed_back_with_the_reason(said: Heard) -> None:
    kept = await acknowledged(Ledger(said), OPERATIONS, chunk({"no": "a", "status": "OK"}), by="x")
    (reject,) = kept.rejects
    assert isinstance(reject, Reject)
    assert (reject.number, reject.reasons[0].rule, list(kept.rows)) == (1, f"request-{said}", [])


async def test_a_chunk_without_rows_asks_nobody() -> None:
    assert await acknowledged(Ledger("settled"), OPERATIONS, chunk(), by="x") == Chunk(
        after=0, position=0, rows=[], rejects=[]
    )
