"""What `/metrics` tells, read at scrape time from whoever counts it; nothing is counted twice.

Names and units follow the Prometheus conventions: `_total` only grows, bytes and seconds are in the name.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

UNMATCHED = "unmatched"  # the route of requests for addresses that do not exist


class RequestCounts:
    """Answered HTTP requests by method, route (the pattern, not the path) and status."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, int]] = Counter()
        self._seconds: Counter[tuple[str, str]] = Counter()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        self._counts[method, route, status] += 1
        self._seconds[method, route] += seconds  # type: ignore[assignment]  # a Counter holds floats just as well

    def metrics(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("folkmoot_http_requests", "Answered", labels=["method", "route", "status"])
        for (method, route, status), count in self._counts.items():
            requests.add_metric([method, route, str(status)], count)
        yield requests
        seconds = CounterMetricFamily("folkmoot_http_request_seconds", "Spent answering", labels=["method", "route"])
        for (method, route), spent in self._seconds.items():
            seconds.add_metric([method, route], spent)
        yield seconds


class Scrape:
    """A Prometheus collector over functions that give metrics."""

    def __init__(self, *sources: Callable[[], Iterable[Metric]]) -> None:
        self._sources = sources
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def collect(self) -> Iterator[Metric]:
        for source in self._sources:
            yield from source()

    def text(self) -> bytes:
        """Everything in the text format."""
        return generate_latest(self._registry)


def gauges(prefix: str, values: Mapping[str, float]) -> Iterator[Metric]:
    """A gauge for each value, named `<prefix>_<name>`."""
    for name, value in values.items():
        yield GaugeMetricFamily(f"{prefix}_{name}", name.replace("_", " "), value=value)


def counters(prefix: str, values: Mapping[str, float]) -> Iterator[Metric]:
    """A counter for each value, named `<prefix>_<name>_total`."""
    for name, value in values.items():
        yield CounterMetricFamily(f"{prefix}_{name}", name.replace("_", " "), value=value)
