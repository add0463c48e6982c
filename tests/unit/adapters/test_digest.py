"""HTTP digest by the examples of the standards."""

import pytest

from adapters.digest import Challenge, challenge

RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


def asked(*headers: str) -> Challenge:
    found = challenge(headers)
    assert found is not None
    return found


def answer(found: Challenge, user: str, password: str, target: str, cnonce: str, **more: bytes) -> str:
    return found.answer(user, password, method="GET", target=target, cnonce=lambda: cnonce, **({"body": b""} | more))


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    said = answer(asked(RFC_7616.format(algorithm)), "Mufasa", "Circle of Life", "/dir/index.html", cnonce)

    assert said == (
        'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", '
        f'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", response="{response}", '
        f'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", cnonce="{cnonce}", '
        f"algorithm={algorithm}, qop=auth, nc=00000001"
    )


def test_the_example_of_rfc_7616_section_3_9_2_as_its_errata_correct_it() -> None:
    found = asked(
        'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, '
        'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", '
        'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true'
    )
    said = answer(found, "Jäsøn Doe", "Secret, or not?", "/doe.json", "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v")

    assert 'username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b", userhash=true' in said
    assert 'response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"' in said


def test_the_example_of_rfc_2617_section_3_5() -> None:
    found = asked('Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"')
    said = answer(found, "Mufasa", "Circle Of Life", "/dir/index.html", "0a4f113b")
    assert 'response="6629fae49393a05397450978507c4ef1"' in said


def test_a_server_that_knows_no_qop_gets_the_answer_of_rfc_2069() -> None:
    found = asked('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"')
    said = answer(found, "Mufasa", "CircleOfLife", "/dir/index.html", "x")
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in said  # as in its errata
    assert "nc=" not in said


def test_each_answer_counts() -> None:
    found = asked(RFC_7616.format("SHA-256"))
    assert [answer(found, "a", "b", "/", "c").rpartition("nc=")[2] for _ in range(3)] == [
        "00000001",
        "00000002",
        "00000003",
    ]


def test_with_auth_int_the_body_is_part_of_the_answer() -> None:
    def said(body: bytes) -> str:
        return answer(asked('Digest realm="r", nonce="n", qop="auth-int"'), "a", "b", "/", "c", body=body)

    assert "qop=auth-int" in said(b"1")
    assert said(b"1") != said(b"2")


def test_a_session_has_a_secret_of_its_own() -> None:
    plain, session = (answer(asked(RFC_7616.format(name)), "a", "b", "/", "c") for name in ("MD5", "MD5-sess"))
    assert "algorithm=MD5-sess" in session
    assert plain.split("response=")[1][:34] != session.split("response=")[1][:34]


def test_of_several_challenges_the_best_is_taken() -> None:
    found = asked(
        'Negotiate, Basic realm="a, b"', RFC_7616.format("MD5"), RFC_7616.format("SHA-256") + ', Bearer realm="x"'
    )
    assert found.algorithm == "SHA-256"
    assert found.realm == "http-auth@example.org"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Basic realm=x",
        'Digest realm="x"',
        'Digest nonce="n", algorithm=CRC32',
        'Digest nonce="n", qop="lain"',
        "Digest",
    ],
)
def test_what_can_not_be_answered_is_no_challenge(said: str) -> None:
    assert challenge([said]) is None


def test_quotes_in_names_and_users_do_not_end_the_header() -> None:
    found = asked(r'Digest realm="a \"b\" \\c", nonce="n", qop="auth"')
    assert found.realm == r'a "b" \c'
    said = answer(found, 'x"y', "z", "/", "c")
    assert r'username="x\"y", realm="a \"b\" \\c"' in said


def test_a_user_beyond_ascii_is_written_as_rfc_8187_says() -> None:
    said = answer(asked('Digest realm="r", nonce="n", charset=UTF-8'), "Jäsøn", "x", "/", "c")
    assert "username*=UTF-8''J%C3%A4s%C3%B8n" in said
