"""Two DICOM stores against a model of them: a dictionary in the order of arrival.

In process and one request after the other, so that hypothesis can shrink what it finds. Both
stores are given the same files, which the emulator keeps once.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import invariant, rule

from tests.soak.instances import FILES, KEYS, Key, key_of, parts_of, path_of, value
from tests.soak.model_machine import DATASET, ModelMachine, check

STORES = tuple(f"{DATASET}/dicomStores/{name}" for name in ("one", "two"))
DICOM = "application/dicom"
WAIT_SECONDS = 30

stores = st.sampled_from(STORES)
# Few, so that they meet: two studies of two series of two instances.
keys = st.sampled_from(
    [key for key in KEYS if key[0] in ("1.2.1", "1.2.2") and key[2] != "1.2.9.3"]
)
contents = st.sampled_from("aab")
levels = st.sampled_from((1, 2))
pages = st.fixed_dictionaries(
    {}, optional={"limit": st.integers(1, 4), "offset": st.integers(0, 4)}
)


class Stores(ModelMachine):
    """Calls, each with what the model says of its answer."""

    def __init__(self) -> None:
        super().__init__()
        self._model: dict[str, dict[Key, str]] = {store: {} for store in STORES}
        for store in STORES:
            self._make(store)

    def _make(self, store: str) -> None:
        parent, _, name = store.rpartition("/")
        self._send("POST", f"{parent}?dicomStoreId={name}", 200, json={})

    def _inside(self, store: str, uids: tuple[str, ...]) -> dict[Key, str]:
        found = self._model[store].items()
        return {key: content for key, content in found if key[: len(uids)] == uids}

    @rule(
        store=stores,
        given=st.lists(st.tuples(keys, contents), min_size=1, max_size=6),
        into=st.none() | keys,
    )
    def store_instances(self, store: str, given: list[tuple[Key, str]], into: Key | None) -> None:
        self._store(store, given, into)

    def _store(self, store: str, given: list[tuple[Key, str]], into: Key | None) -> None:
        model = self._model[store]
        kept: list[Key] = []
        failed: list[Key] = []
        for key, content in given:
            fits = into is None or key[0] == into[0]
            same = fits and model.setdefault(key, content) == content
            (kept if same else failed).append(key)
        body = b"".join(
            b"--x\r\nContent-Type: application/dicom\r\n\r\n" + FILES[one] + b"\r\n"
            for one in given
        )
        headers = {
            "Content-Type": f'multipart/related; type="{DICOM}"; boundary=x',
            "Accept": "application/dicom+json",
        }
        path = f"{store}/dicomWeb/studies" + (f"/{into[0]}" if into else "")
        code = 409 if failed else 200
        answer = self._send("POST", path, code, content=body + b"--x--", headers=headers).json()
        reported = [value(item, "00081155") for item in answer.get("00081198", {}).get("Value", [])]
        assert sorted(reported) == sorted(key[2] for key in failed)
        urls = [value(item, "00081190") for item in answer.get("00081199", {}).get("Value", [])]
        assert [url.partition("/dicomWeb/")[2] for url in urls] == [path_of(key) for key in kept]

    @rule(given=st.lists(st.tuples(keys, contents), min_size=1, max_size=6))
    def store_the_same_in_both(self, given: list[tuple[Key, str]]) -> None:
        for store in STORES:
            self._store(store, given, None)

    @rule(store=stores, key=keys)
    def delete_instance(self, store: str, key: Key) -> None:
        code = 200 if self._model[store].pop(key, None) else 404
        self._send("DELETE", f"{store}/dicomWeb/{path_of(key)}", code)

    @rule(store=stores, key=keys, level=levels)
    def delete_study_or_series(self, store: str, key: Key, level: int) -> None:
        gone = self._inside(store, key[:level])
        path = f"{store}/dicomWeb/{path_of(key[:level])}"
        answer = self._send("DELETE", path, 200 if gone else 404).json()
        if gone:
            done = self._cloud.operations.wait(answer["name"], WAIT_SECONDS)
            assert done["done"]
            assert done["metadata"]["counter"] == {"success": str(len(gone))}
        for one in gone:
            del self._model[store][one]

    @rule(store=stores)
    def delete_store(self, store: str) -> None:
        self._send("DELETE", store, 200)
        self._model[store].clear()
        self._send("GET", f"{store}/dicomWeb/studies", 404)
        self._make(store)

    @rule(store=stores, key=keys, level=st.sampled_from((1, 2, 3)))
    def retrieve(self, store: str, key: Key, level: int) -> None:
        there = self._inside(store, key[:level])
        headers = {"Accept": f'multipart/related; type="{DICOM}"; transfer-syntax=*'}
        path = f"{store}/dicomWeb/{path_of(key[:level])}"
        answer = self._send("GET", path, 200 if there else 404, headers=headers)
        if there:
            files = [FILES[one] for one in there.items()]
            assert parts_of(answer.headers["Content-Type"], answer.content) == files

    @rule(store=stores, key=keys, level=st.sampled_from((0, 1, 2)), page=pages)
    def search_instances(self, store: str, key: Key, level: int, page: dict[str, int]) -> None:
        below = f"{path_of(key[:level])}/" if level else ""
        found = self._search(f"{store}/dicomWeb/{below}instances", page)
        # By its address: the response omits what the path names.
        reported = [value(item, "00081190").partition("/dicomWeb/")[2] for item in found]
        there = [path_of(one) for one in self._inside(store, key[:level])]
        assert reported == _paged(there, page)

    @rule(store=stores, page=pages)
    def search_series_and_studies(self, store: str, page: dict[str, int]) -> None:
        model = self._model[store]
        for level, what, count in ((1, "studies", "00201208"), (2, "series", "00201209")):
            there = [*dict.fromkeys(key[:level] for key in model)]
            found = self._search(f"{store}/dicomWeb/{what}", page)
            reported = {_uids(item, level): value(item, count) for item in found}
            wanted = {one: len(self._inside(store, one)) for one in _paged(there, page)}
            assert [*reported.items()] == [*wanted.items()]

    @rule(store=stores, key=keys, page=pages)
    def search_by_attribute(self, store: str, key: Key, page: dict[str, int]) -> None:
        found = self._search(f"{store}/dicomWeb/instances", {**page, "SOPInstanceUID": key[2]})
        there = [one for one in self._model[store] if one[2] == key[2]]
        assert [key_of(item) for item in found] == _paged(there, page)

    def _search(self, path: str, query: dict[str, Any]) -> list[dict[str, Any]]:
        type(self).requests += 1
        answer = self._client.get(f"/v1/{path}", params=query)
        assert answer.status_code in (200, 204), answer.text
        found: list[dict[str, Any]] = answer.json() if answer.status_code == 200 else []
        assert (answer.status_code == 204) is not bool(found)
        return found

    @invariant()
    def metrics_count_what_is_there(self) -> None:
        for store, model in self._model.items():
            metrics = self._send("GET", f"{store}:getDICOMStoreMetrics", 200).json()
            assert int(metrics["instanceCount"]) == len(model)
            assert int(metrics["studyCount"]) == len({key[0] for key in model})
            size = sum(len(FILES[one]) for one in model.items())
            assert int(metrics["blobStorageSizeBytes"]) == size

    @invariant()
    def the_disk_holds_what_is_there_once(self) -> None:
        folder = Path(self._folder.name) / "dicom"
        files = {file.name: file.read_bytes() for file in (folder / "sha256").iterdir()}
        there = [FILES[one] for model in self._model.values() for one in model.items()]
        assert files == {sha256(file).hexdigest(): file for file in there}
        assert not [*(folder / "incoming").iterdir()]


def _paged(items: list[Any], page: dict[str, int]) -> list[Any]:
    start = page.get("offset", 0)
    return items[start : start + page.get("limit", len(items))]


def _uids(item: dict[str, Any], level: int) -> tuple[str, ...]:
    return tuple(value(item, tag) for tag in ("0020000D", "0020000E")[:level])


def test_two_stores_and_their_model(
    soak: bool, seed: int, report: Callable[..., None], tmp_path: Path
) -> None:
    check(Stores, tmp_path, soak=soak, seed=seed, report=report, name="stores against a model")
