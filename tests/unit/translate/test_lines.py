"""What a line's own pattern knows by its shape, and what is cut once, comes to what the row function says."""

import pytest

from gateway.columns import LineForm
from gateway.errors import TranslationError
from gateway.ledger.rows import encode
from gateway.translate import CompiledRow, compile_row
from gateway.translate.load import parse_mapping
from gateway.translate.patterns import of_one_length


def table(rules: str) -> CompiledRow:
    return compile_row(parse_mapping(f"[f.row]\n{rules}", "mappings/f.toml"), "f")


def both(row: CompiledRow, *cells: str) -> tuple[list[bytes], list[bytes]]:
    """Return what one line becomes, by itself and cell by cell; nothing where it is left to others."""
    run = row.read.of_lines((), LineForm(columns=row.columns, delimiter=";", quote='"'))
    assert run is not None
    try:
        slow = [encode(row.read(dict(zip(row.columns, cells, strict=True))))]
    except TranslationError:
        slow = []
    return [found[1] for found in run(f"{';'.join(cells)}\n", 1)[1]], slow


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        (r"\d{7}", "1405011", ["140501", "14050111", "140501a", "١٤٠٥٠١١", "", " 1405011"]),
        (r"[A-Z]{2}-\d{3}", "RI-007", ["RI007", "ri-007", "RI-07", "RI-0077"]),
        (r"14\.05\.\d{2}", "14.05.09", ["14x05.09", "14.05.9"]),
        (r"[A-Ca\-c\]]{3}", "-a]", ["b-a", "-a", "]]]]"]),
        ("[KL] ?", "K ", ["K  ", "M"]),
        (r"\d{2}|\d{4}", "1405", ["140", "14050"]),
    ],
)
def test_a_code_is_known_by_its_shape_or_by_its_pattern(pattern: str, fitting: str, others: list[str]) -> None:
    row = table(f"kode = {{ from = 'KODE', pattern = '{pattern}' }}\nnama = {{ from = 'NAMA', optional = true }}")
    quick, slow = both(row, fitting, "Ani")
    assert quick == slow != []
    for other in others:
        quick, slow = both(row, other, "Ani")
        assert quick == slow == [], other


@pytest.mark.parametrize(
    "pattern", ["[;a]{2}", '["a]{2}', r"[\\a]{2}", r"[\ta]{2}", "[^a]{2}", "[é]{2}", r"\w{2}", "", "a{0}"]
)
def test_signs_that_end_a_cell_or_are_written_otherwise_are_not_known_by_their_shape(pattern: str) -> None:
    row = table(f"kode = {{ from = 'KODE', pattern = '{pattern}', optional = true }}\nnama = {{ from = 'NAMA' }}")
    for cell in ("aa", "a;", ";;", '"a"', "a\\", "a\t", "éé", "", "٣٣"):
        if ";" not in cell:
            quick, slow = both(row, cell, "Ani")
            assert quick in (slow, []), (pattern, cell)


def test_a_pattern_of_one_length_needs_no_other_limit() -> None:
    assert of_one_length(r"\d{7}") == [("0123456789", 7)]
    assert of_one_length(r"A{2}[BC]") == [("A", 2), ("BC", 1)]
    for pattern in (r"\d{1,7}", "a+", "(ab){2}", "[^a]", ".", r"\d{2}|\d{4}", r"\w", "é"):
        assert of_one_length(pattern) == []


def test_a_text_is_cut_once_for_all_its_parts_wherever_the_first_of_them_stands() -> None:
    row = table(
        "lain = { from = 'RT_RW', split = '/', part = 1, optional = true }\n"
        "rt = { from = 'RT_RW', split = '/', part = 1 }\n"
        "rw = { from = 'RT_RW', split = '/', part = 2 }\n"
        "kota = { from = 'RT_RW', split = '-', part = 2, optional = true }\n"
        "nama = { from = 'NAMA' }\n"
    )
    for cell, fits in {"012/003": False, "012/003-A": True, "012": False, "/-": True, "": False}.items():
        quick, slow = both(row, cell, "Ani")
        assert quick == slow
        assert bool(quick) is fits, cell
