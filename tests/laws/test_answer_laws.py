"""Whatever an agency's server says, in whatever pieces: an answer, or one of three errors; never anything else."""

import asyncio
import gzip
import zlib

from hypothesis import example, given
from hypothesis import strategies as st

from adapters.wire import MAX_HEAD, Broken, Flawed, Heard, Wire

MAX_BODY = 200
PARTS = (
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 404 Not Found\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 204 X\r\n",
    b"HTTP/1.1 101 X\r\n", b"HTTP/1.1 304 X\r\n", b"Content-Length: 2\r\n", b"Content-Length: 300\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n", b"Content-Encoding: deflate\r\n",
    b"Content-Encoding: br\r\n", b"Connection: close\r\n", b"Connection: Upgrade\r\nUpgrade: x\r\n", b"X: \xff\xfe\r\n",
    b"\r\n", b"\n", b"\r", b"{}", b"2\r\n{}\r\n", b"0\r\n\r\n", b"0\r\nX: 1\r\n\r\n", b"ffffffff\r\n", b"x" * 250,
    b"\0", gzip.compress(b"{}"), gzip.compress(bytes(999)), zlib.compress(b"{}"), zlib.compress(bytes(999)),
)  # fmt: skip


def conversations() -> st.SearchStrategy[bytes]:
    spoken = st.lists(st.sampled_from(PARTS) | st.binary(max_size=20), max_size=12).map(b"".join)
    return spoken | spoken.map(lambda text: PARTS[0] + text) | st.binary(max_size=300)


class Line(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.gone = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """What is asked doesn't matter."""

    def is_closing(self) -> bool:
        return self.gone

    def abort(self) -> None:
        self.gone = True

    def get_extra_info(self, *_: object) -> object:
        return self

    def setsockopt(self, *_: object) -> None:
        """There is no socket."""


async def outcome(pieces: list[bytes], end: str) -> Heard | Exception:
    wire, line = Wire(max_body=MAX_BODY), Line()
    wire.connection_made(line)
    answer = wire.ask(b"GET / HTTP/1.1\r\n\r\n", None)
    for piece in pieces:
        if not line.gone:
            wire.data_received(piece)
    if not line.gone:
        wire.eof_received()
    if not answer.done() or end == "reset":
        wire.connection_lost(ConnectionResetError() if end == "reset" else None)
    assert answer.done()
    assert wire.asked
    error = answer.exception()
    assert isinstance(error, Broken | Flawed | None)
    if error is None:
        heard = answer.result()
        assert 200 <= heard.status <= 999
        assert len(heard.body) <= MAX_BODY
        assert len(str(heard.headers)) < 2 * MAX_HEAD
    else:
        assert line.gone
        assert not wire.reusable
    return error or answer.result()


@given(conversations(), st.data(), st.sampled_from(["closes", "reset"]))
@example(PARTS[0] + b"Content-Length: 2\r\n\r\n{}", None, "closes")
def test_any_bytes_end_in_an_answer_or_an_error_of_ours(said: bytes, data: st.DataObject | None, end: str) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(said)), max_size=5))) if data else []
    pieces = [said[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    asyncio.run(outcome([piece for piece in pieces if piece], end))


@given(conversations())
def test_a_body_is_the_same_however_it_comes_in(said: bytes) -> None:
    async def both() -> None:
        whole = await outcome([said] if said else [], "closes")
        single = await outcome([said[at : at + 1] for at in range(len(said))], "closes")
        # What follows an answer may be seen or not; the answer itself is the same.
        if isinstance(whole, Heard):
            assert isinstance(single, Heard)
            assert (whole.status, whole.body) == (single.status, single.body)

    asyncio.run(both())
