"""CPU of the SOAP codec, without HTTP: the pilot's own WSDL, and an answer of 33 elements; prints microseconds."""

from collections.abc import Callable, Iterator
from pathlib import Path

from adapters.soap.decode import decode
from adapters.soap.encode import encode
from adapters.soap.envelope import open_envelope
from adapters.soap.planning import Plans, read_plans
from bench.cpu import microseconds

HERE = Path(__file__).parent
CALLS, ROUNDS = 1000, 9


def parts(plans: Plans) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what is measured, by name."""
    status, file = plans.operations["statusPermohonan"], plans.operations["ajukanPermohonan"]
    answer, short = ((HERE / "answers" / name).read_bytes() for name in ("status.xml", "ajukan.xml"))
    asked = {"kode_akses": "gateway", "kata_sandi": "of-the-bench", "no_permohonan": "161/IMB/IV/2021"}
    assert status.reply
    assert file.reply
    reply, short_reply = status.reply, file.reply
    yield "encode a call of 3 fields", lambda: encode(status.request, asked)
    yield "parse an answer of 33 elements", lambda: open_envelope(answer, reply.soap, encoded=reply.encoded)
    yield "decode it, parsing included", lambda: decode(reply, answer)
    yield "decode an answer of 4 fields", lambda: decode(short_reply, short)


def main() -> None:
    """Print one line per part."""
    plans = read_plans(HERE.parent / "wsdl/dpmptsp/sipolan.wsdl")
    for name, call in parts(plans):
        print(f"{name:42}{microseconds(call, calls=CALLS, rounds=ROUNDS):7.2f}")


if __name__ == "__main__":
    main()
