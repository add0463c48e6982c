"""What each column of a file seems to hold, by its name and by its values; keeps no personal value, knows no TOML."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gateway.sketch.names import Known, canonical, dated, distinct, identifier, made_up, personal, words
from gateway.sketch.text import these
from gateway.sketch.values import ROUNDED, born, date_form, fits, flags, number_form, short_date, whole
from gateway.wording import counted

Kind = Literal["identifier", "code", "date", "number", "boolean", "text", "empty"]
Test = Callable[[str], object]

BLANKS = frozenset({"", "0000-00-00", "0000-00-00 00:00:00", "00-00-0000", "00/00/0000"})
_NIK = "NIK"
_CODED = these(
    "agama darah gender gol golongan jenis jk kategori kelamin kelas kelompok kode kd kondisi level mutu satuan "
    "sifat status sumber tingkat tipe type"
)
"""Words in the name of a column whose few values are a list that somebody keeps."""
_NUMBERED = these("id kode kd no nomor npsn pos rt rw seri")
"""Words in the name of a column whose digits are no quantity: their zeros count."""
_COUNTED = these("banyak banyaknya hari jam jml jumlah qty stok total umur usia")
_PEOPLE = these(
    "bidan dokter guru kepala ketua nama operator pasien pegawai pemilik pemohon penanggung penerima perawat petugas "
    "vaksinator wali"
)
_PHONE = re.compile(r"(\+?62|0)[ -]?8[0-9 -]{8,14}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_REGION = re.compile(r"[1-9][0-9](\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?")
_REGION_PATTERN = r"\d{2}(\.\d{2}){0,2}(\.\d{4})?"
_REGION_NAMES = these("desa kab kabkota kabupaten kec kecamatan kel kelurahan kota prov propinsi provinsi wilayah")
_REGION_DIGITS = (2, 4, 6, 10)
_NPWP = r"\d{2}\.\d{3}\.\d{3}\.\d-\d{3}\.\d{3}"
SEX = {"L": "laki-laki", "P": "perempuan"}
_MOST_WORDS, _LONGEST_WORD, _LONG_NUMBER = 12, 30, 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its rule's keys beside `from`, and what a person should know of the guess.

    `misfits` are positions of rows whose value does not fit; `words` what a table of codes could name, never personal
    values; `distinct` tells whether each row has another value, `counting` whether it only numbers the rows.
    """

    name: str
    ours: str
    kind: Kind = "text"
    keys: Mapping[str, object] = field(default_factory=dict)
    optional: bool = False
    personal: bool = False
    title: str = ""
    example: str = ""
    said: str = ""
    warned: str = ""
    misfits: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    distinct: bool = False
    counting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Guess:
    kind: Kind
    keys: Mapping[str, object] = field(default_factory=dict)
    personal: bool = False
    title: str = ""
    said: str = ""
    warned: str = ""
    misfits: tuple[int, ...] = ()
    words: tuple[str, ...] = ()


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Column]:
    """Return every column that can be named, in order; names that are empty or stand there twice can't be."""
    taken: list[str] = []
    found: list[Column] = []
    for at, name in enumerate(header):
        if not name or header.count(name) > 1:
            continue
        ours = distinct(canonical(name), taken, "_")
        taken.append(ours)
        found.append(_column(name, ours, [row[at] for row in rows]))
    people = any(column.personal and column.kind == "identifier" for column in found)
    return [_somebody(column) if people and words(column.name) == ["nama"] else column for column in found]


def _somebody(column: Column) -> Column:
    """Return a column of names as one of persons' names: the file is about people."""
    return Column(name=column.name, ours=column.ours, optional=column.optional, personal=True, example="Siti Rahmawati")


