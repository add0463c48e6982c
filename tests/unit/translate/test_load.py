from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.message import Outcome
from gateway.translate.load import load_mapping, parse_mapping
from gateway.translate.rules import MappingFile, Repeat, Rule


def findings(text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        parse_mapping(text, "mappings/x.toml")
    return [str(finding) for finding in refused.value.findings]


def rule(text: str, table: str = "reply") -> Rule | Repeat:
    mapping = parse_mapping(f"[op.{table}]\n{text}\n[codes.c]\nA = 'a'\n", "x.toml")
    found = getattr(mapping.operations["op"], table)
    assert found is not None
    return found[0]  # type: ignore[no-any-return]


def test_a_file_is_read_with_its_lines() -> None:
    mapping = parse_mapping(
        """
[agency]
root    = "response"
blank   = "missing"
outcome = { from = "metadata.code", ok = ["200"], duplicate = [208], refused = ["201"], message = "metadata.message" }
http    = { 404 = "not-found" }
faults  = { "Server.Busy" = "unavailable" }
[agency.headers]
x-user = "@login.user"
[status-izin.request]
no_permohonan = "nomor"
[status-izin.reply]
pemohon.nama = "pemohon.nama"
[status-izin.reply.riwayat]
each = "riwayat.item"
tahap = "nama_proses"
[imunisasi.row]
nik = { from = "NIK", digits = 16 }
""",
        "mappings/x.toml",
    )
    agency = mapping.agency
    assert (agency.root, agency.blank, agency.http) == (("response",), True, {404: Outcome.NOT_FOUND})
    assert agency.outcome is not None
    assert agency.outcome.outcomes == {"200": Outcome.OK, "208": Outcome.DUPLICATE, "201": Outcome.REFUSED}
    assert agency.faults == {"Server.Busy": Outcome.UNAVAILABLE}
    reply = mapping.operations["status-izin"].reply
    assert reply is not None
    assert [(found.left, found.line) for found in reply] == [(("pemohon", "nama"), 13), (("riwayat",), 14)]
    assert mapping.columns("status-izin") == ("no_permohonan",)
    assert mapping.columns("imunisasi") == ()


def test_rules_may_be_written_in_every_way_toml_has() -> None:
    assert rule('a.b = "x.y"') == rule('a = { b = "x.y" }')
    repeat = rule('a = { each = "x.item", nama = "n", optional = true }')
    assert isinstance(repeat, Repeat)
    assert repeat.optional
    named = rule('a = { each = "x", optional = "pilihan", when = "kapan" }')
    assert isinstance(named, Repeat)
    assert [inner.left for inner in named.rules] == [("optional",), ("when",)]
    assert rule('"periode.from" = "mulai"').left == ("periode", "from")
    assert rule('a = { from = "@login.user" }', "request") == Rule(
        left=("a",), line=2, sources=(("@", "login", "user"),)
    )


MISTAKES = {
    '[op.reply]\na = { from = "x", optionl = true }': (2, 'unknown rule key "optionl"', 'did you mean "optional"?'),
    '[op.reply]\na = { from = "x", digits = "16" }': (2, "digits must be a whole number", ""),
    '[op.reply]\na = { from = "x", optional = 1 }': (2, "optional must be true or false", ""),
    '[op.reply]\na = { from = "x", codes = "stats" }\n[codes.status]\nA="a"': (2, "no [codes.stats]", '"status"'),
    '[op.reply]\na = { from = "x", date = "dd-mm-yy" }': (2, "date:", "capital"),
    '[op.reply]\na = { from = "x", number = "#,##" }': (2, "number:", "1.234,56"),
    '[op.reply]\na = { from = "x", pattern = "(a+)+" }': (2, "pattern:", "forever"),
    '[op.reply]\na = { from = "x", bool = ["Y"] }': (2, "bool:", '["Y", "T"]'),
    '[op.reply]\na = { from = "x", integer = "digits" }': (2, "integer:", "text"),
    '[op.reply]\na = { from = "x", using = "os.path" }': (2, "using:", "module:function"),
    '[op.reply]\na = { from = "x", date = "iso", number = true }': (2, "exclude each other", "choose one"),
    '[op.reply]\na = { from = "x", default = 1, optional = true }': (2, "default and optional", ""),
    '[op.reply]\na = { from = ["x", "y"] }': (2, "needs join or using", ""),
    '[op.reply]\na = { from = "x", join = " " }': (2, "join needs a list", ""),
    '[op.reply]\na = { from = "x", split = "/" }': (2, "split and part", ""),
    '[op.reply]\na = { from = "x", split = "/", part = 0 }': (2, "counts from 1", ""),
    '[op.reply]\na = { const = 1, from = "x" }': (2, "const stands alone", ""),
    "[op.reply]\na = { digits = 16 }": (2, "needs from, const or each", ""),
    "[op.reply]\na = 5": (2, "a rule is a path or a table", "const"),
    '[op.reply]\na = "x..y"': (2, "is not a path", "dots"),
    '[op.reply]\na = "x[0].y"': (2, "is not a path", "each"),
    '[op.reply]\n"@id" = "a"': (2, "request and headers tables only", ""),
    '[op.request]\na = "b.@id"': (2, '"b.@id" is not a path', ""),
    '[op.request]\na = "@idd"': (2, "@idd is not known", '"@id"'),
    '[op.reply]\na = { each = "x" }': (2, "at least one rule", 'from = "."'),
    '[op.reply]\na = { from = "x", when = { path = "y" } }': (2, "when is written", ""),
    "[op.reply]\na = { const = 2026-01-01 }": (2, "const must be", ""),
    '[op.replay]\na = "x"': (1, 'unknown key "replay"', '"reply"'),
    '[agency]\nblank = "yes"': (2, "blank is not known", '"missing"'),
    '[agency]\nhttp = { 404 = "notfound" }': (2, "is no outcome", '"not-found"'),
    '[agency]\nhttp = { 4x4 = "not-found" }': (2, "no HTTP status", ""),
    '[agency]\noutcome = { ok = ["1"] }': (2, "needs from", ""),
    '[agency]\noutcome = { from = "k", ok = "1" }': (2, "must be a list", ""),
    '[agency]\noutcome = { from = "k", ok = ["1"], refused = ["1"] }': (2, "both ok and refused", ""),
    '[codes.s]\n"1" = 5': (2, "must be a text", ""),
    "[codes.s]": (1, "is empty", ""),
    "op = 5": (1, "op must be a table", ""),
    "[op]\nreply = 5": (2, "must be a table of rules", ""),
    "x = ": (1, "not TOML", ""),
    "[a]\n[a]": (2, "not TOML", ""),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_its_line_and_what_to_write(text: str) -> None:
    line, what, remedy = MISTAKES[text]
    found = findings(text)
    assert any(finding.startswith(f"mappings/x.toml:{line}: ") and what in finding for finding in found), found
    assert any(remedy in finding for finding in found)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    found = findings('[op.reply]\na = 5\nb = { from = "x", dgits = 1 }\n[agency]\nblank = 3\nrot = "x"\n')
    assert [finding.split(": ")[0] for finding in found] == [f"mappings/x.toml:{line}" for line in (2, 3, 5, 6)]


def test_a_file_that_can_t_be_read_is_a_finding_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        load_mapping(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"x = '\xe9'")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_mapping(tmp_path / "latin.toml", "mappings/latin.toml")


def test_a_file_is_called_as_people_know_it(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("[op.reply]\na = 'b'\n", encoding="utf-8")
    mapping: MappingFile = load_mapping(tmp_path / "x.toml", "mappings/x.toml")
    assert mapping.at(3) == "mappings/x.toml:3"


@pytest.mark.parametrize("text", ['nomor = { form = "nomor" }', 'biaya = { fron = "biaya", number = "1.234,56" }'])
def test_a_misspelt_from_is_no_nested_field(text: str) -> None:
    (found,) = findings(f"[op.reply]\n{text}\n")
    assert found.startswith("mappings/x.toml:2: ")
    assert 'did you mean "from"?' in found


def test_a_nested_field_may_be_called_anything_when_it_is_written_as_one_quoted_path() -> None:
    assert rule('"nomor.form" = "a"').left == ("nomor", "form")
