"""A gateway's folder and its ledger, for tests of what operators do: made-up messages in every state."""

import hashlib
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from gateway.clock import SystemClock
from gateway.ledger import Ledger
from gateway.ledger.keys import KeySource
from gateway.ledger.opening import open_ledger
from gateway.message import Answer, Document, Message, MessageId, OperationId, Outcome, Reply, new_message_id
from gateway.ports import Clock
from gateway.records import (
    Buried,
    Delivered,
    Entry,
    Expired,
    Record,
    Refused,
    Settlement,
    State,
    Terms,
    Tried,
    Unknown,
    Verdict,
)

OPERATOR_KEY, OLD_KEY = "kunci-operator-uji", "kunci-operator-lama"
NIK, NAME = "1405020101909001", "Siti Rahmawati"
BODY: Document = {"pemohon": {"nik": NIK, "nama": NAME}, "jenis": "IMB"}
FILE_PERMIT = OperationId("dpmptsp/ajukan-izin")
ODD: Document = {"kode": "200", "no": "503/1/2026", "retribusi": "Rp 1500"}
"""An answer whose fee does not fit the mapping."""

FEE = 'biaya = { from = "retribusi", number = "1.234,56" }'
MENDED_FEE = 'biaya = "retribusi"'
MAPPING = f"""
[agency]
outcome = {{ from = "kode", ok = ["200"], refused = ["201"], message = "pesan" }}

[ajukan-izin.request]
nik   = {{ from = "pemohon.nik", digits = 16, mask = true }}
nama  = "pemohon.nama"
jenis = "jenis"

[ajukan-izin.reply]
nomor = "no"
{FEE}
"""


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


CONFIG = f"""
[gateway]
name    = "Kabupaten Pelalawan"
listen  = "127.0.0.1:0"
metrics = "127.0.0.1:0"
control = "127.0.0.1:0"

[operator.sri]
keys = [{{ sha256 = "{_hash(OPERATOR_KEY)}" }}, {{ sha256 = "{_hash(OLD_KEY)}", until = 2020-01-01 }}]

[agency.dpmptsp]
title   = "DPMPTSP (SIPOLAN)"
adapter = "rest"
url     = "http://127.0.0.1:9/api"
mapping = "mappings/dpmptsp.toml"

[agency.dpmptsp.operation.ajukan-izin]
expose   = "POST /v1/izin"
call     = "POST /permohonan"
deliver  = "store-and-forward"
subject  = "pemohon.nik"
order_by = "pemohon.nik"

[agency.dinkes]
title   = "Dinas Kesehatan"
adapter = "rest"
url     = "http://127.0.0.1:9/api"
mapping = "mappings/dinkes.toml"
"""


def furnish(folder: Path, ledger: str = "sqlite:var/ledger.db") -> Path:
    """Write the files of a gateway; returns its gateway.toml."""
    (folder / "mappings").mkdir()
    (folder / "mappings/dpmptsp.toml").write_text(MAPPING, "utf-8")
    (folder / "mappings/dinkes.toml").write_text("", "utf-8")
    (folder / "gateway.toml").write_text(CONFIG.replace("[gateway]", f'[gateway]\nledger  = "{ledger}"'), "utf-8")
    return folder / "gateway.toml"


def mend(folder: Path, changes: Mapping[str, str]) -> None:
    """Change the mapping."""
    path = folder / "mappings/dpmptsp.toml"
    text = path.read_text("utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def kept(document: Document | None = ODD, http_status: int = 200) -> bytes:
    """An answer as the ledger keeps it."""
    return msgspec.json.encode(Answer(document=document, http_status=http_status))


def unreadable() -> Unknown:
    return Unknown(code="agency-invalid-answer", text=f"{NIK} tidak terbaca", native=kept())


@dataclass(frozen=True)
class Books:
    """A ledger, and how messages get into it."""

    ledger: Ledger
    clock: Clock

    async def put(self, body: Document = BODY, **more: object) -> MessageId:
        """Record a message; see `entry`."""
        (receipt,) = await self.ledger.put(self.entry(body, **more))
        return receipt.id

    def entry(self, body: Document = BODY, *, lane: str = "dpmptsp", ago: float = 0.0, **more: object) -> Entry:
        """Make an entry, accepted `ago` seconds before."""
        message = Message(
            id=new_message_id(),
            operation=OperationId(f"{lane}/ajukan-izin"),
            body=body,
            client="klik-pelalawan",
            correlation_id="c-1",
            traceparent="",
            accepted_at=self.clock.now() - timedelta(seconds=ago),
            deadline=0.0,
        )
        return Entry(message=message, lane=lane, **{"subject": NIK, **more})

    async def ended(self, *verdicts: Verdict, lane: str = "dpmptsp", **more: object) -> list[MessageId]:
        """Record messages that ended so, one for each verdict."""
        receipts = await self.ledger.put(*(self.entry(lane=lane, **more) for _ in verdicts))
        ids = [receipt.id for receipt in receipts]
        claims = await self.ledger.claim(lane, len(ids), lease=60.0, terms=Terms(probe=True))
        assert len(claims) == len(ids)
        ends = dict(zip(ids, verdicts, strict=True))
        await self.ledger.settle(
            *(Settlement(ticket=claim.ticket, verdict=ends[claim.ticket.id], tried=self._tried()) for claim in claims)
        )
        return ids

    async def one_of_each(self) -> dict[State, MessageId]:
        """Record a message in each state but delivering and cancelled."""
        ids = await self.ended(
            Delivered(reply=Reply(body={"nomor": "503/1"})),
            Refused(text=f"{NAME}, NIK {NIK}, tidak dikenal", why="code '02'"),
            unreadable(),
            Buried(reason="poison", text=f"gagal untuk {NIK}"),
            Expired(),
        )
        states = (State.DELIVERED, State.REFUSED, State.UNKNOWN, State.BURIED, State.EXPIRED)
        return {**dict(zip(states, ids, strict=True)), State.PENDING: await self.put()}

    async def record(self, message: MessageId) -> Record:
        record = await self.ledger.get(message)
        assert record is not None
        return record

    async def state(self, message: MessageId) -> State:
        return (await self.record(message)).summary.state

    def _tried(self) -> Tried:
        at: datetime = self.clock.now()
        return Tried(at=at, seconds=0.25, outcome=Outcome.UNAVAILABLE, status=503, error=f"HTTP 503 untuk {NIK}")


@asynccontextmanager
async def books(folder: Path, clock: Clock | None = None) -> AsyncIterator[Books]:
    """Open the ledger of a folder, as the commands do."""
    clock = clock or SystemClock("Asia/Jakarta")
    named = tomllib.loads((folder / "gateway.toml").read_text("utf-8"))["gateway"].get("ledger", "sqlite:var/ledger.db")
    address = f"sqlite:{folder / named.removeprefix('sqlite:')}" if named.startswith("sqlite:") else named
    ledger = await open_ledger(address, KeySource(path=folder / "var/ledger.key"), clock)
    try:
        yield Books(ledger, clock)
    finally:
        await ledger.close()
