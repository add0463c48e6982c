"""A message says which it is, and nothing of what it holds."""

from gateway.message import Effort
from tests.unit.test_channel import message


def test_a_message_shows_nothing_that_may_be_personal() -> None:
    made = message({"nama": "Siti Rahmawati"}).but(idempotency_key="a key of hers")
    assert str(made) == f"Message(id={made.id!r}, operation={made.operation!r}, client={made.client!r})"


def test_another_message_has_other_values_and_the_first_keeps_its_own() -> None:
    made = message({"nomor": "1"})
    other = made.but(once=True, effort=Effort(attempts=1))
    assert (other.once, other.effort.attempts, other.body) == (True, 1, made.body)
    assert (made.once, made.effort.attempts) == (False, 0)
