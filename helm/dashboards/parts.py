"""What the dashboards are made of: a question per row, and panels of three kinds; knows no metric."""

from collections.abc import Sequence
from typing import Literal

from grafana_foundation_sdk.builders.common import ReduceDataOptions, VizLegendOptions
from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    QueryVariable,
    Row,
    ThresholdsConfig,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.models.common import BigValueColorMode, LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

Unit = Literal["short", "s", "bytes", "percentunit", "reqps", "ops", "Bps"]
Query = tuple[str, str]
"""An expression, and how its series are called: `{{agency}}`."""

TAG = "opd-gateway"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
HEIGHT, STAT_HEIGHT = 8, 4
WIDTH = 24
A_FORTNIGHT = 14 * 86400.0
"""Seconds before its end from which on a certificate should be renewed: those of the alerts."""


def dashboard(uid: str, title: str, about: str) -> Dashboard:
    """Return an empty dashboard with the variables that all have."""
    return (
        Dashboard(f"opd-gateway: {title}")
        .uid(f"opd-gateway-{uid}")
        .description(about)
        .tags([TAG])
        .readonly()
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(
            DashboardLink("opd-gateway")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .keep_time(True)
        )
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(_choice("job", "job", "label_values(gateway_build_info, job)").include_all(True).multi(True))
    )


def agency_variable() -> QueryVariable:
    """Return the choice of one agency."""
    return _choice("agency", "agency", 'label_values(gateway_agency_open{job=~"$job"}, agency)')


def _choice(name: str, label: str, query: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def row(question: str) -> Row:
    """Return the row of a question."""
    return Row(question)


def graph(title: str, about: str, *queries: Query, unit: Unit = "short", span: int = 12) -> TimeSeries:
    """Return lines over time."""
    panel = (
        TimeSeries()
        .title(title)
        .description(about)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .fill_opacity(10)
        .line_width(1)
        .height(HEIGHT)
        .span(span)
        .legend(
            VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM).show_legend(True)
        )
    )
    for query in _asked(queries):
        panel = panel.with_target(query)
    return panel


def number(  # noqa: PLR0913 - what a number is shown with
    title: str,
    about: str,
    query: str,
    *,
    unit: Unit = "short",
    bad: Sequence[tuple[float, str]] = (),
    least: float | None = None,
    span: int = 4,
) -> Stat:
    """Return one number; `bad` are the values from which on it has another colour, below `least` it is red."""
    lowest = "green" if least is None else "red"
    marks = [*bad] if least is None else [(least, "green"), *bad]
    steps = [Threshold(value=None, color=lowest), *(Threshold(value=value, color=color) for value, color in marks)]
    return (
        Stat()
        .title(title)
        .description(about)
        .datasource(SOURCE)
        .unit(unit)
        .height(STAT_HEIGHT)
        .span(span)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .color_mode(BigValueColorMode.BACKGROUND if marks else BigValueColorMode.VALUE)
        .thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .with_target(Dataquery().expr(query).instant().ref_id("A"))
    )


def table(title: str, about: str, *columns: Query, by: str, span: int = WIDTH) -> Table:
    """Return a table: a line for each value of a label, a column for each expression."""
    panel = Table().title(title).description(about).datasource(SOURCE).height(HEIGHT).span(span)
    for letter, (expression, _name) in zip("ABCDEFGHIJ", columns, strict=False):
        panel = panel.with_target(Dataquery().expr(expression).instant().format(PromQueryFormat.TABLE).ref_id(letter))
    names = {f"Value #{letter}": name for letter, (_, name) in zip("ABCDEFGHIJ", columns, strict=False)}
    return panel.transformations(
        [
            DataTransformerConfig(id_val="joinByField", options={"byField": by, "mode": "outer"}),
            DataTransformerConfig(
                id_val="organize",
                options={
                    "excludeByName": {f"Time {n}": True for n in range(1, len(columns) + 1)} | {"Time": True},
                    "renameByName": names,
                },
            ),
        ]
    )


def _asked(queries: Sequence[Query]) -> list[Dataquery]:
    return [
        Dataquery().expr(expression).legend_format(legend).ref_id(letter)
        for letter, (expression, legend) in zip("ABCDEFGH", queries, strict=False)
    ]
