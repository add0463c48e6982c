"""Expressions that the dashboards repeat."""


def rate(counter: str, where: str, by: str = "") -> str:
    """Return how often a second, summed up by labels."""
    return f"sum{_by(by)}(rate({counter}{{{where}}}[$__rate_interval]))"


def rise(counter: str, where: str, by: str = "") -> str:
    """Return how often in the interval of one point, summed up by labels."""
    return f"sum{_by(by)}(increase({counter}{{{where}}}[$__rate_interval]))"


def quantile(share: float, histogram: str, where: str, by: str = "") -> str:
    """Return the value that a share of them does not exceed, by labels."""
    grouped = f"{by}, le" if by else "le"
    return f"histogram_quantile({share}, sum by ({grouped}) (rate({histogram}_bucket{{{where}}}[$__rate_interval])))"


def _by(labels: str) -> str:
    return f" by ({labels}) " if labels else ""
