"""What no answer may be: refused by a typed error, quickly and in little memory, or taken whole; never in part."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.soap.decode import decode
from adapters.soap.planning import Plans, read_plans
from adapters.soap.settings import Verify
from adapters.soap.spoken import Spoken
from adapters.soap.spoken_read import read as read_spoken
from gateway import Document, Fault, InvalidAnswer
from tests.unit.adapters.soap.costs import cheap
from tests.unit.adapters.soap.opening import opened

M = "http://dpmptsp.example.go.id/izin"
XMLNS = (
    'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    f'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:m="{M}"'
)
HEAD = "<m:nomor>503/1</m:nomor><m:nik>1405029001180001</m:nik>"
TAIL = (
    "<m:jenis>IMB</m:jenis><m:status>ok</m:status><m:luas>72</m:luas><m:lantai>2</m:lantai>"
    "<m:retribusi>1.50</m:retribusi><m:tanggal>2026-03-14</m:tanggal>"
    "<m:diubah>2026-03-14T09:26:53Z</m:diubah><m:aktif>true</m:aktif>"
)
LOL = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
MANY = 200_000


def payload(nama: str = "<m:nama>Siti</m:nama>", attributes: str = "") -> str:
    return f"<m:AjukanIzinResponse{attributes}>{HEAD}{nama}{TAIL}</m:AjukanIzinResponse>"


def envelope(body: str, before: str = "", attributes: str = "", header: str = "") -> str:
    return f"{before}<s:Envelope {XMLNS}{attributes}>{header}<s:Body>{body}</s:Body></s:Envelope>"


def named(nama: str, before: str = "", attributes: str = "") -> bytes:
    return envelope(payload(f"<m:nama>{nama}</m:nama>", attributes), before).encode()


def declared(encoding: str) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>'


def attributes(form: str, count: int = MANY) -> str:
    return "".join(form.format(n) for n in range(count))


def flood(count: int = MANY) -> str:
    return attributes(' a{}="1"', count)


def bodiless(content: str) -> str:
    return f"<s:Envelope {XMLNS}>{content}</s:Envelope>"


def dtd(declaration: str, count: int) -> str:
    return f"<!DOCTYPE s [{attributes(declaration, count)}]>"


def made(make: Callable[[], str | bytes]) -> bytes:
    content = make()
    return content if isinstance(content, bytes) else content.encode()


WRAPPED = f'<s:Header><w><s:Body id="asli">{payload("<m:nama>Asli</m:nama>")}</s:Body></w></s:Header>'

REFUSED: Mapping[str, Callable[[], str | bytes]] = {
    "an external entity": lambda: named("&x;", '<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/hostname">]>'),
    "an external entity from the network": lambda: named(
        "&x;", '<!DOCTYPE s [<!ENTITY x SYSTEM "http://127.0.0.1:1/">]>'
    ),
    "a parameter entity": lambda: named("a", '<!DOCTYPE s [<!ENTITY % x SYSTEM "file:///etc/hostname"> %x;]>'),
    "a harmless entity": lambda: named("&x;", '<!DOCTYPE s [<!ENTITY x "Siti">]>'),
    "a bare DOCTYPE": lambda: named("a", "<!DOCTYPE s>"),
    "a public DOCTYPE": lambda: named(
        "a", '<!DOCTYPE s PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://127.0.0.1:1/x.dtd">'
    ),
    "a DOCTYPE behind a byte order mark": lambda: b"\xef\xbb\xbf" + named("a", "<!DOCTYPE s>"),
    "a DOCTYPE behind a comment": lambda: named("a", "<?xml version='1.0'?><!-- > --><?x y?>\n<!DOCTYPE s>"),
    "a DOCTYPE behind much blank": lambda: named("a", "\n" * 200_000 + "<!DOCTYPE s>"),
    "a DOCTYPE behind many comments": lambda: named("a", "<!---->" * 300_000 + "<!DOCTYPE s>"),
    "a DOCTYPE in UTF-16": lambda: named("a", "<!DOCTYPE s>").decode().encode("utf-16"),
    "a DOCTYPE in UTF-16 without a mark": lambda: named("a", "<!DOCTYPE s>").decode().encode("utf-16-be"),
    "a DOCTYPE in UTF-7": lambda: declared("utf-7").encode() + named("a", "+ADwAIQ-DOCTYPE s+AD4-"),
    "a billion laughs": lambda: named("&l9;", f'<!DOCTYPE s [<!ENTITY l0 "lol">{LOL}]>'),
    "a quadratic bomb": lambda: named("&x;" * 4_000, f'<!DOCTYPE s [<!ENTITY x "{"a" * 40_000}">]>'),
    "a DTD with attributes without end": lambda: named("a", dtd("<!ATTLIST s a{} CDATA #IMPLIED>", 50_000)),
    "a DTD with entities without end": lambda: named("a", dtd('<!ENTITY e{} "x">', 200_000)),
    "an XInclude": lambda: named(
        '<i:include xmlns:i="http://www.w3.org/2001/XInclude" parse="text" href="file:///etc/hostname"/>'
    ),
    "elements 300 deep": lambda: named("<a>" * 300 + "</a>" * 300),
    "elements 100,000 deep": lambda: named("<a>" * 100_000 + "</a>" * 100_000),
    "a million elements never closed": lambda: named("<a>" * 1_000_000),
    "attributes by the hundred thousand": lambda: named("a", attributes=flood()),
    "a million attributes": lambda: named("a", attributes=flood(1_000_000)),
    "a text that is cut off": lambda: named("x" * 1_000_000)[:-300],
    "attributes in other quotes": lambda: named("a", attributes=attributes(" a{}= '1'")),
    "attributes on the envelope": lambda: envelope(payload(), attributes=flood()),
    "attributes on a text": lambda: envelope(payload(f"<m:nama{flood(1_500)}>a</m:nama>")),
    "namespaces by the hundred thousand": lambda: named("a", attributes=attributes(' xmlns:a{}="u"')),
    "namespaces looked through again and again": lambda: envelope(
        payload().replace("<m:jenis>", '<m:jenis xsi:type="xsd:int">', 1) + '<x xsi:type="xsd:int"/>' * 300,
        attributes=attributes(' xmlns:a{}="u"', 7_000),
    ),
    "bytes that are no UTF-8": lambda: named("Si?ti").replace(b"?", b"\xff"),
    "overlong UTF-8": lambda: named("Si?ti").replace(b"?", b"\xc0\xbc"),
    "a surrogate in UTF-8": lambda: named("Si?ti").replace(b"?", b"\xed\xa0\x80"),
    "Latin-1 that says it is UTF-8": lambda: named("Caf?", declared("utf-8")).replace(b"Caf?", b"Caf\xe9"),
    "UTF-8 that says it is UTF-16": lambda: named("Café", declared("utf-16")),
    "UTF-8 that says it is ASCII": lambda: named("Café", declared("us-ascii")),
    "UTF-16 that ends within a character": lambda: named("a").decode().encode("utf-16")[:-1],
    "UTF-16 with half a character": lambda: named("a?").decode().encode("utf-16-le").replace(b"?\x00", b"\x3d\xd8"),
    "UTF-7": lambda: named("Caf+AOk-", declared("utf-7")),
    "UTF-32": lambda: named("a").decode().encode("utf-32"),
    "EBCDIC": lambda: named("a", declared("cp500")).decode().encode("cp500"),
    "ISO-2022-JP": lambda: named("a", declared("iso-2022-jp")),
    "GB18030": lambda: named("a", declared("gb18030")),
    "an encoding that nobody knows": lambda: named("a", declared("x-rahasia")),
    "zero bytes": lambda: named("a").replace(b"<s:Body>", b"<s:Body>\x00"),
    "a control character": lambda: named("&#1;"),
    "half of a character pair": lambda: named("&#xD83D;"),
    "U+FFFE": lambda: named("\ufffe"),
    "XML 1.1": lambda: named("&#1;", '<?xml version="1.1"?>'),
    "an entity of HTML": lambda: named("a&nbsp;b"),
    "text behind it": lambda: named("a") + b"Warning: mysqli_close()",
    "a second envelope behind it": lambda: named("a") * 2,
    "zero bytes behind it": lambda: named("a") + b"\x00" * 100,
    "PHP's warning before it": lambda: b"<br />\n<b>Warning</b>: x in <b>/var/www/x.php</b><br />\n" + named("a"),
    "a blank line before its declaration": lambda: b"\n" + named("a", declared("utf-8")),
    "a text that an element splits": lambda: named("admin<a/>@pelalawan"),
    "a text that a far element splits": lambda: named("admin<x:a xmlns:x='urn:x'>1</x:a>@pelalawan"),
    "text between elements": lambda: envelope(payload().replace("<m:jenis>", "liar<m:jenis>")),
    "a no-break space between elements": lambda: envelope(payload().replace("<m:jenis>", "\u00a0<m:jenis>")),
    "a number among no-break spaces": lambda: envelope(payload().replace(">72<", ">\u00a072<")),
    "a number without end": lambda: envelope(payload().replace(">72<", f">{'9' * 1_000_000}<")),
    "a fraction without end": lambda: envelope(payload().replace(">1.50<", f">1.{'9' * 1_000_000}<")),
    "an unknown xsi:type": lambda: envelope(payload('<m:nama xsi:type="m:Apa">a</m:nama>')),
    "an xsi:type of an unrelated type": lambda: envelope(payload('<m:nama xsi:type="xsd:int">7</m:nama>')),
    "an xsi:type that is a structure": lambda: envelope(payload('<m:nama xsi:type="m:Pemohon">7</m:nama>')),
    "an xsi:type with a strange prefix": lambda: envelope(payload('<m:nama xsi:type="q:string">7</m:nama>')),
    "an xsi:type for the whole payload": lambda: envelope(payload(attributes=' xsi:type="m:Pemohon"')),
    "nothing that has content": lambda: envelope(payload('<m:nama xsi:nil="true">a</m:nama>')),
    "a field twice": lambda: envelope(payload("<m:nama>a</m:nama><m:nama>b</m:nama>")),
    "two bodies": lambda: envelope(f"{payload()}</s:Body><s:Body>{payload()}"),
    "an empty body before": lambda: envelope(f"</s:Body><s:Body>{payload()}"),
    "no body": lambda: bodiless(payload()),
    "something behind the body": lambda: envelope(f"{payload()}</s:Body><x/><s:Body>"),
    "a header behind the body": lambda: envelope(payload()).replace("</s:Envelope>", "<s:Header/></s:Envelope>"),
    "two payloads": lambda: envelope(payload() * 2),
    "a payload and a fault": lambda: envelope(f"{payload()}<s:Fault><faultcode>s:Server</faultcode></s:Fault>"),
    "the body only within a header": lambda: bodiless(WRAPPED),
    "another namespace": lambda: named("a").replace(M.encode(), b"urn:lain"),
    "another root": lambda: payload().replace("<m:Aju", f"<m:Aju {XMLNS}", 1),
    "an HTML page": lambda: b"<!DOCTYPE html><html><body>Sedang pemeliharaan</body></html>",
    "a fatal error of PHP": lambda: b"<br />\n<b>Fatal error</b>:  Uncaught Error",
    "JSON": lambda: b'{"nomor": "503/1"}',
    "nothing": lambda: b"",
}
TAKEN: Mapping[str, tuple[Callable[[], str | bytes], str]] = {
    "as agreed": (lambda: named("Siti"), "Siti"),
    "with a byte order mark": (lambda: b"\xef\xbb\xbf" + named("Siti", declared("utf-8")), "Siti"),
    "UTF-16": (lambda: named("Café", declared("utf-16")).decode().encode("utf-16"), "Café"),
    "UTF-16 that says it is UTF-8": (lambda: named("Café", declared("utf-8")).decode().encode("utf-16"), "Café"),
    "UTF-16 without a mark": (lambda: named("Café", declared("utf-16")).decode().encode("utf-16-le"), "Café"),
    "Latin-1": (lambda: named("Café", declared("ISO-8859-1")).decode().encode("latin-1"), "Café"),
    "windows-1252": (lambda: named("“Café”", declared("Windows-1252")).decode().encode("cp1252"), "“Café”"),
    "split by CDATA": (lambda: named("A<![CDATA[<B>]]>C"), "A<B>C"),
    "split by a comment": (lambda: named("ad<!-- x -->min"), "admin"),
    "split by an instruction": (lambda: named("ad<?x y?>min"), "admin"),
    "split ten thousand times": (lambda: named("a<?x?><!---->" * 10_000), "a" * 10_000),
    "comments around it": (lambda: b"<!-- a -->" + named("Siti") + b"<!-- b --><?c?>\n", "Siti"),
    "a million characters": (lambda: named("x" * 1_000_000), "x" * 1_000_000),
    "a text full of equals signs": (lambda: named("=&quot;" * 5_000), '="' * 5_000),
    "a body within the header": (lambda: envelope(payload(), header=WRAPPED), "Siti"),
    "two elements of one id": (
        lambda: envelope(payload("<m:nama>Siti</m:nama>"), header='<s:Header><w id="a"/><w id="a"/></s:Header>'),
        "Siti",
    ),
    "a number's blanks": (lambda: envelope(payload().replace(">72<", ">\t72\n<")), "Siti"),
}


@pytest.fixture
def read(izin: Plans) -> Callable[[bytes], Document]:
    plan = izin.operations["AjukanIzin"].reply
    assert plan is not None

    def run(content: bytes) -> Document:
        document = decode(plan, content)
        assert not isinstance(document, Fault)
        return document

    return run


Read = Callable[[bytes], Document]


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_by_a_typed_error_at_little_cost(read: Read, name: str) -> None:
    content = made(REFUSED[name])

    with pytest.raises(InvalidAnswer) as caught:
        read(content)

    assert caught.value.maybe_done
    assert len(str(caught.value)) < 400
    assert cheap(lambda: read(content))


@pytest.mark.parametrize("name", REFUSED)
def test_it_costs_as_little_where_no_wsdl_says_what_is_right_and_where_answers_are_signed(
    certificate: Path, name: str
) -> None:
    content, verify = made(REFUSED[name]), Verify(certificate=certificate)
    spoken = Spoken(soap="1.1", namespace=M)

    def both() -> None:
        with suppress(InvalidAnswer):
            read_spoken(spoken, "AjukanIzin", content)
        with pytest.raises(InvalidAnswer):
            opened(content, verify)

    both()
    assert cheap(both)


@pytest.mark.parametrize("name", TAKEN)
def test_it_is_taken_whole_at_little_cost(read: Read, name: str) -> None:
    make, nama = TAKEN[name]
    content = made(make)

    document = read(content)

    assert (document["nama"], document["luas"]) == (nama, 72)
    assert cheap(lambda: read(content))


KEMBAR = "<awal>1</awal><isi>{}</isi><awal>2</awal>"
IN_THE_TREE: Mapping[str, str] = {
    "attributes by the thousand among many elements": f"<isi{flood(10_000)}/>{'<x/>' * 9_000}",
    "elements 240 deep": KEMBAR.format("<a>" * 240 + "</a>" * 240),
    "a text that an element splits": KEMBAR.format("a<b/>c"),
    "an xsi:type that is another": KEMBAR.format("a").replace("<isi", '<isi xsi:type="xsd:int"'),
    "an xsi:type that nobody knows": KEMBAR.format("a").replace("<isi", '<isi xsi:type="q:Apa"'),
    "an xsi:type that is a structure": KEMBAR.format("a").replace("<isi", '<isi xsi:type="r:Kepala"'),
    "three thousand turns": KEMBAR.format("a") * 3_000,
    "nothing that has content": KEMBAR.format("a").replace("<isi", '<isi xsi:nil="true"'),
}


@pytest.mark.parametrize("name", IN_THE_TREE)
def test_it_is_refused_at_little_cost_in_zeeps_tree_too(wsdls: Path, name: str) -> None:
    plans = read_plans(wsdls / "ragam.wsdl")
    plan, tree = plans.operations["Kembar"].reply, plans.trees["Kembar", "output"]
    assert plan is not None
    content = envelope(f'<r:Kembar xmlns:r="urn:ragam" xmlns="urn:ragam">{IN_THE_TREE[name]}</r:Kembar>').encode()

    with pytest.raises(InvalidAnswer):
        decode(plan, content, tree=tree)
    assert cheap(lambda: decode(plan, content, tree=tree))


def test_an_answer_that_ends_anywhere_too_early_is_refused(read: Read) -> None:
    content = named("Siti", declared("utf-8"))
    for end in range(len(content)):
        with pytest.raises(InvalidAnswer):
            read(content[:end])


def test_a_fault_is_found_before_anything_else(izin: Plans) -> None:
    plan = izin.operations["AjukanIzin"].reply
    assert plan is not None
    content = envelope(f"<s:Fault><faultcode>s:Server</faultcode></s:Fault>{payload()}").encode()

    assert decode(plan, content) == Fault(code="Server", text="")


def test_the_data_is_that_of_the_body_wherever_another_one_is_hidden(read: Read) -> None:
    forged = envelope(payload("<m:nama>Palsu</m:nama>"), header=WRAPPED).encode()

    assert read(forged)["nama"] == "Palsu"  # whether it is signed, WS-Security says, of this very element


def test_nothing_of_the_corpus_costs_more(izin: Plans, corpus: Path) -> None:
    plan = izin.operations["AjukanIzin"].reply
    assert plan is not None
    contents = {path.name: path.read_bytes() for path in sorted((corpus / "xml-attacks").glob("*.xml"))}

    assert [name for name, content in contents.items() if not cheap(lambda: decode(plan, content))] == []  # noqa: B023