def _column(name: str, ours: str, cells: Sequence[str]) -> Column:
    at = [position for position, cell in enumerate(cells) if cell not in BLANKS]
    values = [cells[position] for position in at]
    guess = _guess(name, values) if values else _Guess(kind="empty", said="was empty in the sample")
    is_personal = guess.personal or personal(name)
    known = identifier(name)
    return Column(
        name=name,
        ours=ours,
        kind=guess.kind,
        keys=guess.keys,
        optional=len(values) < len(cells),
        personal=is_personal,
        title=guess.title or (known.title if known and guess.kind == "identifier" else ""),
        example=_example(name, guess) if is_personal or guess.kind == "identifier" else "",
        said=guess.said,
        warned=guess.warned,
        misfits=tuple(at[position] for position in guess.misfits),
        words=() if is_personal else guess.words,
        distinct=len(values) == len(cells) == len(set(values)),
        counting=all(cell == str(number) for number, cell in enumerate(cells, 1)),
    )


def _example(name: str, guess: _Guess) -> str:
    """Return a made-up example of what is text here; a date's is in its own form on this side."""
    return (made_up(name) or "") if guess.kind in {"identifier", "text", "empty"} and not dated(name) else ""


def _guess(name: str, values: Sequence[str]) -> _Guess:
    for ways in (_identifiers, _contacts, _regions, _dates, _flags, _numbers):
        if (found := next(ways(name, values), None)) is not None:
            return found
    return _text(name, values)


def _identifiers(name: str, values: Sequence[str]) -> Iterator[_Guess]:
    known = identifier(name)
    if known is not None:
        yield from _known(known, values)
        return
    for digits, title, test in (
        (16, "", lambda value: born(value, 6)),
        (18, "NIP", lambda value: value[:2] in {"19", "20"} and born(value[6:8] + value[4:6] + value[2:4], 0)),
    ):
        if fits(values, _made_of(digits, test)) is not None:
            misfits = fits(values, _made_of(digits)) or ()
            said = f"by its digits {title}" if title else f"by its digits {_which(values)}"
            yield _Guess(kind="identifier", keys={"digits": digits}, personal=True, said=said, misfits=misfits)


def _which(values: Sequence[str]) -> str:
    """Return whether numbers of sixteen digits are NIKs: those of women have 40 added to the day."""
    women = any(value[6:8] > "40" for value in values if value[6:8].isdigit())
    return _NIK if women else "a NIK or the number of a family card"


def _known(known: Known, values: Sequence[str]) -> Iterator[_Guess]:
    """Yield what a column is that has an identifier's name, unless its values are another thing altogether."""
    rounded = sum(bool(ROUNDED.fullmatch(value)) for value in values)
    many = counted(rounded, "value is", "values are")
    warned = f"{many} rounded as 1,40502E+15 is: their last digits are lost" if rounded else ""
    if known.digits is None and known.pattern is None:
        yield _Guess(kind="identifier", personal=known.personal)
        return
    tests: list[tuple[dict[str, object], Test]] = []
    if known.digits:
        tests.append(({"digits": known.digits}, _made_of(known.digits)))
    if known.pattern:
        tests += [({"pattern": pattern}, re.compile(pattern, re.ASCII).fullmatch) for pattern in (known.pattern, _NPWP)]
    misfits, keys = min(
        ((tuple(at for at, value in enumerate(values) if not test(value)), keys) for keys, test in tests),
        key=lambda one: len(one[0]),
    )
    if len(misfits) - rounded > len(values) / 2:
        yield _Guess(kind="identifier", personal=known.personal, said=f"not as a {known.title} is written")
        return
    if known.title == _NIK and not warned:
        warned = _dates_of_birth([value for at, value in enumerate(values) if at not in set(misfits)])
    yield _Guess(kind="identifier", keys=keys, personal=known.personal, warned=warned, misfits=misfits)


def _dates_of_birth(values: Sequence[str]) -> str:
    wrong = sum(not born(value, 6) for value in values)
    return f"{counted(wrong, 'value has', 'values have')} no date of birth in digits 7 to 12" if wrong else ""


