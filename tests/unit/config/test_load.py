"""gateway.toml is checked whole: every finding with its line, and what to write instead."""

from pathlib import Path

import pytest

from gateway.config.load import Located, load
from gateway.config.units import Quota, Rate
from gateway.errors import ConfigError, Finding

AGENCY = """
[agency.dpmptsp]
adapter = "rest"
mapping = "mappings/dpmptsp.toml"
url     = "http://127.0.0.1:1/"
"""


def read(tmp_path: Path, text: str, **environment: str) -> Located:
    file = tmp_path / "gateway.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, environment)


def findings(tmp_path: Path, text: str, **environment: str) -> tuple[Finding, ...]:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text, **environment)
    return caught.value.findings


def test_defaults_are_those_of_the_design(tmp_path: Path) -> None:
    config = read(tmp_path, AGENCY).config
    assert (config.defaults.timeout, config.defaults.deadline) == (10.0, 20.0)
    assert (config.defaults.retry.attempts, config.defaults.retry.wait, config.defaults.retry.max_wait) == (3, 0.2, 5.0)
    assert (config.defaults.breaker.failures, config.defaults.breaker.window) == (5, 20)
    assert (config.defaults.concurrency, config.defaults.waiting) == (8, 64)
    assert (config.gateway.listen, config.gateway.metrics) == ("127.0.0.1:8080", "127.0.0.1:9090")


def test_durations_rates_and_quotas_are_read(tmp_path: Path) -> None:
    text = AGENCY + 'timeout = "1500ms"\nrate = "20/s"\nquota = "5000/day"\n'
    agency = read(tmp_path, text).config.agency["dpmptsp"]
    assert (agency.timeout, agency.rate, agency.quota) == (1.5, Rate(20, 1.0), Quota(5000, "day"))


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ('timeout = "8"', "must be a duration"),
        ("timeout = 8", "must be a duration"),
        ('rate = "20"', "must be a rate"),
        ('rate = "0/s"', "must be a rate"),
        ('quota = "5000/s"', "must be a quota"),
        ("concurrency = 0", "greater than or equal to 1"),
        ('concurrency = "8"', "must be a whole number"),
    ],
)
def test_a_wrong_value_is_found_at_its_line(tmp_path: Path, setting: str, says: str) -> None:
    (finding,) = findings(tmp_path, AGENCY + setting + "\n")
    assert finding.where == "gateway.toml:6"
    assert says in finding.what


def test_every_finding_is_told_at_once(tmp_path: Path) -> None:
    text = '[gateway]\nlissen = "x"\nlisten = "8080"\n' + AGENCY + '[agency.dpmptsp.operation.x]\nkall = "y"\n'
    found = findings(tmp_path, text)
    assert {finding.where.rpartition(":")[2] for finding in found} >= {"2", "3", "10"}
    assert any(finding.remedy == 'did you mean "listen"?' for finding in found)
    assert any("call: is required" in finding.what for finding in found)


def test_what_is_not_toml_is_told_with_its_line(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, "[gateway]\nname = \n")
    assert finding.where == "gateway.toml:2"


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "gateway.toml", {})


def test_a_secret_is_filled_in_from_the_environment(tmp_path: Path) -> None:
    located = read(tmp_path, AGENCY + 'login = { user = "g", password = "${PW}" }\n', PW="rahasia")
    assert located.config.agency["dpmptsp"].model_extra is not None
    assert located.config.agency["dpmptsp"].model_extra["login"]["password"] == "rahasia"
    assert located.secrets == {"rahasia"}
    assert located.missing("dpmptsp") == ()


def test_an_agencys_missing_secret_does_not_stop_the_others(tmp_path: Path) -> None:
    located = read(tmp_path, AGENCY + 'login = { user = "g", password = "${PW}" }\n')
    assert located.missing("dpmptsp") == ("PW",)
    assert located.missing("dinkes") == ()


def test_a_missing_variable_elsewhere_does(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, '[gateway]\nname = "${NAME}"\n')
    assert finding.where == "gateway.toml:2"
    assert "the environment has no NAME" in finding.what


@pytest.mark.parametrize("name", ["Dpmptsp", "dpmptsp!", "1x"])
def test_names_are_plain(tmp_path: Path, name: str) -> None:
    assert findings(tmp_path, AGENCY.replace("agency.dpmptsp", f'agency."{name}"'))


