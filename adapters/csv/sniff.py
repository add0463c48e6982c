"""Which signs separate and quote a text's cells, as clevercsv proposes; imported only when a sample is looked at."""

import clevercsv

SEPARATORS = (";", ",", "\t", "|")


def sniffed(text: str) -> tuple[str, str] | None:
    """Return the separator and the quote that fit a text best, "" where it seems to have none; None: nothing fits."""
    try:
        found = clevercsv.Sniffer().sniff(text, delimiters=list(SEPARATORS))
    except clevercsv.Error:
        return None
    return (found.delimiter or "", found.quotechar or "") if found is not None else None
