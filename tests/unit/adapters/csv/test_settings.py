import pytest
from pydantic import ValidationError

from adapters.csv.settings import Dialect, Feed, Out


def test_a_feed_reads_as_in_the_manual() -> None:
    feed = Feed.model_validate(
        {
            "files": "imunisasi_*.csv",
            "dialect": {"delimiter": "\t", "encoding": "utf-8|cp1252"},
            "ready": "marker",
            "stable_for": "30s",
            "key": ["nik_anak", "jenis", "tanggal"],
        }
    )
    assert feed.stable_for == 30.0
    assert feed.key == ("nik_anak", "jenis", "tanggal")
    assert feed.dialect.encodings == ("utf-8", "cp1252")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"files": "sub/*.csv"}, "has a folder in it"),
        ({"files": "*", "ready": "soon"}, "'stable', 'marker' or 'rename'"),
        ({"files": "*", "dialect": {"encoding": "utf-9"}}, "'utf-9' is no text encoding"),
        ({"files": "*", "dialect": {"delimiter": ";;"}}, "at most 1 character"),
        ({"files": "*", "dialect": {"delimiter": "\n"}}, "a line break"),
        ({"files": "*", "dialect": {"delimiter": '"'}}, "delimiter and quote are the same"),
        ({"files": "*", "max_reject": 2}, "less than or equal to 1"),
        ({"files": "*", "max_reject": "all"}, "'all-or-nothing' or 'row-wise'"),
        ({"files": "*", "mode": "replace"}, "'snapshot', 'append', 'upsert' or 'forward'"),
        ({"files": "*", "mode": "forward"}, "forward needs an operation"),
        ({"files": "*", "to": "dpmptsp/ajukan-izin"}, "to is for forward only"),
        ({"files": "*", "mode": "forward", "to": "ajukan-izin"}, "String should match pattern"),
        ({"files": "*", "mode": "upsert"}, "upsert needs a key"),
        ({"files": "*", "newer": "diubah"}, "newer is for upsert only"),
        ({"files": "*", "filez": "*"}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_feed_says_what_is_wrong(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Feed.model_validate(settings)


@pytest.mark.parametrize("file", ["jadwal.csv", "{nik}_{id}.csv", "a/{id}.csv", ".{id}.csv"])
def test_a_row_file_is_named_by_its_message(file: str) -> None:
    with pytest.raises(ValidationError):
        Out(folder="out", file=file)
    assert Out(folder="out", file="jadwal_{id}.csv").dialect == Dialect()
