import tomllib

from hypothesis import given
from hypothesis import strategies as st

from gateway.config.locate import locate, nearest, suggest

DOCUMENT = '''# a comment with [brackets] and = signs
title = "x"
"kunci \\"aneh\\".ya" = 1
a.b.c = """
satu [palsu]
dua = 2 \\"""
"""
'lit.eral' = \'\'\'
tiga = 3
\'\'\'

[tabel]   # comment
daftar = [
  1,      # comment, with ] bracket
  { dalam = "}", lagi.x = 2 },
]
tanggal = 2026-11-24 07:30:00

[tabel."anak.1".cucu]
x = { y = { z = [ "]" ] } }

[[klien]]
nama = "satu"
[[klien]]
nama = "dua"
[klien.hak]
semua = true
'''


def test_every_kind_of_key_has_its_line() -> None:
    lines = locate(DOCUMENT)
    expected = {
        ("title",): 2,
        ('kunci "aneh".ya',): 3,
        ("a",): 4,
        ("a", "b", "c"): 4,
        ("lit.eral",): 8,
        ("tabel",): 12,
        ("tabel", "daftar"): 13,
        ("tabel", "daftar", "0"): 14,
        ("tabel", "daftar", "1", "dalam"): 15,
        ("tabel", "daftar", "1", "lagi", "x"): 15,
        ("tabel", "tanggal"): 17,
        ("tabel", "anak.1", "cucu"): 19,
        ("tabel", "anak.1", "cucu", "x", "y", "z", "0"): 20,
        ("klien", "0"): 22,
        ("klien", "0", "nama"): 23,
        ("klien", "1", "nama"): 25,
        ("klien", "1", "hak", "semua"): 27,
    }
    assert {key: lines.get(key) for key in expected} == expected


def test_nothing_else_is_taken_for_a_key() -> None:
    assert not [key for key in locate(DOCUMENT) if {"dua", "tiga", "palsu"} & {step.strip() for step in key}]


def test_windows_line_ends_count_once() -> None:
    assert locate('[a]\r\nx = 1\r\n\r\ny = """\r\n"""\r\nz = 2\r\n')[("a", "z")] == 6


@given(st.recursive(
    st.integers(0, 9) | st.booleans() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
))  # fmt: skip
def test_every_key_of_any_inline_value_is_found(value: object) -> None:
    document = f"\nx = {spelt(value)}\n"
    assert tomllib.loads(document) == {"x": value}
    lines = locate(document)
    assert set(lines.values()) == {2}
    assert set(paths(value, ("x",))) == set(lines)


def spelt(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{spelt(key)} = {spelt(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(spelt, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(sign):08x}" for sign in value) + '"'
    return str(value)


def paths(value: object, above: tuple[str, ...]) -> list[tuple[str, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above, *(path for key, child in inner for path in paths(child, (*above, str(key))))]


def test_the_nearest_name_is_offered_and_else_all_of_them() -> None:
    assert nearest("no_permohnan", ["no_permohonan", "nama"]) == "no_permohonan"
    assert nearest("xyz", ["nama"]) == ""
    assert suggest("optionl", ["optional", "default"]) == 'did you mean "optional"?'
    assert suggest("zzz", ["b", "a"]) == "known: a, b"
    assert suggest("zzz", map(str, range(100))).endswith("and 88 more")
    assert suggest("x", []) == "there are none"
