"""`gateway add soap`: an agency from its WSDL: folder, mapping, examples, section. Beside app.py it knows adapters."""

import contextlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import msgspec

from adapters.soap.adopt import Offer, Offered, changes, edited, look, source_of
from gateway import app
from gateway.config.load import Located, examine
from gateway.config.locate import suggest
from gateway.config.models import Agency
from gateway.config.tls import Tls
from gateway.errors import ConfigError, Finding, TranslationError
from gateway.message import Document
from gateway.sketch import section as sections
from gateway.sketch.mapping import Asked, Sketch, sketch
from gateway.sketch.names import distinct, made_up, slug

_json = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for: of an agency's WSDL which service and port, and which operations (none named: all)."""

    agency: str
    location: str
    title: str = ""
    service: str = ""
    port: str = ""
    url: str = ""
    only: Sequence[str] = ()
    tls: Tls = field(default_factory=Tls)
    offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What was written, what each operation is called now, and why some are not there."""

    section: sections.Section
    files: Mapping[str, str]
    refused: Mapping[str, str]
    address: str
    elsewhere: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """How the WSDL as it is now differs from the pinned one, and the files it is made of now."""

    changes: tuple[str, ...]
    files: Mapping[str, str]
    folder: Path
    same_bytes: bool


def soap(config: Path, wanted: Wanted, environment: Mapping[str, str]) -> Added:
    """Take an agency in, with the configuration's folder as the working one; raises ConfigError and writes nothing."""
    located = _free(config, wanted, environment)
    folder, mapping = Path("wsdl") / wanted.agency, Path("mappings") / f"{wanted.agency}.toml"
    offer = look(
        wanted.location,
        folder,
        now=app.clock_of(located).now(),
        service=wanted.service,
        port=wanted.port,
        tls=app.tls_of(wanted.tls),
        offline=wanted.offline,
    )
    if not (wanted.url or offer.plans.address).startswith(("http://", "https://")):
        what = "says no HTTP address of its service"
        raise ConfigError(Finding(where=str(folder / offer.wsdl), what=what, remedy="name it with --url"))
    _unspoilt(offer, folder, wanted.location)
    asked, refused = _asked(offer, wanted)
    title = wanted.title or wanted.agency
    timezone = located.config.gateway.timezone
    made = sketch(str(mapping), title, asked, timezone)
    wsdl = str(folder / offer.wsdl)
    for name, why in made.dropped.items():
        what = f"operation '{name}' has no mapping that could be sketched: {why}"
        refused[name] = Finding(where=wsdl, what=what, remedy="write its section and its mapping by hand")
    if not made.examples:
        none = Finding(where=wsdl, what="no operation of it can be taken in", remedy="see why below")
        raise ConfigError(none, *refused.values())
    section = _section(wanted, offer, made, asked, timezone)
    _rehearse(section, offer, made, located, folder)
    offer.pin(folder, agency=wanted.agency)
    _write(made, mapping, Path("examples") / wanted.agency)
    sections.append(config, section.text())
    fetched = urlsplit(wanted.location)
    return Added(
        section=section,
        files={one.name: one.origin for one in offer.files},
        refused={name: found.what for name, found in refused.items()},
        address=offer.plans.address,
        elsewhere=bool(fetched.netloc)
        and fetched.hostname != urlsplit(offer.plans.address).hostname
        and not wanted.url,
    )


def compare(config: Path, agency: str, location: str, environment: Mapping[str, str]) -> Renewed:
    """Return how an agency's WSDL as it is now differs from the pinned one; writes nothing. Raises ConfigError."""
    return _compared(config, agency, location, environment)[0]


def renew(config: Path, agency: str, location: str, environment: Mapping[str, str]) -> Renewed:
    """Take an agency's WSDL in again, and nothing else; raises ConfigError, and then nothing was written."""
    found, offer = _compared(config, agency, location, environment)
    if touched := [name for name in edited(found.folder) if (found.folder / name).is_file()]:
        remedy = "put what you changed into override.toml beside it, delete the file, and renew again"
        raise ConfigError(Finding(where=str(found.folder / touched[0]), what="was changed by hand", remedy=remedy))
    offer.pin(found.folder, agency=agency)
    return found


def _compared(config: Path, agency: str, location: str, environment: Mapping[str, str]) -> tuple[Renewed, Offer]:
    located, _ = examine(config, environment)
    section = located.config.agency.get(agency)
    if section is None:
        known = [name for name, one in located.config.agency.items() if one.adapter == "soap"]
        raise ConfigError(Finding(where=located.file, what=f"has no agency {agency}", remedy=suggest(agency, known)))
    said = {name: str((section.model_extra or {}).get(name, "")) for name in ("wsdl", "service", "port")}
    where = located.where("agency", agency)
    if section.adapter != "soap" or not said["wsdl"]:
        raise ConfigError(Finding(where=where, what=f"agency.{agency} has no WSDL", remedy='adapter = "soap" has one'))
    pinned = Path(said["wsdl"])
    _alone(located, agency, pinned, where)
    location = location or source_of(pinned.parent)
    if not location:
        what = f"nobody wrote down where the WSDL of {agency} is from"
        raise ConfigError(Finding(where=str(pinned.parent), what=what, remedy="name its address or a file"))
    offer = look(
        location,
        pinned.parent,
        now=app.clock_of(located).now(),
        wsdl=pinned.name,
        service=said["service"],
        port=said["port"],
        tls=app.tls_of(section.tls),
    )
    renewed = Renewed(
        changes=changes(pinned, offer, service=said["service"], port=said["port"]),
        files={one.name: one.origin for one in offer.files},
        folder=pinned.parent,
        same_bytes=all(_same(pinned.parent / one.name, one.content) for one in offer.files),
    )
    return renewed, offer


