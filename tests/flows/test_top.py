"""`gateway top` beside a gateway that runs."""

import json
from urllib.parse import urlsplit

from tests.flows.asks import MY_TICKETS
from tests.flows.command import gateway
from tests.flows.flow import Flow


def test_top_tells_of_a_running_gateway_from_its_figures_alone(flow: Flow) -> None:
    flow.ask(MY_TICKETS)
    done = gateway("top", "--at", urlsplit(flow.gateway.metrics_url).netloc, "--every", "1", "--json", environment={})
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["seconds"] >= 1
    assert told["ledger"] == "ok"
    by_name = {one["agency"]: one for one in told["agencies"]}
    assert set(by_name) == set(flow.agencies.ports)
    assert (by_name["dinkes"]["state"], by_name["dinkes"]["breaker"]) == ("ok", "closed")
    assert by_name["dinkes"]["per_second"] is not None
