"""A first feed: its table of gateway.toml, the mapping of its rows and a look-up, from the columns of a sample."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from gateway.sketch.columns import SEX, Column
from gateway.sketch.names import identifier, slug, words
from gateway.sketch.text import aligned, key, quoted, remark, step, these, value
from gateway.wording import counted

_DATE = re.compile(
    r"(?<![0-9])([0-9]{6,8}|[0-9]{4}[-_. ][0-9]{1,2}([-_. ][0-9]{1,2})?|[0-9]{1,2}[-_. ][0-9]{1,2}[-_. ][0-9]{4})"
    r"([-_T ]?[0-9]{4,6})?(?![0-9])"
)
_ENDING = re.compile(r"(\.[A-Za-z]{2,4})*$")
_DAY_FIRST = re.compile(r"[0-9]{1,2}[-_. ][0-9]{1,2}[-_. ][0-9]{4}")
_MONTHS = re.compile(
    r"([0-9]{1,2}[-_. ]*)?\b(januari|februari|maret|april|mei|juni|juli|agustus|september|oktober|november|desember)"
    r"([-_. ]*(19|20)[0-9]{2})?",
    re.IGNORECASE,
)
_MOST_KEYS = 3
_KEYS = {"identifier": 0, "code": 1, "date": 2, "text": 3}
_OFFICERS = these(
    "admin bidan dokter entri input kader operator penanggung penginput perawat petugas user vaksinator verifikator"
)
"""Words in the name of a column that tells who did the work, not whom a row is about."""
_NUMBERS = these("id no nomor nmr")
_CHANGED = these("changed diperbarui diubah modified pembaruan perubahan ubah update updated")
_PAGING = ("after", "limit")
_AFTER = (
    '{ from = "setelah", optional = true, title = "Lanjutan, dari berikutnya", '
    'about = "isian lain sama; bila ditolak karena datanya sudah diganti, mulai lagi tanpa isian ini" }'
)
_ABOUT = {
    "snapshot": "a file is everything there is, and replaces what was there",
    "append": "rows are added to what is there",
    "upsert": "rows replace those with the same key",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a file's name tells: the feed's name, the pattern of its files, what is wrong with how they are named."""

    feed: str
    files: str
    said: str = ""

    @property
    def look_up(self) -> str:
        """The name of the operation that looks its rows up."""
        return f"cari-{self.feed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is known of a file beside its columns; `left` says of columns why they are left out, `rows` how many.

    `delimiter` is "" for a spreadsheet, `header_row` where its names stand, where that is not the first row.
    """

    file: str
    rows: int
    delimiter: str
    quote: str
    header_row: int | None = None
    trailer: str = ""
    closed: bool = True
    left: Sequence[str] = ()


def named(file: str) -> Named:
    """Return a feed's name and pattern from the name of a sample: what is a date in it becomes `*`."""
    stem = _ENDING.sub("", file)
    ending = file[len(stem) :]
    found = _DATE.search(stem) or _MONTHS.search(stem)
    if found is None:
        plain = re.sub(r" ?\([0-9]+\)$", "", stem)
        return Named(feed=_called(plain), files=f"{_literal(plain)}*{ending}")
    before, after = stem[: found.start()], stem[found.end() :]
    latest_last = found.re is _DATE and not _DAY_FIRST.fullmatch(found[1])
    said = (
        "" if latest_last else "such names don't sort by date: of several files the last by name counts; yyyymmdd does"
    )
    return Named(feed=_called(f"{before} {after}"), files=f"{_literal(before)}*{_literal(after)}{ending}", said=said)


def _called(text: str) -> str:
    return slug(text) if any(map(str.isalnum, text)) else "data"


def _literal(text: str) -> str:
    """Return a text as a pattern takes it."""
    return re.sub(r"([\[*?])", r"[\1]", text)


def proposed_key(columns: Sequence[Column], rows: Sequence[Sequence[str]], header: Sequence[str]) -> tuple[Column, ...]:
    """Return the column that names a row, or the few that do together; an identifier before a code before a text.

    Who did the work names a row only where nothing else does: tomorrow the same officer does another.
    """
    able = [column for column in columns if column.kind in _KEYS and not column.counting and not column.optional]
    able.sort(key=lambda column: (_KEYS[column.kind], not _is_named_so(column)))
    subjects = [column for column in able if not is_officers(column)]
    return _key_of(subjects, rows, header) or _key_of(able, rows, header)


