"""What becomes of messages that are sent together: each has its own end."""

from dataclasses import dataclass, field, replace

import pytest

from gateway.errors import AgencyError, AgencyTimeout, FieldError, InvalidAnswer, TranslationError, Unavailable
from gateway.handover import Batching
from gateway.message import Answer, Outcome, Reply
from tests.unit.test_channel import Agency, channel, message


@dataclass
class Inbox(Agency):
    """Takes calls together."""

    ends: list[Answer | TranslationError] = field(default_factory=list)

    def batching(self, _target, /):
        return Batching(rows=3, every=1.0)

    async def exchange_many(self, calls, /):
        self.calls += calls
        if isinstance(self.says, Exception):
            raise self.says
        return self.ends or [self.says] * len(calls)


async def test_of_many_each_has_its_own_end() -> None:
    way, _, seen = channel(Answer(document={}))
    refused = TranslationError("request", [FieldError(pointer="nama", rule="encoding")])
    inbox = Inbox(says=Answer(document={}), ends=[Answer(document={"a": 1}), refused, Answer(document={"bad": 1})])
    way = replace(way, adapter=inbox)
    fits, stuck, lost, late, wrong = await way.send_many(
        [message(), message(), message(), message(seconds=-1.0), message({"missing": 1})]
    )
    assert isinstance(fits, Reply)
    assert fits.body == {"a": 1}
    assert isinstance(stuck, TranslationError)
    assert stuck.errors[0].pointer == "/ours/nama"
    assert isinstance(lost, InvalidAnswer)
    assert lost.native is not None
    assert isinstance(late, AgencyTimeout)
    assert isinstance(wrong, TranslationError)
    assert len(inbox.calls) == 3
    assert [outcome for outcome, _ in seen] == [Outcome.OK, Outcome.INVALID, Outcome.TIMEOUT]


@pytest.mark.parametrize(
    ("says", "kind", "maybe_done"),
    [(Unavailable("disk full", maybe_done=False), Unavailable, False), (KeyError("x"), InvalidAnswer, True)],
)
async def test_what_keeps_many_from_going_is_the_end_of_each(
    says: Exception, kind: type[AgencyError], maybe_done: bool
) -> None:
    way, _, _ = channel(Answer(document={}))
    way = replace(way, adapter=Inbox(says=says))
    ends = await way.send_many([message(), message()])
    assert [(type(end), getattr(end, "maybe_done", None)) for end in ends] == [(kind, maybe_done)] * 2
    assert await way.send_many([message({"missing": 1})])
