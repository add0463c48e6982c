"""Whom a key belongs to."""

import hashlib
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.edge.auth import Admission, Clients, KeyHash, key_of
from gateway.errors import Unauthorized
from gateway.message import OperationId

ZONE = ZoneInfo("Asia/Jakarta")
OPERATIONS = [OperationId(name) for name in ("dpmptsp/status", "dpmptsp/ajukan", "dinkes/faskes", "gateway/aduan")]


def key(text, until=None):
    return KeyHash(sha256=hashlib.sha256(text.encode()).hexdigest(), until=until)


def clients(*allow, keys=()):
    return Clients([Admission(name="app", keys=keys or (key("a"),), allow=allow)], OPERATIONS)


NOON = datetime(2027, 6, 30, 12, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("allow", "allowed"),
    [
        (["*"], {"dpmptsp/status", "dpmptsp/ajukan", "dinkes/faskes", "gateway/aduan"}),
        (["dpmptsp/*"], {"dpmptsp/status", "dpmptsp/ajukan"}),
        (["dpmptsp/status", "gateway/*"], {"dpmptsp/status", "gateway/aduan"}),
        (["DPMPTSP/*"], set()),
        ([], set()),
    ],
)
def test_patterns_choose_operations(allow, allowed):
    assert clients(*allow).find(b"a", NOON).allowed == allowed


@pytest.mark.parametrize("shown", [None, b"", b"b", b"a ", b"\xff"])
def test_another_key_is_nobodys(shown):
    with pytest.raises(Unauthorized):
        clients("*").find(shown, NOON)


def test_a_key_counts_through_its_last_day_in_the_gateways_zone():
    known = clients("*", keys=(key("a", until=date(2027, 6, 30)),))
    assert known.find(b"a", datetime(2027, 6, 30, 23, 59, tzinfo=ZONE)).name == "app"
    with pytest.raises(Unauthorized):
        known.find(b"a", datetime(2027, 7, 1, 0, 0, tzinfo=ZONE))


def test_two_keys_serve_one_client_during_a_change():
    known = clients("*", keys=(key("a"), key("b")))
    assert known.find(b"a", NOON) is known.find(b"b", NOON)


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({b"authorization": b"Bearer a"}, b"a"),
        ({b"authorization": b"bearer  a "}, b"a"),
        ({b"x-api-key": b"a"}, b"a"),
        ({b"authorization": b"Basic eDph", b"x-api-key": b"a"}, b"a"),
        ({b"authorization": b"Bearer"}, None),
        ({}, None),
    ],
)
def test_where_a_key_is_looked_for(headers, shown):
    assert key_of(headers) == shown