def is_officers(column: Column) -> bool:
    """Tell whether a column is about the officer who did the work, by its name."""
    return bool(_OFFICERS & {*words(column.name)})


def _is_named_so(column: Column) -> bool:
    return identifier(column.name) is not None or bool(_NUMBERS & {*words(column.name)[:1]})


def _key_of(able: Sequence[Column], rows: Sequence[Sequence[str]], header: Sequence[str]) -> tuple[Column, ...]:
    if single := next((column for column in able if column.distinct and column.kind != "date"), None):
        return (single,)
    cells = {column.name: [row[header.index(column.name)] for row in rows] for column in able}
    typed = [column for column in able if column.kind != "text"]
    for many in range(2, _MOST_KEYS + 1):
        for chosen in combinations(typed, many):
            if len(set(zip(*(cells[column.name] for column in chosen), strict=True))) == len(rows):
                return chosen
    return ()


def feed_table(agency: str, name: Named, shape: Shape, columns: Sequence[Column], keys: Sequence[Column]) -> str:
    """Return `[agency.x.feed.y]` as text."""
    lines = [*_written(name, shape), *_modes(columns)]
    ours = ", ".join(quoted(column.ours) for column in keys)
    if keys:
        lines.append(("key", f"[{ours}]   # our fields that make a row one row; in the sample no two are alike"))
    else:
        lines.append(("", "key = [...]   # our fields that make a row one row; none was found"))
    if shape.trailer:
        said = "how the last row begins; a file without it was cut short"
        lines.append(("trailer", f"{quoted(shape.trailer)}   # {said}"))
    return "\n".join([f"[agency.{agency}.feed.{name.feed}]", *aligned(lines)])


def _written(name: Named, shape: Shape) -> Iterator[tuple[str, str]]:
    """Yield which files, how they are written, and when one is complete."""
    yield "files", quoted(name.files) + (f"   # {name.said}" if name.said else "")
    if shape.header_row:
        yield "header_row", f"{shape.header_row}   # where the columns' names stand"
    if shape.delimiter:
        quote = f", quote = {quoted(shape.quote)}" if shape.quote != '"' else ""
        yield "dialect", f'{{ delimiter = {quoted(shape.delimiter)}{quote}, encoding = "utf-8|cp1252" }}'
    if shape.closed:
        yield "ready", '"stable"   # or "marker" (.ok or .done beside it), or "rename": it has its final name'
    else:
        yield "ready", '"rename"   # its last line has no end, so nothing else tells; write .tmp, then rename'


def _modes(columns: Sequence[Column]) -> Iterator[tuple[str, str]]:
    yield "mode", f'"snapshot"   # {_ABOUT["snapshot"]}'
    for mode in ("append", "upsert"):
        yield "", f'mode = "{mode}"   # {_ABOUT[mode]}'
    changed = next((one for one in columns if one.kind == "date" and set(words(one.name)) & _CHANGED), None)
    if changed is not None:
        yield "", f"newer = {quoted(changed.ours)}   # with upsert: of two rows with one key, the newer counts"


def feed_mapping(title: str, name: Named, shape: Shape, columns: Sequence[Column], keys: Sequence[Column]) -> str:
    """Return the mapping as text: every column, a look-up by the key, and tables of codes as comments."""
    rows = [*aligned(map(_row, columns)), *(f"# {remark(said)}" for said in shape.left)]
    blocks = [
        _head(title, shape),
        [f"[{name.feed}.row]   # ours = the column's name", *rows],
        _request(name.look_up, columns, keys),
        _reply(name.look_up, name.feed, columns),
        *(_codes(column) for column in columns if column.words),
    ]
    return "\n\n\n".join("\n".join(block) for block in blocks) + "\n"