def _made_of(digits: int, further: Test = bool) -> Test:
    return lambda value: len(value) == digits and _all_digits(value) and further(value)


def _all_digits(value: str) -> bool:
    return value.isascii() and value.isdigit()


def _contacts(_name: str, values: Sequence[str]) -> Iterator[_Guess]:
    if fits(values, _PHONE.fullmatch) is not None:
        yield _Guess(kind="text", personal=True, said="telephone numbers, by their looks")
    elif fits(values, _EMAIL.fullmatch) is not None:
        yield _Guess(kind="text", personal=True, said="e-mail addresses, by their looks")


def _regions(name: str, values: Sequence[str]) -> Iterator[_Guess]:
    named = set(words(name)) & _REGION_NAMES
    if (named or all(len(value) > len("14.05") for value in values)) and all("." in value for value in values):
        misfits = fits(values, _REGION.fullmatch)
        if misfits is not None:
            yield _Guess(kind="code", keys={"pattern": _REGION_PATTERN}, title="Kode wilayah", misfits=misfits)
    widths = {len(value) for value in values}
    if named and len(widths) == 1 and widths <= set(_REGION_DIGITS) and fits(values, _made_of(min(widths))) == ():
        yield _Guess(kind="code", keys={"digits": min(widths)}, title="Kode wilayah")


def _dates(name: str, values: Sequence[str]) -> Iterator[_Guess]:
    found = date_form(values)
    if found is not None and (dated(name) or not found.form.isalnum() or found.form.startswith("yyyy")):
        others = [form for form in found.others if form != found.form]
        said = f"or {' or '.join(others)}: the sample does not tell" if others else ""
        yield _Guess(kind="date", keys={"date": found.form}, said=said, misfits=found.misfits)
    elif found is None and short_date(values):
        yield _Guess(
            kind="text", said="dates without all digits can't be read as dates: have the export write dd/mm/yyyy"
        )
    elif dated(name) and not whole(values):
        yield _Guess(kind="text", said='text: how are its dates written? e.g. date = "dd-mm-yyyy"')


def _flags(name: str, values: Sequence[str]) -> Iterator[_Guess]:
    found = flags(values)
    if found is not None and not set(words(name)) & _COUNTED:
        yield _Guess(kind="boolean", keys={"bool": list(found)})


def _numbers(name: str, values: Sequence[str]) -> Iterator[_Guess]:
    if set(words(name)) & _NUMBERED:
        return
    widths = set(map(len, values))
    if len(values) > 1 and len(widths) == 1 and min(widths) >= _LONG_NUMBER and all(map(_all_digits, values)):
        said = "digits of one length: no quantity; mask = true if it tells who somebody is"
        yield _Guess(kind="code", keys={"digits": min(widths)}, said=said)
        return
    if whole(values):
        yield _Guess(kind="number", keys={"integer": True})
        return
    found = number_form(values)
    if found is not None:
        said = f"or {' or '.join(found.others)}: the sample does not tell" if found.others else ""
        yield _Guess(kind="number", keys={"number": found.form}, said=said, misfits=found.misfits)


def _text(name: str, values: Sequence[str]) -> _Guess:
    named = set(words(name))
    seen = sorted(set(values))
    few = 1 < len(seen) <= _MOST_WORDS and len(values) >= 2 * len(seen)
    if not few or named & _PEOPLE or any(not _is_word(value) for value in seen):
        return _Guess(kind="code" if named & _NUMBERED else "text")
    if named & _CODED or set(seen) <= SEX.keys() or all(any(map(str.isdigit, value)) for value in seen):
        return _Guess(kind="code", words=tuple(seen))
    return _Guess(kind="text")


def _is_word(value: str) -> bool:
    """Tell whether a value may stand in a mapping: it is short, and no number by which somebody is known."""
    return len(value) <= _LONGEST_WORD and value.isprintable() and sum(map(str.isdigit, value)) < _LONG_NUMBER
