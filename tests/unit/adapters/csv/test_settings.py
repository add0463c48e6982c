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
        ({"files": "*", "dialect": {"delimiter": ";;"}}, 'must be one character: write ";"'),
        ({"files": "*", "dialect": {"delimiter": "\n"}}, "a line break"),
        ({"files": "*", "dialect": {"delimiter": '"'}}, "delimiter and quote are the same"),
        ({"files": "*", "max_reject": 5}, 'a share from 0 to 1, "all-or-nothing", "row-wise"; 5 % is 0.05'),
        ({"files": "*", "max_reject": -1}, "must be a share from 0 to 1"),
        ({"files": "*", "max_reject": "all"}, 'must be "all-or-nothing", "row-wise" or a share from 0 to 1'),
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


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"file": "jadwal_{id}.csv", "batch": {"every": "1m"}}, "must hold {batch}"),
        ({"file": "jadwal_{batch}.csv"}, "must hold {id}"),
        ({"batch": {"rows": 5}}, "every"),
        ({"batch": {"rows": 0, "every": "1m"}}, "greater than or equal to 1"),
        ({"marker": "ok"}, "pattern"),
        ({"excel": "bom"}, "excel"),
        ({"ack": {"files": "ack_*.csv", "delivered": []}}, "nothing would ever be delivered"),
        ({"ack": {"files": "ack_*.csv", "delivered": ["OK"], "refused": ["ok"]}}, "both delivered and refused"),
        ({"ack": {"files": "a/*.csv", "delivered": ["OK"]}}, "has a folder in it"),
    ],
)
def test_a_wrong_out_says_what_is_wrong(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Out.model_validate({"folder": "masuk", "file": "jadwal_{id}.csv", **settings})


def test_a_file_bears_ids_where_somebody_must_tell_its_requests_apart() -> None:
    one = {"folder": "masuk", "file": "jadwal_{id}.csv"}
    ack = {"files": "ack_*.csv", "delivered": ["OK"]}
    assert Out.model_validate(one).id_named is None
    assert Out.model_validate({**one, "ack": ack}).id_named == "request_id"
    assert Out.model_validate({**one, "id_column": "no"}).id_named == "no"
    assert Out.model_validate({**one, "file": "{batch}.csv", "batch": {"every": "1m"}}).id_named == "request_id"
