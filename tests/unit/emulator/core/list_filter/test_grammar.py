"""Parsing of list filters by several threads."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from emulator.core.list_filter import grammar

THREADS = 8


def test_threads_can_parse_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(20):
        # The first parse of a grammar is the one that threads disturbed.
        monkeypatch.setattr(grammar, "_GRAMMAR", grammar._grammar())
        barrier = threading.Barrier(THREADS)

        def parse(barrier: threading.Barrier = barrier) -> grammar.Node:
            barrier.wait(10)
            return grammar.parse("state = ENABLED AND (done = true OR a.b : c)")

        with ThreadPoolExecutor(THREADS) as pool:
            trees = [each.result() for each in [pool.submit(parse) for _ in range(THREADS)]]
        assert len(set(trees)) == 1
