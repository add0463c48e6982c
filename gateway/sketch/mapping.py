"""A first mapping file: each operation's tables, what its faults may mean, and the examples that prove it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.errors import ConfigError, TranslationError
from gateway.message import Context, Document, MessageId
from gateway.native import Contract
from gateway.sketch.names import words
from gateway.sketch.tables import table
from gateway.sketch.text import aligned, quoted, step, these
from gateway.sketch.tree import Node, logs_in, tree
from gateway.translate.compile import Compiled, compile_operation
from gateway.translate.load import parse_mapping

_CONTEXT = Context(
    id=MessageId("0198c0de-0000-7000-8000-000000000001"),
    client="contoh",
    now=datetime(2026, 11, 24, 10, 15, tzinfo=UTC),
    login={"user": "gateway", "password": "contoh"},
)
_CODES = these("code error_code kode kode_error kode_respon rc response_code status status_code")
_MESSAGES = these("description desc error_desc keterangan message msg pesan response_message")
_MEANINGS: Mapping[str, frozenset[str]] = {
    "not-found": these("notfound found ditemukan tidakada ada kosong unknown missing exist exists"),
    "unavailable": these("sibuk busy unavailable maintenance timeout overloaded terlalu gangguan"),
    "login": these(
        "login auth authentication authorization unauthorized sandi password credential credentials session token "
        "akses security permission"
    ),
    "refused": these(
        "ditolak tolak refused denied invalid validation validasi salah wrong illegal duplicate duplikat sudah bad "
        "argument business bisnis"
    ),
}
"""By the words in a fault's name; the first that fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One operation as its contract has it, under the name it gets here; examples are native documents."""

    name: str
    call: str
    contract: Contract
    faults: tuple[str, ...] = ()
    examples: Sequence[tuple[Document, Document]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A canonical request, what it becomes, and a canonical reply."""

    request: Document
    native: Document
    reply: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A mapping's text, an example of each operation in it, why the others are not, and whether it logs in."""

    text: str
    examples: Mapping[str, Example] = field(default_factory=dict)
    dropped: Mapping[str, str] = field(default_factory=dict)
    login: bool = False


def sketch(file: str, title: str, asked: Sequence[Asked], timezone: str) -> Sketch:
    """Return a mapping for all operations that one can be sketched for; each was compiled and tried with an example."""
    tried = [(one, _tried(file, title, one, timezone)) for one in asked]
    made = [one for one, came in tried if isinstance(came, Example)]
    return Sketch(
        text=_text(title, made),
        examples={one.name: came for one, came in tried if isinstance(came, Example)},
        dropped={one.call: came for one, came in tried if isinstance(came, str)},
        login=any(logs_in((*_request(one), *_blocks(one))) for one in made),
    )


def meaning(fault: str) -> str:
    """Return what a fault seems to mean by its name; "invalid", as if it were not listed, when that says nothing."""
    said = {*words(fault), "".join(words(fault))}
    return next((outcome for outcome, known in _MEANINGS.items() if said & known), "invalid")


def _tried(file: str, title: str, one: Asked, timezone: str) -> Example | str:
    """Compile one operation and send its examples through both tables; return the first that passes, or why none."""
    try:
        mapping = parse_mapping(_text(title, [one]), file)
        compiled = compile_operation(mapping, one.name, contract=one.contract, timezone=timezone, native="soap")
    except ConfigError as error:
        return "; ".join(f"{found.what}" for found in error.findings[:3])
    problem = "no example fits"
    for request, reply in one.examples:
        try:
            return _example(compiled, request, reply)
        except TranslationError as error:
            problem = "; ".join(f"{found.pointer} {found.rule}" for found in error.errors[:3])
    return problem


def _example(compiled: Compiled, request: Document, reply: Document) -> Example:
    if compiled.request_of is None:
        raise TranslationError("request", ())
    canonical = compiled.request_of(request)
    if errors := compiled.request.check(canonical):
        raise TranslationError("request", errors)
    native = compiled.translator.to_native(canonical, _CONTEXT)
    return Example(request=canonical, native=native, reply=compiled.translator.to_canonical(reply))


def _text(title: str, asked: Sequence[Asked]) -> str:
    blocks = [_agency(title, asked), *(_operation(one) for one in asked)]
    return "\n\n\n".join("\n".join(block) for block in blocks) + "\n"


def _agency(title: str, asked: Sequence[Asked]) -> list[str]:
    code, message = _told(asked)
    told = f'{{ from = "{code}", ok = ["00"], not-found = ["02"], message = "{message}" }}'
    lines = [
        f"# {title}. Left is what is built, right is where it comes from; a converter describes their side.",
        "# Sketched from the contract: names, masks and meanings are guesses until somebody who knows has read them.",
        "",
        "[agency]",
        '# blank = "missing"   # if "" means: not there',
        f"# outcome = {told}   # if a code says how it went",
    ]
    faults = dict.fromkeys(fault for one in asked for fault in one.faults)
    if faults:
        lines += ["", "[agency.faults]   # by their names: not-found, refused, unavailable, login or invalid"]
        lines += aligned((step(fault), quoted(meaning(fault))) for fault in faults)
    return lines


def _told(asked: Sequence[Asked]) -> tuple[str, str]:
    """Return the fields of the replies that seem to hold a code and the agency's own words."""
    names = Counter(path for one in asked for path, native in one.contract.reply.items() if not native.many)

    def usual(known: frozenset[str], otherwise: str) -> str:
        fitting = (path for path, _ in names.most_common() if "_".join(words(path.rpartition(".")[2])) in known)
        return next(fitting, otherwise)

    return usual(_CODES, "kode"), usual(_MESSAGES, "pesan")


def _operation(one: Asked) -> list[str]:
    lines = table((one.name, "request"), _request(one), request=True)
    blocks = _blocks(one)
    if sent := [block for block in blocks if logs_in([block])]:
        lines += ["", *table((one.name, "headers"), sent, request=True)]
    for block in blocks:
        if not logs_in([block]):
            fields = ", ".join(name for name in one.contract.headers if name.startswith(f"{block.name}."))
            lines += [f"# a header that may be sent, in [{one.name}.headers]: {fields or block.name}"]
    if one.contract.reply:
        lines += ["", *table((one.name, "reply"), tree(one.contract.reply), request=False)]
    return lines


def _request(one: Asked) -> Sequence[Node]:
    return tree(one.contract.request, logins=True)


def _blocks(one: Asked) -> Sequence[Node]:
    return tree(one.contract.headers, logins=True, unwrap=False)