def _free(config: Path, wanted: Wanted, environment: Mapping[str, str]) -> Located:
    sections.free(config, wanted.agency)
    for path in (Path("mappings") / f"{wanted.agency}.toml", Path("examples") / wanted.agency):
        if path.exists():
            what = f"is there already, and {config} has no agency {wanted.agency}"
            raise ConfigError(Finding(where=str(path), what=what, remedy="move it away"))
    return examine(config, environment)[0]


def _asked(offer: Offer, wanted: Wanted) -> tuple[list[Asked], dict[str, Finding]]:
    offered = {one.name: one for one in offer.operations}
    refused = dict(offer.refused)
    for name in wanted.only:
        if name not in offered and name not in refused:
            what = f"the WSDL has no operation '{name}'"
            raise ConfigError(Finding(where=wanted.location, what=what, remedy=suggest(name, {*offered, *refused})))
    chosen = [one for name, one in offered.items() if not wanted.only or name in wanted.only]
    asked: list[Asked] = []
    for one in chosen:
        name = distinct(slug(one.name), [other.name for other in asked], "-")
        asked.append(Asked(name=name, call=one.name, contract=one.contract, faults=one.faults, examples=_examples(one)))
    return asked, {name: why for name, why in refused.items() if not wanted.only or name in wanted.only}


def _examples(one: Offered) -> list[tuple[Document, Document]]:
    """Return the examples that can be sent: with everything, else with what must be there."""
    found: list[tuple[Document, Document]] = []
    for full in (True, False):
        example = one.example(made_up, full=full)
        with contextlib.suppress(TranslationError):
            one.write(example[0])
            found.append(example)
    return found


def _section(wanted: Wanted, offer: Offer, made: Sketch, asked: Sequence[Asked], timezone: str) -> sections.Section:
    words = {one.name: one.words for one in offer.operations}
    wsdl = Path("wsdl") / wanted.agency / offer.wsdl
    address = wanted.url or offer.plans.address
    settings = [("wsdl", str(wsdl)), ("service", wanted.service), ("port", wanted.port), ("url", address)]
    kinds = {native.kind for one in asked for native in one.contract.reply.values()}
    return sections.Section(
        agency=wanted.agency,
        title=wanted.title or wanted.agency,
        adapter="soap",
        settings=[(name, said) for name, said in settings if said],
        mapping=f"mappings/{wanted.agency}.toml",
        operations=[
            sections.Called(name=one.name, call=one.call, words=words[one.call])
            for one in asked
            if one.name in made.examples
        ],
        login=made.login,
        timezone=timezone if "datetime" in kinds else "",
    )


def _rehearse(section: sections.Section, offer: Offer, made: Sketch, located: Located, folder: Path) -> None:
    """Let `gateway check` read everything where it can't harm; what it finds is raised."""
    before = Path.cwd()
    with TemporaryDirectory() as beside, contextlib.chdir(beside):
        config = Path("gateway.toml")
        config.write_text(f'[gateway]\ntimezone = "{located.config.gateway.timezone}"\n', "utf-8")
        if (before / folder).is_dir():
            shutil.copytree(before / folder, folder)
        offer.pin(folder, agency=section.agency)
        _write(made, Path(section.mapping), Path("examples"))
        sections.append(config, section.text())
        errors = [one for one in app.check(config, {section.variable: "contoh"}) if not one.warning]
    if errors:
        raise ConfigError(*errors)


def _write(made: Sketch, mapping: Path, examples: Path) -> None:
    for folder in (mapping.parent, examples):
        folder.mkdir(parents=True, exist_ok=True)
    mapping.write_text(made.text, "utf-8")
    for name, example in made.examples.items():
        (examples / f"{name}.json").write_bytes(msgspec.json.format(_json(example.request)) + b"\n")
        (examples / f"{name}.reply.json").write_bytes(msgspec.json.format(_json(example.reply)) + b"\n")


def _unspoilt(offer: Offer, folder: Path, location: str) -> None:
    """Refuse to write over a file that nobody recorded, unless it is the very one that is taken in."""
    for one in offer.files:
        path = folder / one.name
        if path.exists() and not _same(path, one.content) and path.resolve() != Path(location).resolve():
            raise ConfigError(Finding(where=str(path), what="is there already", remedy="move it away"))


def _alone(located: Located, agency: str, pinned: Path, where: str) -> None:
    """Refuse a folder that several agencies' WSDLs share: one's renewal could overwrite the other's files."""
    for name, other in located.config.agency.items():
        if name != agency and _folder(other) == pinned.parent:
            what = f"{agency} and {name} keep their WSDLs in one folder"
            raise ConfigError(Finding(where=where, what=what, remedy="give each a folder of its own"))


def _folder(agency: Agency) -> Path | None:
    said = (agency.model_extra or {}).get("wsdl")
    return Path(said).parent if isinstance(said, str) else None


def _same(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content
