"""An agency's section of gateway.toml as text, and putting it at the end of the file; judges no settings."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.config.models import GATEWAY
from gateway.errors import ConfigError, Finding
from gateway.sketch.names import words
from gateway.sketch.text import aligned, quoted, these

_READS = these(
    "baca cari cek check count data daftar detail fetch find get history info informasi inquiry jumlah lihat list "
    "query read retrieve riwayat search show status tampil tampilkan view"
)
_LONGEST_TITLE = 80
_AGENCY = re.compile(r"[a-z][a-z0-9-]*")

_ANOTHER = {
    "soap": "to take its WSDL in again, and nothing else: gateway add soap {} --renew",
    "csv": "another feed of its is one more [agency.{0}.feed.NAME], with its [NAME.row] in the mapping",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One operation: its name here, what the agency calls it, its words for it, and whether it surely only reads."""

    name: str
    call: str
    words: str = ""
    safe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What a section says; `settings` are the adapter's own, in order; `timezone` is "" where no times are sent.

    `tables` are tables of its own, such as feeds, as text.
    """

    agency: str
    title: str
    adapter: str
    settings: Sequence[tuple[str, str]]
    mapping: str
    operations: Sequence[Called]
    login: bool = False
    timezone: str = ""
    tables: Sequence[str] = ()

    @property
    def variable(self) -> str:
        """The name of the environment that holds its password."""
        return f"{self.agency.replace('-', '_').upper()}_PASSWORD"

    def text(self) -> str:
        """Return the section as TOML."""
        lines = [("title", quoted(self.title)), ("adapter", quoted(self.adapter))]
        lines += [(name, quoted(said)) for name, said in self.settings]
        if self.login:
            lines.append(("login", f'{{ user = "gateway", password = "${{{self.variable}}}" }}'))
        lines.append(("mapping", quoted(self.mapping)))
        if self.timezone:
            lines.append(("timezone", f"{quoted(self.timezone)}   # of the times that it sends without a zone"))
        block = [f"[agency.{self.agency}]", *aligned(lines)]
        return "\n\n".join(["\n".join(block), *self.tables, *map(self._operation, self.operations)]) + "\n"

    def _operation(self, called: Called) -> str:
        title = called.words or " ".join(words(called.call)).capitalize()
        short = title if len(title) <= _LONGEST_TITLE else title[:_LONGEST_TITLE].rsplit(" ", 1)[0] + " …"
        lines = [("title", quoted(short)), ("expose", quoted(self.exposed(called))), ("call", quoted(called.call))]
        if called.safe:
            lines.append(("safe", "true   # it only reads: it may be tried again, shared and kept"))
        block = [f"[agency.{self.agency}.operation.{called.name}]", *aligned(lines)]
        if not called.safe and _READS & set(words(called.call)):
            block.append("# safe = true   # if it only reads: it may then be tried again, shared and kept")
        return "\n".join(block)

    def exposed(self, called: Called) -> str:
        """Return the path of an operation; what may be personal travels in a body."""
        return f"POST /v1/{self.agency}/{called.name}"


def free(config: Path, agency: str) -> None:
    """Raise ConfigError if a gateway.toml has this agency already, can't be read, or the name is none."""
    if not _AGENCY.fullmatch(agency) or agency == GATEWAY:
        remedy = f"lower-case letters, digits and hyphens, and not {GATEWAY}: dpmptsp"
        raise ConfigError(Finding(where="AGENCY", what=f'"{agency}" is no name of an agency', remedy=remedy))
    try:
        said = tomllib.loads(config.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(
            Finding(where=str(config), what="no such file", remedy="is it called so? --config names it")
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(Finding(where=str(config), what=f"can't be read: {error}", remedy="correct it")) from None
    if agency in said.get("agency", {}):
        remedy = _ANOTHER.get(said["agency"][agency].get("adapter"), "choose another name").format(agency)
        raise ConfigError(Finding(where=str(config), what=f"has an agency {agency} already", remedy=remedy))


def append(config: Path, section: str) -> None:
    """Put a section at the end of a file, whole or not at all; every byte before it stays."""
    content = config.read_bytes()
    end = b"\r\n" if b"\r\n" in content else b"\n"
    beside = config.with_name(f".{config.name}.new")
    beside.write_bytes(content.rstrip() + end * 3 + section.encode().replace(b"\n", end))
    beside.chmod(config.stat().st_mode & 0o777)
    beside.replace(config)
