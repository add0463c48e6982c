"""Spreadsheets as offices write them: .xlsx by openpyxl, .ods by odfpy, archives around files."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time

from odf.namespaces import nsdict
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P
from openpyxl import Workbook

CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
nsdict.setdefault(CALC, "calcext")
Rows = Sequence[Sequence[object]]


class Fault(str):
    """An error that a cell shows, such as #N/A."""

    __slots__ = ()


def xlsx(rows: Rows, *, name: str = "Data", before: Mapping[str, Rows] | None = None) -> bytes:
    """Return a workbook; a text that begins with = is a formula, which openpyxl leaves without a result."""
    book = Workbook()
    book.remove(book.active)
    for title, content in {**(before or {}), name: rows}.items():
        sheet = book.create_sheet(title)
        for number, row in enumerate(content, 1):
            for place, value in enumerate(row, 1):
                cell = sheet.cell(number, place, str(value) if isinstance(value, Fault) else value)
                if isinstance(value, Fault):
                    cell.data_type = "e"
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def ods(rows: Rows, *, name: str = "Data", before: Mapping[str, Rows] | None = None) -> bytes:
    """Return the same as LibreOffice has it, with the many empty rows at the end that it writes."""
    book = OpenDocumentSpreadsheet()
    for title, content in {**(before or {}), name: rows}.items():
        table = Table(name=title)
        for row in content:
            line = TableRow()
            for value in row:
                line.addElement(_ods_cell(value))
            table.addElement(line)
        rest = TableRow(numberrowsrepeated=1_048_000)
        rest.addElement(TableCell(numbercolumnsrepeated=16_384))
        table.addElement(rest)
        book.spreadsheet.addElement(table)
    return _written(book)


def endless() -> bytes:
    """Return an .ods of one cell that says it comes a million times sixteen thousand times."""
    book, table, row = OpenDocumentSpreadsheet(), Table(name="x"), TableRow(numberrowsrepeated=1_048_000)
    row.addElement(TableCell(valuetype="float", value=1, numbercolumnsrepeated=16_000))
    table.addElement(row)
    book.spreadsheet.addElement(table)
    return _written(book)


def _written(book: OpenDocumentSpreadsheet) -> bytes:
    """Return a document; LibreOffice's own namespace is declared, which odfpy does not know."""
    made = io.BytesIO()
    book.write(made)
    with zipfile.ZipFile(made) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    root = b"<office:document-content "
    members["content.xml"] = members["content.xml"].replace(root, root + f'xmlns:calcext="{CALC}" '.encode(), 1)
    return zipped(members)


def _ods_cell(value: object) -> TableCell:
    cell = _typed(value)
    for line in str(value).split("\n") if value is not None else ():
        cell.addElement(P(text=line))
    return cell


def _typed(value: object) -> TableCell:
    match value:
        case Fault():
            cell = TableCell(valuetype="string", stringvalue="")
            cell.attributes[CALC, "value-type"] = "error"
            return cell
        case bool():
            return TableCell(valuetype="boolean", booleanvalue=str(value).lower())
        case int() | float():
            return TableCell(valuetype="float", value=value)
        case date():
            return TableCell(valuetype="date", datevalue=value.isoformat())
        case time():
            return TableCell(valuetype="time", timevalue=f"PT{value:%H}H{value:%M}M{value:%S}S")
        case _:
            return TableCell(**({"valuetype": "string"} if value is not None else {}))


WRITERS: Mapping[str, Callable[..., bytes]] = {"xlsx": xlsx, "ods": ods}


def zipped(named: Mapping[str, bytes] | None = None, /, **members: bytes) -> bytes:
    """Return an archive of what is `named`, and of members whose `data_csv` becomes data.csv."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**(named or {}), **members}.items():
            archive.writestr(name.replace("_", ".") if name in members else name, content)
    return made.getvalue()
