"""Pages by key: what changes between two pages neither repeats nor skips another item."""

import base64
from functools import partial
from typing import Any

import pytest

from emulator.core.errors import ApiError
from emulator.core.resources.paging import from_items, paginate

Item = dict[str, Any]


def page(names: list[str], query: dict[str, str] | None = None, **options: Any) -> Item:
    items = from_items([{"name": name} for name in names], lambda item: item["name"])
    settings: dict[str, Any] = {"scope": "things", "default": 2, "maximum": 3, **options}
    return paginate(items, query or {}, "things", **settings)


def names_of(answer: Item) -> list[str]:
    return [item["name"] for item in answer["things"]]


def test_pages_follow_each_other_to_the_end() -> None:
    first = page(["d", "a", "c", "b", "e"])
    assert names_of(first) == ["a", "b"]
    second = page(["d", "a", "c", "b", "e"], {"pageToken": first["nextPageToken"]})
    assert names_of(second) == ["c", "d"]
    last = page(["d", "a", "c", "b", "e"], {"pageToken": second["nextPageToken"]})
    assert last == {"things": [{"name": "e"}]}


def test_a_full_last_page_has_no_token() -> None:
    assert page(["a", "b"]) == {"things": [{"name": "a"}, {"name": "b"}]}


def test_an_empty_list_is_an_empty_object() -> None:
    assert page([]) == {}


def test_a_deletion_between_two_pages_skips_no_item() -> None:
    first = page(["a", "b", "c", "d"])
    second = page(["b", "c", "d"], {"pageToken": first["nextPageToken"]})
    assert names_of(second) == ["c", "d"]


def test_the_last_item_of_a_page_may_go() -> None:
    first = page(["a", "b", "c", "d"])
    assert names_of(page(["a", "c", "d"], {"pageToken": first["nextPageToken"]})) == ["c", "d"]


def test_an_insertion_between_two_pages_repeats_no_item() -> None:
    first = page(["b", "c", "d", "e"])
    second = page(["a", "b", "c", "d", "e"], {"pageToken": first["nextPageToken"]})
    assert names_of(second) == ["d", "e"]


@pytest.mark.parametrize(("size", "number"), [("", 2), ("0", 2), ("1", 1), ("3", 3), ("9" * 18, 3)])
def test_a_page_has_the_size_asked_for_up_to_the_maximum(size: str, number: int) -> None:
    assert len(page(list("abcdef"), {"pageSize": size})["things"]) == number


@pytest.mark.parametrize("size", ["-1", "x", "1.5", "٣", "9" * 19])
def test_a_size_that_is_no_size_is_refused(size: str) -> None:
    with pytest.raises(ApiError, match="is not a non-negative 64-bit integer") as refused:
        page(["a"], {"pageSize": size})
    assert refused.value.code == 400


def test_a_filter_is_applied_over_as_many_rows_as_a_page_needs() -> None:
    names = [f"{number:03}" for number in range(100)]

    def even(item: Item) -> bool:
        return int(item["name"]) % 20 == 0

    first = page(names, matches=even)
    assert names_of(first) == ["000", "020"]
    second = page(names, {"pageToken": first["nextPageToken"], "pageSize": "3"}, matches=even)
    assert names_of(second) == ["040", "060", "080"]
    assert "nextPageToken" not in second


def test_only_the_rows_of_a_page_are_fetched() -> None:
    asked: list[tuple[Any, int]] = []

    def fetch(after: Any, limit: int) -> list[tuple[Any, Item]]:
        asked.append((after, limit))
        start = 0 if after is None else after + 1
        return [(number, {"n": number}) for number in range(start, start + limit)]

    listed = partial(paginate, fetch, field="n", scope="s", default=2, maximum=2)
    first = listed(query={})
    listed(query={"pageToken": first["nextPageToken"]})
    assert asked == [(None, 3), (1, 3)]


def test_a_token_of_another_list_or_filter_is_refused() -> None:
    token = page(["a", "b", "c"])["nextPageToken"]
    for scope in ("things?labels.a=b", "others"):
        with pytest.raises(ApiError, match="it belongs to another list or filter") as refused:
            page(["a", "b", "c"], {"pageToken": token}, scope=scope)
        assert refused.value.code == 400


def forged(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "token", ["x", "2", "ü", "=", "a" * 5000, forged("[]"), forged('["h", 7]'), forged("[" * 9000)]
)
def test_a_token_that_is_none_is_refused(token: str) -> None:
    with pytest.raises(ApiError, match="Invalid value for page_token") as refused:
        page(["a"], {"pageToken": token})
    assert refused.value.code == 400
