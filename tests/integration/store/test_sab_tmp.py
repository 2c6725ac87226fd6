import pytest
from tests.integration.store.conftest import *
pytestmark = pytest.mark.integration

def test_restart(database):
    a = Desk(database); a.take(); a.commit([a_quote(5)]); a.leases.release([f"store/{FEED}/00", f"store/{FEED}/01"]); a.close()
    b = Desk(database, worker="second"); b.take()
    b.commit([an_event("connected", since_ns=NOW_NS, at_ns=NOW_NS + SECOND)])
    b.close()

def test_announced_huge(desk):
    desk.commit([a_trade(10)])
    desk.commit([an_event("announced", kind=1, symbol="BTCUSDT", to_id=2**63-1), a_trade(11)])

def test_overflow(desk):
    desk.commit([a_trade(10), a_trade(10, symbol="ETHUSDT"), a_trade(10, symbol="X")])
    desk.commit([a_trade(2**62), a_trade(2**62, symbol="ETHUSDT"), a_trade(2**62, symbol="X")])
    print(desk.store.gap_figures([f"store/{FEED}/00"]))