@pytest.mark.parametrize("expose", ["/v1/izin", "GET /izin", "get /v1/izin", "GET /v1/izin status", "FETCH /v1/izin"])
def test_a_path_is_exposed_below_v1_with_its_method(tmp_path: Path, expose: str) -> None:
    text = f'{AGENCY}[agency.dpmptsp.operation.x]\ncall = "GET /x"\nexpose = "{expose}"\n'
    (finding,) = findings(tmp_path, text)
    assert finding.where == "gateway.toml:8"
    assert "GET /v1/" in finding.remedy


def test_stale_is_for_reads(tmp_path: Path) -> None:
    text = f'{AGENCY}[agency.dpmptsp.operation.x]\ncall = "POST /x"\nexpose = "POST /v1/x"\nstale = "10m"\n'
    (finding,) = findings(tmp_path, text)
    assert "safe = true" in finding.what


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ("", "needs either route or gather"),
        ('route = { "*" = "a/b" }\n', 'route needs by = "<field>"'),
        ('gather = { a = "a/b" }\n', "a gather only reads"),
        ('route = { by = "x" }\ngather = { a = "a/b" }\n', "needs either route or gather"),
    ],
)
def test_a_composite_is_one_thing(tmp_path: Path, rest: str, says: str) -> None:
    (finding,) = findings(tmp_path, f'[operation.x]\nexpose = "POST /v1/x"\n{rest}')
    assert says in finding.what


@pytest.mark.parametrize("text", ['[gateway]\ntimezone = "Asia/Jakata"\n', AGENCY + 'timezone = "Asia/Jakata"\n'])
def test_a_zone_that_is_none_is_told_with_the_nearest(tmp_path: Path, text: str) -> None:
    (finding,) = findings(tmp_path, text)
    assert "Asia/Jakarta" in finding.what


def test_no_secret_shows_when_a_configuration_is_printed(tmp_path: Path) -> None:
    located = read(tmp_path, AGENCY + 'login = { user = "g", password = "${PW}" }\n', PW="rahasia")
    assert "rahasia" not in repr(located)


CLIENT = '[client.{0}]\nkeys = [{{ sha256 = "{1}" }}]\nallow = []\n'


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('[agency.gateway]\nadapter = "rest"\nmapping = "x"\n', 1, "agency.gateway: gateway is what"),
        ('[gateway]\nlisten = "127.0.0.1:99999"\n', 2, "no such port"),
        ("[client.a]\nkeys = []\nallow = []\n", 2, "client.a.keys: is empty"),
        (CLIENT.format("a", "0" * 64) + CLIENT.format("b", "0" * 64), 5, "client.b.keys.0: client.a has this key"),
        (
            CLIENT.format("app", "0" * 64) + f'[operator.sri]\nkeys = [{{ sha256 = "{"0" * 64}" }}]\n',
            2,
            "client.app.keys.0: operator.sri has this key already, gateway.toml:5",
        ),
        ('[defaults]\ntimeout = "0s"\n', 2, "longer than nothing"),
        ('[agency.Dinkes]\nadapter = "rest"\nmapping = "x"\n', 1, "agency.Dinkes: is not of the form lower-case"),
    ],
)
def test_what_could_only_fail_later_is_found_at_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    (finding,) = findings(tmp_path, text)
    assert finding.where == f"gateway.toml:{line}"
    assert says in finding.what


@pytest.mark.parametrize(
    "path",
    [
        "/v1/a//b",
        "/v1/a/",
        "/v1/a?b",
        "/v1/a#b",
        "/v1/{a",
        "/v1/a}",
        "/v1/x{a}",
        "/v1/{}",
        "/v1/{a}{b}",
        "/v1/a b",
        "/v1",
    ],
)
def test_a_path_that_no_request_could_match_is_found(tmp_path: Path, path: str) -> None:
    (finding,) = findings(tmp_path, f'{AGENCY}[agency.dpmptsp.operation.x]\nexpose = "GET {path}"\ncall = "y"\n')
    assert "METHOD /v1/path" in finding.what


@pytest.mark.parametrize("path", ["/v1/a", "/v1/{a}/cari", "/v1/pohon/{pemohon.nik}", "/v1/a.b-c_d~"])
def test_a_path_of_whole_steps_holds(tmp_path: Path, path: str) -> None:
    assert read(tmp_path, f'{AGENCY}[agency.dpmptsp.operation.x]\nexpose = "GET {path}"\ncall = "y"\n')


def test_a_link_to_the_file_is_not_followed_when_paths_are_looked_up(tmp_path: Path) -> None:
    (tmp_path / "moment").mkdir()
    (tmp_path / "moment/gateway.toml").write_text(AGENCY, encoding="utf-8")
    (tmp_path / "gateway.toml").symlink_to("moment/gateway.toml")
    assert load(tmp_path / "gateway.toml", {}).folder == tmp_path
