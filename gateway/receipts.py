"""What became of a file, in words: a line for people, JSON for programs; reads and keeps nothing."""

from collections.abc import Mapping

import msgspec

from gateway.feeds import FileReceipt, FileState
from gateway.filewords import SHORT
from gateway.wording import Language, say

_STATES: Mapping[FileState, str] = {
    FileState.TAKING: "sedang dibaca",
    FileState.ACCEPTED: "diterima",
    FileState.REFUSED: "ditolak",
    FileState.DUPLICATE: "sudah pernah",
}


def line(receipt: FileReceipt) -> str:
    """Return what a clerk is told of a file."""
    tally, when = receipt.tally, f"{receipt.ended_at:%d/%m/%Y %H.%M}" if receipt.ended_at else "-"
    begin = f"{when} {receipt.file}:"
    if receipt.mode == "forward":
        return _forwarded(receipt, begin)
    if receipt.mode == "acknowledge":
        return _acknowledged(receipt, begin)
    match receipt.state:
        case FileState.DUPLICATE:
            return f"{begin} isinya sama dengan data yang sedang dipakai (tanda terima {receipt.original}); diabaikan."
        case FileState.REFUSED:
            why = say(receipt.reason, "id") if receipt.reason else "?"
            old = " Data lama tetap dipakai." if receipt.before else ""
            return f"{begin} DITOLAK: {why}.{old}"
        case FileState.ACCEPTED:
            counts = f"{tally.accepted} baris diterima, {tally.rejected} ditolak, {tally.unchanged} tidak berubah"
            reasons = f" ({_reasons(tally.rules)})" if tally.rules else ""
            mend = " Baris yang ditolak ada di folder rejected; perbaiki lalu taruh lagi." if tally.rejected else ""
            return f"{begin} {counts}{reasons}; data dari {receipt.before} menjadi {tally.kept} baris.{mend}"
        case FileState.TAKING:
            return f"{receipt.file}: sedang dibaca, {tally.position} baris selesai."


def _acknowledged(receipt: FileReceipt, begin: str) -> str:
    """Return what a clerk is told of a file that says what became of requests."""
    tally = receipt.tally
    match receipt.state:
        case FileState.DUPLICATE:
            return f"{begin} isinya sudah pernah dibaca (tanda terima {receipt.original}); diabaikan."
        case FileState.REFUSED:
            why = say(receipt.reason, "id") if receipt.reason else "?"
            return f"{begin} DITOLAK: {why}. Jawaban di baris yang sudah terbaca tetap berlaku; taruh lagi seluruhnya."
        case FileState.ACCEPTED:
            reasons = f" ({_reasons(tally.rules)})" if tally.rules else ""
            return f"{begin} {tally.accepted} jawaban dicatat, {tally.rejected} baris ditolak{reasons}."
        case FileState.TAKING:
            return f"{receipt.file}: sedang dibaca, {tally.position} baris selesai."


def _forwarded(receipt: FileReceipt, begin: str) -> str:
    """Return what a clerk is told of a file whose rows are sent on."""
    tally = receipt.tally
    match receipt.state:
        case FileState.DUPLICATE:
            return f"{begin} isinya sudah pernah diteruskan (tanda terima {receipt.original}); diabaikan."
        case FileState.REFUSED:
            why = say(receipt.reason, "id") if receipt.reason else "?"
            sent = f"{tally.accepted} baris sudah diteruskan" if tally.put else "Tidak ada yang diteruskan"
            return f"{begin} DITOLAK: {why}. {sent}."
        case FileState.ACCEPTED:
            counts = f"{tally.accepted} baris diteruskan, {tally.rejected} ditolak, {tally.unchanged} sudah pernah"
            reasons = f" ({_reasons(tally.rules)})" if tally.rules else ""
            mend = " Baris yang ditolak ada di folder rejected; perbaiki lalu taruh lagi." if tally.rejected else ""
            return f"{begin} {counts}{reasons}.{mend}"
        case FileState.TAKING:
            done = f"{tally.position} baris selesai dibaca"
            return f"{receipt.file}: {done}{f', {tally.put} diteruskan' if tally.whole else ''}."


def _reasons(rules: Mapping[str, int]) -> str:
    counts = [(-count, SHORT.get(rule, rule)) for rule, count in rules.items()]
    return ", ".join(f"{words}: {-count}" for count, words in sorted(counts))


def shown(receipt: FileReceipt, language: Language = "en") -> dict[str, object]:
    """Return a receipt as JSON shows it."""
    tally = receipt.tally
    return {
        "receipt": receipt.number,
        "reference": receipt.reference,
        "feed": receipt.feed,
        "file": receipt.file,
        "state": receipt.state.value,
        "mode": receipt.mode,
        "sha256": receipt.sha256,
        "size": receipt.size,
        "as_of": receipt.as_of,
        "encoding": tally.encoding,
        "records": tally.position,
        "accepted": tally.accepted,
        "unchanged": tally.unchanged,
        "rejected": tally.rejected,
        "skipped": tally.skipped,
        "rejected_by_rule": dict(tally.rules),
        "rows_before": receipt.before,
        "rows_after": tally.kept if receipt.state is FileState.ACCEPTED else receipt.before,
        "duplicate_of": receipt.original if receipt.state is FileState.DUPLICATE else None,
        "refused": say(receipt.reason, language) if receipt.reason else None,
        "claimed_at": receipt.claimed_at,
        "ended_at": receipt.ended_at,
        "confirmed_by": receipt.confirmed or None,
        "place": receipt.place or None,
        "keterangan": line(receipt),
    }


def papers(receipt: FileReceipt) -> dict[str, bytes]:
    """Return what lies beside a file once it is put away, by ending."""
    told = {name: value for name, value in shown(receipt, "id").items() if name != "place"}
    return {
        ".receipt.json": msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n",
        ".receipt.txt": (line(receipt) + "\r\n").encode(),
    }
