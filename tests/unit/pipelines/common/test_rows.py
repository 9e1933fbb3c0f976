"""Files of rows: each key once, in order, always in the same shard."""

from pipelines.common.rows import in_order, shard_of, to_ndjson


def test_a_key_is_always_in_the_same_shard() -> None:
    keys = [f"gs://b/{n}#1" for n in range(1000)]
    shards = [shard_of(key, 8) for key in keys]
    assert shards == [shard_of(key, 8) for key in keys]
    assert {*shards} == {*range(8)}
    assert max(shards.count(n) for n in range(8)) < 250


def test_rows_are_in_order_and_each_once() -> None:
    assert in_order([("b", {"n": 2}), ("a", {"n": 1}), ("b", {"n": 2})]) == [{"n": 1}, {"n": 2}]


def test_lines_of_json() -> None:
    assert to_ndjson([{"b": 1, "a": None}, {}]) == b'{"a": null, "b": 1}\n{}\n'
