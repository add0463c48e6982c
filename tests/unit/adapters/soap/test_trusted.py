"""Whose signature counts, and for how long."""

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.soap.settings import Verify
from tests.authority import Authority
from tests.unit.adapters.soap.opening import opened, refused
from tests.unit.adapters.soap.stamp import (
    TIMESTAMP,
    TOKEN_NAMED,
    Stamp,
    der_of,
    envelope,
    token,
)


def test_only_the_configured_certificate_counts_whatever_an_answer_brings_along(
    authority: Authority, certificate: Path
) -> None:
    thief = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    theirs = authority.issue("maling", key=thief, since=3000, days=3000)
    content = Stamp(key=thief, key_info=TOKEN_NAMED).sign(envelope(token=token(der_of(theirs))))

    assert "does not hold" in refused(content, Verify(certificate=certificate))
    assert b"nomor" in opened(content, Verify(ca=authority.file))


def test_during_a_change_either_of_two_certificates_counts(
    tmp_path: Path, authority: Authority, certificate: Path, stamp: Stamp
) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(authority.issue("lama").read_bytes() + certificate.read_bytes())
    assert b"nomor" in opened(stamp.sign(envelope()), Verify(certificate=both))


@pytest.mark.parametrize("embedded", [True, False])
def test_an_authority_vouches_for_the_certificate_that_an_answer_brings_along(
    stamp: Stamp, authority: Authority, certificate: Path, embedded: bool
) -> None:
    der = der_of(certificate)
    inside = f"<ds:X509Data><ds:X509Certificate>{b64encode(der).decode()}</ds:X509Certificate></ds:X509Data>"
    info = f"<ds:KeyInfo>{inside}</ds:KeyInfo>" if embedded else TOKEN_NAMED
    content = replace(stamp, key_info=info).sign(envelope(token="" if embedded else token(der)))

    assert b"nomor" in opened(content, Verify(ca=authority.file))
    assert b"nomor" in opened(content, Verify(ca=authority.file, subject="sipolan"))
    assert "is not for `subject`" in refused(content, Verify(ca=authority.file, subject="simpeg"))


def test_a_certificate_of_nobody_we_know_is_refused(tmp_path: Path, authority: Authority) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    theirs = Authority(tmp_path, "Otoritas Lain").issue("sipolan", key=key, since=3000, days=3000)
    content = Stamp(key=key, key_info=TOKEN_NAMED).sign(envelope(token=token(der_of(theirs))))
    assert "was not issued by `ca`" in refused(content, Verify(ca=authority.file))


def test_a_certificate_that_has_ended_is_refused_where_an_authority_vouches(
    stamp: Stamp, authority: Authority, certificate: Path
) -> None:
    content = replace(stamp, key_info=TOKEN_NAMED).sign(envelope(token=token(der_of(certificate))))
    late = datetime(2050, 1, 1, tzinfo=UTC)
    assert "is not valid now" in refused(content, Verify(ca=authority.file), at=late)


@pytest.mark.parametrize(
    ("key_info", "tokens", "why"),
    [
        ("", "", "brings no certificate along"),
        (TOKEN_NAMED, "", "names a certificate that is not there"),
        (TOKEN_NAMED.replace("#x", "#b"), "", "names a certificate that is not there"),
        (TOKEN_NAMED, token(b"bukan sertifikat"), "can't be read"),
        (TOKEN_NAMED, token(b"").replace("></wsse:B", ">%%%</wsse:B"), "can't be read"),
    ],
)
def test_an_authority_needs_a_certificate_to_vouch_for(
    stamp: Stamp, authority: Authority, key_info: str, tokens: str, why: str
) -> None:
    content = replace(stamp, key_info=key_info).sign(envelope(token=tokens))
    assert why in refused(content, Verify(ca=authority.file))


NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "tolerance", "why"),
    [
        (NINE - timedelta(seconds=61), "1m", "in the future"),
        (NINE - timedelta(seconds=59), "1m", ""),
        (NINE + timedelta(minutes=5, seconds=59), "1m", ""),
        (NINE + timedelta(minutes=6, seconds=1), "1m", "has expired"),
        (NINE + timedelta(minutes=9, seconds=59), "5m", ""),
        (NINE + timedelta(days=30), "5m", "has expired"),
    ],
)
def test_an_answer_must_be_in_time_by_our_clock_give_or_take(
    stamp: Stamp, certificate: Path, at: datetime, tolerance: str, why: str
) -> None:
    verify = Verify.model_validate({"certificate": certificate, "tolerance": tolerance})
    content = stamp.sign(envelope())
    if why:
        assert why in refused(content, verify, at=at)
    else:
        assert b"nomor" in opened(content, verify, at=at)


def test_a_timestamp_without_an_end_ends_after_the_tolerance(stamp: Stamp, certificate: Path) -> None:
    endless = TIMESTAMP[: TIMESTAMP.index("<wsu:Expires>")] + "</wsu:Timestamp>"
    content = stamp.sign(envelope(timestamp=endless))
    assert b"nomor" in opened(content, Verify(certificate=certificate), at=NINE + timedelta(minutes=4))
    assert "has expired" in refused(content, Verify(certificate=certificate), at=NINE + timedelta(minutes=6))


@pytest.mark.parametrize("time", ["kemarin", "2026-02-30T09:00:00Z", "2026-03-02", "", "2026-03-02T09:00:00Z<a/>"])
def test_a_timestamp_that_is_no_time_is_refused(stamp: Stamp, certificate: Path, time: str) -> None:
    content = stamp.sign(envelope(timestamp=TIMESTAMP.replace("2026-03-02T09:00:00Z", time)))
    if time.endswith("<a/>"):
        assert b"nomor" in opened(content, Verify(certificate=certificate))
    else:
        assert "whose time can't be read" in refused(content, Verify(certificate=certificate))


def test_an_answer_that_was_kept_is_not_asked_whether_it_is_in_time(stamp: Stamp, certificate: Path) -> None:
    later = NINE + timedelta(days=3)
    assert b"nomor" in opened(stamp.sign(envelope()), Verify(certificate=certificate), at=later, asked=None)
