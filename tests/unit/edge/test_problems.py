"""Errors as problem+json, without a server."""

import json

import pytest

from gateway import errors
from gateway.edge.problems import STATUS, language, problem
from gateway.errors import FieldError
from gateway.wording import PROBLEMS

NIK = "1405020101809001"


def told(error, operation=None, speaking="id"):
    said = problem(error, language=speaking, correlation_id="c-1", operation=operation)
    return said, json.loads(said.body)


@pytest.fixture
def write(operation):
    return operation("dpmptsp/ajukan-izin", "POST /v1/izin")


@pytest.fixture
def read(operation):
    return operation("dpmptsp/status-izin", "GET /v1/izin")


def test_every_code_has_a_status_and_words():
    assert set(STATUS) == set(PROBLEMS)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.InvalidRequest(), 422, "invalid-request"),
        (errors.InvalidRequest(malformed=True), 400, "invalid-request"),
        (errors.Unauthorized(), 401, "unauthorized"),
        (errors.UnknownOperation(), 404, "unknown-operation"),
        (errors.UnknownOperation(allow=["GET"]), 405, "unknown-operation"),
        (errors.TooLarge(), 413, "too-large"),
        (errors.UriTooLong(), 414, "uri-too-long"),
        (errors.HeadersTooLarge(), 431, "headers-too-large"),
        (errors.UnsupportedMedia(), 415, "unsupported-media"),
        (errors.InProgress(), 409, "in-progress"),
        (errors.Gone(), 410, "gone"),
        (errors.IdempotencyMismatch(), 422, "idempotency-mismatch"),
        (errors.LedgerUnavailable(), 503, "ledger-unavailable"),
        (errors.RateLimited(), 429, "rate-limited"),
        (errors.Overloaded(), 503, "overloaded"),
        (errors.NotFound(maybe_done=False), 404, "not-found"),
        (errors.Refused(maybe_done=False), 422, "refused"),
        (errors.Unavailable(maybe_done=False), 503, "agency-unavailable"),
        (errors.BreakerOpen(maybe_done=False), 503, "breaker-open"),
        (errors.AgencyClosed(maybe_done=False), 503, "agency-closed"),
        (errors.AgencyTimeout(maybe_done=True), 504, "agency-timeout"),
        (errors.UnknownOutcome(maybe_done=True), 504, "outcome-unknown"),
        (errors.InvalidAnswer(maybe_done=True), 502, "agency-invalid-answer"),
        (errors.AgencyLogin(maybe_done=False), 502, "agency-login"),
        (errors.TranslationError("request", []), 422, "invalid-request"),
        (errors.TranslationError("reply", []), 502, "agency-invalid-answer"),
        (errors.ConfigError(), 500, "internal"),
        (KeyError("x"), 500, "internal"),
    ],
)
def test_each_error_has_its_status_and_code(error, status, code, write):
    said, body = told(error, write)
    assert (said.status, said.code, body["status"], body["type"]) == (status, code, status, code)
    assert "{" not in body["detail"]
    if status in (429, 503) and code != "agency-closed":
        assert b"retry-after" in dict(said.headers)


def test_nobody_is_invited_to_repeat_a_write_that_may_have_been_done(read, write):
    doubt = errors.Unavailable(maybe_done=True)
    assert b"retry-after" not in dict(told(doubt, write)[0].headers)
    assert b"retry-after" in dict(told(doubt, read)[0].headers)


@pytest.mark.parametrize("error", [errors.NotFound, errors.Refused])
def test_the_agencys_own_words_pass_masked_and_short_where_it_answered_no(error, write):
    _, body = told(error(f"NIK {NIK} belum terdaftar. " + "x" * 400, maybe_done=False), write)
    assert body["agency_message"].startswith("NIK 140502******9001 belum terdaftar.")
    assert len(body["agency_message"]) == 300


@pytest.mark.parametrize(
    "error",
    [
        errors.Unavailable("connect to 10.0.0.7:8181 refused", maybe_done=False),
        errors.InvalidAnswer(
            "10.0.0.7",
            maybe_done=True,
            errors=[FieldError(pointer="/x", rule="type", params={"expected": "10.0.0.7"}, value="10.0.0.7")],
        ),
        errors.TranslationError(
            "reply", [FieldError(pointer="/x", rule="type", params={"expected": "10.0.0.7"}, where="10.0.0.7")]
        ),
        errors.AgencyLogin("10.0.0.7", maybe_done=False),
        RuntimeError("10.0.0.7"),
        errors.InvalidRequest("10.0.0.7"),
        errors.Overloaded("10.0.0.7"),
    ],
)
def test_nothing_internal_leaves(error, write):
    said, body = told(error, write)
    assert b"10.0.0.7" not in said.body
    assert "errors" not in body


def test_a_request_that_could_not_be_translated_names_its_fields(write):
    error = errors.TranslationError(
        "request", [FieldError(pointer="/nik", rule="digits", params={"digits": "16"}, where="m.toml:3", value="'1'")]
    )
    _, body = told(error, write, "en")
    assert body["errors"] == [{"pointer": "/nik", "rule": "digits", "message": "must be exactly 16 digits"}]


def test_after_a_write_it_says_whether_it_may_have_been_done(write):
    _, body = told(errors.AgencyTimeout(maybe_done=True), write)
    assert body["maybe_done"] is True
    assert "mungkin sudah diproses" in body["detail"]


def test_what_may_be_recorded_invites_nobody_to_send_it_again_without_its_key(write, read):
    error = errors.LedgerSilent()
    sure, body = told(error, write, "en")
    assert (body["detail"].split(";")[0], "maybe_done" in body) == ("Nothing was sent", False)
    assert any(name == b"retry-after" for name, _ in sure.headers)
    error.maybe_done = True
    doubtful, body = told(error, write, "en")
    assert (body["status"], body["maybe_done"]) == (503, True)
    assert body["detail"].startswith("The request may have been recorded, or processed")
    assert all(name != b"retry-after" for name, _ in doubtful.headers)
    assert told(error, read, "en")[1]["maybe_done"] is False


def test_after_a_read_it_says_that_repeating_is_safe(read):
    _, body = told(errors.AgencyTimeout(maybe_done=True), read)
    assert body["maybe_done"] is False
    assert body["detail"].endswith("Aman diulangi.")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "id"),
        (b"", "id"),
        (b"en", "en"),
        (b"en-GB,en;q=0.8", "en"),
        (b"id;q=0.5, en;q=0.6", "en"),
        (b"en;q=0.5, id;q=0.6", "id"),
        (b"id, en", "id"),
        (b"en;q=0", "id"),
        (b"fr, de;q=0.1", "id"),
        (b"en;q=x", "id"),
        (b"\xff;\xff=\xff", "id"),
    ],
)
def test_the_language_is_the_preferred_of_the_two(accept, expected):
    assert language(accept) == expected
