"""What is drawn for the laws of a ledger: messages, verdicts, times, and who asks."""

from datetime import datetime, timedelta

from hypothesis import strategies as st

from gateway.records import (
    BY_GATEWAY,
    Buried,
    Delivered,
    Entry,
    Expired,
    PauseReason,
    Postponed,
    Refused,
    Released,
    Unknown,
)
from tests.contract.ledger import a_message
from tests.fakes import MONDAY_MORNING

LEASE = 20


def at_time(seconds: int) -> datetime:
    return MONDAY_MORNING + timedelta(seconds=seconds)


def maybe_at(seconds: int | None) -> datetime | None:
    return None if seconds is None else at_time(seconds)


# One lane and one order key get most of it: laws are broken where messages meet.
LANES = ("dpmptsp", "dinkes")
lanes = st.sampled_from([*LANES, LANES[0], LANES[0]])
reasons: st.SearchStrategy[PauseReason] = st.sampled_from(["operator", "maintenance", "hours", "outage"])
who = st.sampled_from(["sri", "sri", "adi", BY_GATEWAY])
bodies = st.sampled_from(["a", "a", "b"])
dates = st.sampled_from([None, 0, 10, 10, 50]).map(lambda at: None if at is None else at_time(at))
entries = st.builds(
    Entry,
    message=st.builds(
        lambda key, body: a_message(idempotency_key=key, body={"isi": body}),
        st.sampled_from([None, None, "k-1", "k-2"]),
        bodies,
    ),
    lane=lanes,
    repeat=st.sampled_from(["harmless", "ask", "never"]),
    expires=st.sampled_from([None, None, 25.0, 60.0]),
    order_key=st.sampled_from([None, "ani", "ani", "ani", "budi"]),
    skip_buried=st.booleans(),
    answer_by=dates,
    near_at=dates,
    until_final=st.booleans(),
)
verdicts = st.one_of(
    st.sampled_from([Delivered(), Refused(), Unknown(), Buried(reason="poison"), Expired(), Released()]),
    st.builds(Postponed, seconds=st.sampled_from([0.0, 5.0, 50.0]), maybe_done=st.booleans()),
)
ages = st.sampled_from([0.0, 0.0, 10.0, 50.0])
places = st.integers(0, 30)