def _head(title: str, shape: Shape) -> list[str]:
    return [
        f"# {remark(title)}. Left is what is built, right is where it comes from; a converter describes their side.",
        f"# Sketched from {counted(shape.rows, 'row')} of {remark(shape.file)}: names, types, masks and what must be",
        "# there are guesses until somebody who knows has read them. A row that does not fit is handed back, with its",
        "# reasons.",
    ]


def _row(column: Column) -> tuple[str, str]:
    keys = {"from": column.name, **column.keys}
    keys |= {"optional": True} if column.optional else {}
    keys |= {"mask": True} if column.personal else {}
    said = value(column.name) if len(keys) == 1 else value(keys)
    notes = "; ".join(note for note in (column.said, _listed(column)) if note)
    return key([column.ours]), said + (f"   # {notes}" if notes else "")


def _listed(column: Column) -> str:
    return f'or codes = "{column.ours}", see the end' if column.words else ""


def _request(look_up: str, columns: Sequence[Column], keys: Sequence[Column]) -> list[str]:
    by = _sought(columns, keys)
    lines = []
    for column in by:
        rule: dict[str, object] = {"from": column.ours}
        rule |= column.keys if set(column.keys) <= {"digits", "pattern"} else {}
        rule |= {"optional": True} if column is not by[0] else {}
        lines.append((key([column.ours]), value(rule | _told(column))))
    others = [column for column in columns if column.kind in {"identifier", "code", "text"} and column not in by]
    lines += [
        ("", f"{key([one.ours])} = {value({'from': one.ours, 'optional': True} | _told(one))}") for one in others[:3]
    ]
    if starts := next((one for one in others if one.kind == "text"), None):
        rule = {"from": starts.ours, "optional": True} | ({"mask": True} if starts.personal else {})
        lines.append(("", f"{key([starts.ours, 'starts'])} = {value(rule)}   # by how it begins, capitals and all"))
    if not {column.ours for column in columns} & set(_PAGING):
        lines.append(("after", _AFTER))
        lines.append(("limit", '{ from = "batas", optional = true, integer = true, title = "Banyaknya baris" }'))
    return [f"[{look_up}.request]   # what rows are looked up by; those that are comments can be, too", *aligned(lines)]


def _sought(columns: Sequence[Column], keys: Sequence[Column]) -> list[Column]:
    """Return what rows are looked up by: the key, else whatever names something."""
    fit = [column for column in keys if column.kind in {"identifier", "code", "text"}]
    return fit or [column for column in sorted(columns, key=is_officers) if column.kind in {"identifier", "code"}][:1]


def _reply(look_up: str, feed: str, columns: Sequence[Column]) -> list[str]:
    lines = [
        ("jumlah", '{ from = "count", title = "Banyaknya baris" }'),
        ("data_per", '{ from = "as_of", title = "Waktu data" }'),
        ("berikutnya", '{ from = "further", optional = true, title = "Dari mana lanjutannya" }'),
    ]
    rows = [("each", '"rows"'), *map(_given, columns)]
    return [f"[{look_up}.reply]", *aligned(lines), "", f"[{look_up}.reply.{_list(feed)}]", *aligned(rows)]


def _given(column: Column) -> tuple[str, str]:
    rule: dict[str, object] = {"from": column.ours}
    rule |= {"optional": True} if column.optional else {}
    rule |= _told(column)
    return key([column.ours]), value(column.ours) if len(rule) == 1 else value(rule)


def _list(feed: str) -> str:
    """Return the name of the list of rows, beside the fields of its answer."""
    name = feed.replace("-", "_")
    return f"{name}_" if name in {"jumlah", "data_per", "berikutnya"} else step(name)


def _told(column: Column) -> dict[str, object]:
    told: dict[str, object] = {"mask": True} if column.personal else {}
    told |= {"title": column.title} if column.title else {}
    return told | ({"example": column.example} if column.example else {})


def _codes(column: Column) -> list[str]:
    words = ((quoted(word), quoted(SEX.get(word, word))) for word in column.words)
    return [
        f'# codes = "{column.ours}" in the row, and this: their code = our word. A row with another one is rejected',
        f"# [codes.{step(column.ours)}]",
        *(f"# {line}" for line in aligned(words)),
    ]
