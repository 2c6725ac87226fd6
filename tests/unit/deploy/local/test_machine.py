"""Ports of this machine."""

import socket
from collections.abc import Iterator

import pytest

from deploy.databases import free_port
from deploy.local.machine import choose_ports, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_preferred_port_that_is_free_is_taken() -> None:
    port = free_port()

    assert choose_ports(["api"], {"api": port}, {}) == {"api": port}


def test_a_port_in_use_is_replaced(taken: int) -> None:
    chosen = choose_ports(["api"], {"api": taken}, {})["api"]

    assert chosen != taken
    assert is_free(chosen)


def test_where_the_preferred_port_is_in_use_the_last_starts_is_kept(taken: int) -> None:
    last = free_port()

    assert choose_ports(["api"], {"api": taken}, {"api": last}) == {"api": last}


def test_the_preferred_port_comes_before_the_last_starts() -> None:
    preferred = free_port()

    assert choose_ports(["api"], {"api": preferred}, {"api": free_port()}) == {"api": preferred}


def test_no_two_names_share_a_port() -> None:
    port = free_port()

    chosen = choose_ports(["a", "b", "c"], {"a": port, "b": port}, {})

    assert len(set(chosen.values())) == 3
