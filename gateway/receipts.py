"""What became of a file, in words: a line for people, JSON for programs; reads and keeps nothing."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

import msgspec

from gateway.feeds import FileReceipt, FileState, Tally
from gateway.filewords import SHORT
from gateway.wording import Language, say

_ZONES = frozenset({"WIB", "WITA", "WIT"})
_MEND = " Baris yang ditolak ada di folder rejected; perbaiki lalu taruh lagi."
_WHOLE = (
    " Baris yang salah terlihat di berkas .rejected di folder rejected, tetapi tidak diterima sebagai perbaikan: "
    "perbaiki berkas aslinya, lalu kirim lagi seluruhnya."
)
_READ = "sedang dibaca, {position} baris selesai."
_KEPT: Mapping[FileState, str] = {
    FileState.TAKING: _READ,
    FileState.DUPLICATE: "isinya sama dengan data yang sedang dipakai (tanda terima {original}); diabaikan.",
    FileState.REFUSED: "DITOLAK: {why}.{wrong}{old}{whole}",
    FileState.ACCEPTED: "{accepted} baris diterima, {rejected} ditolak{reasons}, {unchanged} tidak berubah; "
    "data dari {before} menjadi {kept} baris.{mend}",
}
_SENT_ON: Mapping[FileState, str] = {
    FileState.TAKING: "{position} baris selesai dibaca{put}.",
    FileState.DUPLICATE: "isinya sudah pernah diteruskan (tanda terima {original}); diabaikan.",
    FileState.REFUSED: "DITOLAK: {why}.{wrong} {sent}.{whole}",
    FileState.ACCEPTED: "{accepted} baris diteruskan, {rejected} ditolak{reasons}, {unchanged} sudah pernah.{mend}",
}
_ANSWERS: Mapping[FileState, str] = {
    FileState.TAKING: _READ,
    FileState.DUPLICATE: "isinya sudah pernah dibaca (tanda terima {original}); diabaikan.",
    FileState.REFUSED: "DITOLAK: {why}. Jawaban di baris yang sudah terbaca tetap berlaku; taruh lagi seluruhnya.",
    FileState.ACCEPTED: "{accepted} jawaban dicatat, {rejected} baris ditolak{reasons}.",
}
_WORDS: Mapping[str, Mapping[FileState, str]] = {"forward": _SENT_ON, "acknowledge": _ANSWERS}
"""By the file's mode; in every other one its rows are kept."""


def line(receipt: FileReceipt, zone: tzinfo | None = None) -> str:
    """Return what a clerk is told of a file, by the clock of `zone`, the gateway's where that is not said."""
    said = _WORDS.get(receipt.mode, _KEPT)[receipt.state].format_map(_facts(receipt))
    if receipt.state is FileState.TAKING:
        return f"{receipt.file}: {said}"
    when = _moment(receipt.ended_at.astimezone(zone or receipt.ended_at.tzinfo)) if receipt.ended_at else "-"
    return f"{when} {receipt.file}: {said}"


def _moment(at: datetime) -> str:
    return f"{at:%d/%m/%Y %H.%M} {zone_name(at)}"


def zone_name(at: datetime) -> str:
    """Return by which clock a time is: the zones of Indonesia have names, others are told by their offset."""
    name = at.tzname() or ""
    return name if name in _ZONES else f"UTC{at.isoformat()[-6:]}"


def _facts(receipt: FileReceipt) -> Mapping[str, object]:
    """Return what there is to be said of any file; what does not apply to it is empty."""
    tally = receipt.tally
    return {
        "original": receipt.original,
        "before": receipt.before,
        "position": tally.position,
        "accepted": tally.accepted,
        "rejected": tally.rejected,
        "unchanged": tally.unchanged,
        "kept": tally.kept,
        "why": say(receipt.reason, "id") if receipt.reason else "?",
        "old": " Data lama tetap dipakai." if receipt.before else "",
        "sent": f"{tally.accepted} baris sudah diteruskan" if tally.put else "Tidak ada yang diteruskan",
        "put": f", {tally.put} diteruskan" if tally.whole else "",
        "reasons": _reasons(tally) if tally.rules else "",
        "wrong": f" Yang salah: {_counted(tally)}." if tally.rules else "",
        "mend": _MEND if tally.rejected else "",
        "whole": _WHOLE if tally.rejected and not tally.put else "",
    }


def _reasons(tally: Tally) -> str:
    """Return what is wrong with the rows that were rejected; a row may have several errors."""
    errors = sum(tally.rules.values())
    return f"{f' dengan {errors} kesalahan' if errors != tally.rejected else ''} ({_counted(tally)})"


def _counted(tally: Tally) -> str:
    counts = [(-count, SHORT.get(rule, rule)) for rule, count in tally.rules.items()]
    return ", ".join(f"{words}: {-count}" for count, words in sorted(counts))


def shown(receipt: FileReceipt, language: Language = "en", zone: tzinfo | None = None) -> dict[str, object]:
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
        "keterangan": line(receipt, zone),
    }


def papers(receipt: FileReceipt, zone: tzinfo | None = None) -> dict[str, bytes]:
    """Return what lies beside a file once it is put away, by ending."""
    told = {name: value for name, value in shown(receipt, "id", zone).items() if name != "place"}
    return {
        ".receipt.json": msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n",
        ".receipt.txt": (line(receipt, zone) + "\r\n").encode(),
    }
