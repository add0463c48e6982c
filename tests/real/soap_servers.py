"""The SOAP servers of the conformance suite, each with how it is configured, and with its oddities as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.real import soap_programs
from tests.real.soap_programs import Running, Start

FIELDS = ("teks", "bulat", "pecahan", "benar", "tanggal", "waktu", "berkas")
ABSENT = "(not there)"
INVALID = "agency-invalid-answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoapServer:
    """One server. `takes` is what it calls the argument, `root` the result, `item` the elements of its lists.

    `more` are rules of its request alone; `rules` the converters of fields that its WSDL does not type as ours does,
    `reads` those that hold for answers only. `odd` has, by case, what comes back in place of what should, or the code
    of a problem; `why` says the reasons.
    """

    name: str
    start: Start
    section: str = 'adapter = "soap"\n'
    takes: str = "data"
    reason: str = "alasan"
    root: str = "return"
    item: str = ""
    more: str = ""
    rules: Mapping[str, str] = field(default_factory=dict)
    reads: Mapping[str, str] = field(default_factory=dict)
    fault: str = "Server.Sibuk"
    odd: Mapping[str, object] = field(default_factory=dict)
    why: str = ""

    def expected(self, case: str, usual: object) -> object:
        """Return what comes back in a case."""
        return self.odd.get(case, usual)

    def configuration(self, running: Running) -> str:
        """Return its section of gateway.toml."""
        wsdl = f'wsdl = "{running.wsdl}"\n' if 'adapter = "soap"' in self.section else ""
        return f"""
[agency.layanan]
title   = "{self.name}"
url     = "{running.url}"
mapping = "layanan.toml"
{self.section}{wsdl}
[agency.layanan.operation.gema]
expose = "POST /v1/gema"
call   = "gema"
[agency.layanan.operation.gagal]
expose = "POST /v1/gagal"
call   = "gagal"
"""

    def mapping(self) -> str:
        """Return its mapping: ours is the same for all servers."""
        takes, item = self.takes, self.item
        request = "\n".join(f"{takes}.{name} = {self._rule(name, self.rules)}" for name in FIELDS)
        reply = "\n".join(f"{name} = {self._rule(name, {**self.rules, **self.reads})}" for name in FIELDS)
        age, read_age = (self._rule("umur", rules) for rules in (self.rules, {**self.rules, **self.reads}))
        return f"""
[agency]
faults = {{ "{self.fault}" = "refused" }}
[gema]
root = "{self.root}"
[gema.request]
{request}
{self.more}
{takes}.daftar{item} = {{ each = "daftar", from = "." }}
[gema.request.{takes}.orang{item}]
each = "orang"
nama = "nama"
umur = {age}
[gema.reply]
{reply}
telepon = {{ from = "telepon", optional = true }}
daftar = {{ each = "daftar{item}", from = "." }}
[gema.reply.orang]
each = "orang{item}"
nama = "nama"
umur = {read_age}
[gagal.request]
{self.reason} = "alasan"
[gagal.reply]
"""

    def _rule(self, name: str, rules: Mapping[str, str]) -> str:
        more = rules.get(name)
        return f'{{ from = "{name}", {more} }}' if more else f'"{name}"'


UNTYPED = {
    "bulat": "integer = true",
    "umur": "integer = true",
    "pecahan": 'number = "1234.56"',
    "benar": "bool = [true, false]",
    "tanggal": 'date = "yyyy-mm-dd"',
    "waktu": 'date = "iso"',
}
NO_WSDL = 'adapter = "soap-no-wsdl"\nnamespace = "urn:layanan"\n'

SERVERS = (
    SoapServer(name="PHP ext-soap", start=soap_programs.with_php("php.php")),
    SoapServer(
        name="PHP ext-soap without a WSDL",
        start=soap_programs.with_php("bare.php"),
        section=f'{NO_WSDL}objects = "map"\nbinary = ["data.berkas", "return.berkas"]\n',
        rules=UNTYPED,
    ),
    SoapServer(
        name="nuSOAP",
        start=soap_programs.nusoap,
        section='adapter = "soap"\ncharset = "utf-8"\n',
        item=".item",
        rules={"waktu": 'date = "yyyy-mm-dd HH:MM:SS"'},
        odd={"telepon null": ABSENT},
        why="leaves out an optional null",
    ),
    SoapServer(
        name="SOAP::Lite",
        start=soap_programs.soap_lite,
        section=(
            f'{NO_WSDL}numbers = "text"\nbase64_text = ["utf-8", "iso-8859-1"]\n'
            'binary = ["data.berkas", "return.berkas"]\n'
        ),
        rules=UNTYPED,
        reads={"benar": 'bool = ["1", "0"]'},
    ),
    SoapServer(
        name="gSOAP",
        start=soap_programs.gsoap,
        fault="Client",
        odd={"telepon null": ABSENT},
        why="what points nowhere is left out",
    ),
    SoapServer(
        name="Axis 1.4",
        start=soap_programs.axis,
        takes="in0",
        reason="in0",
        root="gemaReturn",
        more='in0.telepon = { const = "" }',
        item=".item",
        odd={"telepon tidak ada": None, "text 𝄞": INVALID},
        why="a field of a bean is always written; a letter beyond 16 bits becomes two references that XML forbids",
    ),
    SoapServer(
        name="spyne",
        start=soap_programs.spyne,
        odd={"telepon null": ABSENT, "scalars -2147483648": INVALID},
        why="leaves out None; takes no whole number of 11 characters, the sign counted",
    ),
    SoapServer(
        name="node-soap",
        start=soap_programs.node_soap,
        section='adapter = "soap"\ntolerate = ["undeclared-xsi"]\n',
        odd={"text   dua  spasi  ": {"teks": "dua  spasi"}},
        why="cuts off blanks around what it reads",
    ),
    SoapServer(name="JAX-WS RI", start=soap_programs.jax_ws, odd={"telepon null": ABSENT}, why="leaves out null"),
)
