"""Whatever the table of metrics declares is really counted by a gateway that has served traffic."""

import httpx
import pytest

from gateway.metrics import TABLE
from tests.flows.asks import KINDS
from tests.flows.lively import ask, samples
from tests.flows.process import Gateway, eventually

# The stand-ins speak no TLS; tests/unit/test_app.py counts an agency's certificate.
WITHOUT_TLS = {
    "gateway_agency_certificate_expiry_timestamp_seconds",
    "gateway_agency_own_certificate_expiry_timestamp_seconds",
}
# And nobody brings files by SFTP there; tests/flows/test_sftp.py counts those who do.
WITHOUT_SFTP = {"gateway_sftp_logins_total", "gateway_sftp_uploads_total"}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_every_metric_of_the_table_has_been_fed(busy: Gateway) -> None:
    wanted = {metric.name: set(metric.labels) for metric in TABLE if metric.name not in WITHOUT_TLS | WITHOUT_SFTP}

    def fed() -> dict[str, set[str]] | None:
        found = samples(busy.figures())
        return found if wanted.keys() <= found.keys() else None

    found = eventually(fed, f"samples of {wanted.keys() - samples(busy.figures()).keys()}")
    assert {name: found[name] - {"le"} for name in wanted} == wanted


@pytest.mark.parametrize(
    "line",
    [
        'gateway_lane_deliveries_total{agency="dpmptsp",outcome="delivered"} 2.0',
        'gateway_cache_requests_total{operation="dpmptsp/daftar-jenis-izin",result="stale"} 1.0',
        'gateway_translation_errors_total{agency="dinkes",operation="dinkes/antrean-saya",side="reply"} 1.0',
        'gateway_agency_breaker_transitions_total{agency="dpmptsp",to="open"}',
        'gateway_agency_requests_total{agency="dpmptsp",operation="dpmptsp/status-izin",outcome="unavailable"}',
        'gateway_lane_paused{agency="dpmptsp",reason="outage"} 0.0',
        'gateway_agency_quota_limit{agency="dinkes"} 5000.0',
        'gateway_rejections_total{reason="unauthorized"} 1.0',
        'gateway_agency_tolerated_total{agency="dpmptsp",tolerance="leading-junk"} 1.0',
        'gateway_agency_contract_changed{agency="dpmptsp"} ',
    ],
)
def test_what_happened_is_in_the_figures(busy: Gateway, line: str) -> None:
    eventually(lambda: line in busy.figures() or None, line)  # lanes are counted every few seconds


def test_every_failure_has_its_source(busy: Gateway) -> None:
    rows = [line for line in busy.figures().splitlines() if line.startswith("gateway_requests_total")]
    failed = [row for row in rows if 'code="2' not in row]
    assert failed
    assert not [row for row in failed if 'error_source="none"' in row and "not-found" not in row]
    for source, code in (("agency", "503"), ("client", "401"), ("agency", "502")):
        assert any(f'code="{code}"' in row and f'error_source="{source}"' in row for row in failed)


def test_a_request_with_a_traceparent_is_an_example_in_openmetrics(busy: Gateway) -> None:
    assert ask(busy, KINDS, traceparent=f"00-{TRACE}-00f067aa0ba902b7-01").status_code == 200
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}

    def shown() -> bool | None:
        text = httpx.get(f"{busy.metrics_url}/metrics", headers=accept).text
        assert text.endswith("# EOF\n")
        rows = [row for row in text.splitlines() if f'# {{trace_id="{TRACE}"}}' in row]
        return bool(rows and rows[0].startswith("gateway_request_duration_seconds_bucket{")) or None

    eventually(shown, "the exemplar")
