"""Small defects that WSDLs are often published with, found before zeep stumbles over them; each with its override."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from lxml import etree

from gateway import Finding

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_OLD = ("http://www.w3.org/1999/XMLSchema", "http://www.w3.org/2000/10/XMLSchema")
_NOW = "http://www.w3.org/2001/XMLSchema"


def defects(files: Mapping[str, etree._Element], folder: Path) -> Iterator[Finding]:
    """Yield what is wrong in the files of one WSDL, by name, and what to write into its override.toml."""
    for name, root in files.items():
        yield from _old_schemas(name, root, folder)
        for element in root.iter(f"{_XSD}import"):
            other = files.get(str(element.get("schemaLocation", "")))
            if other is not None:
                yield from _other_namespace(name, element, other, folder)


def _old_schemas(name: str, root: etree._Element, folder: Path) -> Iterator[Finding]:
    for element in root.iter(*(f"{{{old}}}schema" for old in _OLD)):
        old = etree.QName(element).namespace or ""
        yield Finding(
            where=f"{folder / name}:{element.sourceline}",
            what=f"its schema is in the draft language of {old[len('http://www.w3.org/') :].partition('/')[0]}",
            remedy=_change(folder, name, f'"{old}"', f'"{_NOW}"'),
        )
        return


def _other_namespace(name: str, element: etree._Element, other: etree._Element, folder: Path) -> Iterator[Finding]:
    said, file = str(element.get("namespace", "")), str(element.get("schemaLocation"))
    if other.tag != f"{_XSD}schema":
        yield Finding(
            where=f"{folder / name}:{element.sourceline}",
            what=f"imports {file} as an XML Schema, but it is a WSDL",
            remedy="ask the agency for its XML Schema, and name it in override.toml, under [[instead]]",
        )
    elif (meant := str(other.get("targetNamespace", ""))) != said:
        yield Finding(
            where=f"{folder / name}:{element.sourceline}",
            what=f'imports the namespace "{said}" from {file}, which has "{meant}"',
            remedy=_change(folder, name, f'namespace="{said}"', f'namespace="{meant}"'),
        )


def _change(folder: Path, name: str, find: str, replace: str) -> str:
    return (
        f"write into {folder}/override.toml: [[change]], file = \"{name}\", find = '{find}', replace = '{replace}'"
        ", and times = ... where it stands more than once"
    )
