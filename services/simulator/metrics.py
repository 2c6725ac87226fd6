"""The simulator's figures, read from where they are kept when Prometheus asks."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.simulator.exchange import Exchange


class ExchangeCollector(Collector):
    """Turns the exchange's own counts into metrics."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of this moment."""
        hub = self._exchange.hub
        yield CounterMetricFamily("nightdesk_simulator_messages_sent", "Messages sent.", value=hub.messages_sent)
        yield CounterMetricFamily("nightdesk_simulator_connections_opened", "Clients that came.", value=hub.opened)
        yield CounterMetricFamily("nightdesk_simulator_cut_off", "Clients dropped as too slow.", value=hub.cut_off)
        yield GaugeMetricFamily("nightdesk_simulator_connections", "Clients now.", value=len(hub.listeners))
        yield GaugeMetricFamily(
            "nightdesk_simulator_faults_active", "Faults in force.", value=len(self._exchange.board)
        )
        yield CounterMetricFamily(
            "nightdesk_simulator_skipped_seconds", "Market time let go.", value=self._exchange.skipped_ms / 1000
        )
        waiting = hub.most_waiting_bytes()
        yield GaugeMetricFamily("nightdesk_simulator_waiting_bytes", "The slowest client's backlog.", value=waiting)
        trades = CounterMetricFamily("nightdesk_simulator_trades", "Trades made.", labels=["symbol"])
        for listing in self._exchange.listings.values():
            trades.add_metric([listing.symbol], listing.trades_sent)
        yield trades


def register(registry: CollectorRegistry, exchange: Exchange) -> None:
    """Add the simulator's metrics to a registry."""
    registry.register(ExchangeCollector(exchange))
