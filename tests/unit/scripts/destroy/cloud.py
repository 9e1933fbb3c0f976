"""Google's services as far as a tear-down asks and changes them: what exists is a dictionary."""

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from google.api_core.exceptions import NotFound

from tests.unit.scripts.fakes import FakeGoogle, refusal
from tests.unit.scripts.services import Services

GET, SET = ":getIamPolicy", ":setIamPolicy"


@dataclass
class Cloud(Services):
    """Answers by name, and takes policies; `refused` maps a path to the answer it gets instead.

    Attributes:
        tables: of each BigQuery dataset, `PROJECT.DATASET`: table -> type.
        access: lists of the same datasets.
        buckets: name -> policy bindings.
        objects: name of a bucket -> its objects.
    """

    tables: dict[str, dict[str, str]] = field(default_factory=dict)
    access: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    buckets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    objects: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, tuple[int, Any]] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **more: Any
    ) -> Any:
        path = urlsplit(uri).path.removeprefix("/v1/").removeprefix("/v2/")
        if path in self.refused:
            self.answers = [self.refused[path]]
            return FakeGoogle.request(self, uri, method, body, headers, **more)
        if path.endswith(SET):
            policy = json.loads(body)["policy"]
            key = path.replace(SET, GET)
            self.found[key if key in self.found else key.removeprefix("projects/")] = policy
            self.answers = [(200, policy)]
            return FakeGoogle.request(self, uri, method, body, headers, **more)
        return super().request(uri, method, body, headers, **more)

    def big_query(self, project: str, location: str | None = None) -> Any:
        """A fake of BigQuery's client."""
        return SimpleNamespace(
            get_dataset=self._get_dataset,
            get_table=self._get_table,
            list_tables=self._list_tables,
            delete_table=self._delete_table,
            update_dataset=self._update_dataset,
        )

    def storage(self, project: str) -> Any:
        """A fake of Cloud Storage's client."""
        return SimpleNamespace(
            bucket=self._bucket, get_bucket=self._get_bucket, list_blobs=self._list_blobs
        )

    def _get_dataset(self, name: str, **_options: Any) -> Any:
        if name not in self.tables:
            raise _absent(name)
        found = SimpleNamespace(name=name, etag="1", access_entries=self.access.get(name, []))
        found.to_api_repr = lambda: {"access": self.access.get(name, [])}
        return found

    def _update_dataset(self, dataset: Any, fields: list[str], **_options: Any) -> None:
        assert fields == ["access_entries"]
        self.access[dataset.name] = dataset.access_entries

    def _get_table(self, name: str, **_options: Any) -> Any:
        dataset, _, table = name.rpartition(".")
        if table not in self.tables.get(dataset, {}):
            raise _absent(name)
        return SimpleNamespace(to_api_repr=lambda: {"id": name})

    def _list_tables(self, dataset: str, **_options: Any) -> list[Any]:
        if dataset not in self.tables:
            raise _absent(dataset)
        return [
            SimpleNamespace(table_id=name, table_type=type_)
            for name, type_ in self.tables[dataset].items()
        ]

    def _delete_table(self, name: str, *, not_found_ok: bool, **_options: Any) -> None:
        assert not_found_ok
        dataset, _, table = name.rpartition(".")
        self.tables[dataset].pop(table)
        self.deleted.append(name)

    def _get_bucket(self, name: str, **_options: Any) -> Any:
        if name not in self.buckets:
            raise _absent(name)
        return SimpleNamespace(name=name, project_number=1)

    def _bucket(self, name: str) -> Any:
        def read(requested_policy_version: int, **_options: Any) -> Any:
            if name not in self.buckets:
                raise _absent(name)
            policy = SimpleNamespace(bindings=[dict(b) for b in self.buckets[name]])
            policy.to_api_repr = lambda: {"bindings": policy.bindings}
            return policy

        def write(policy: Any, **_options: Any) -> None:
            self.buckets[name] = policy.bindings

        def blob(object_: str) -> Any:
            found = object_ in self.objects.get(name, [])
            return SimpleNamespace(exists=lambda **_options: found)

        return SimpleNamespace(get_iam_policy=read, set_iam_policy=write, blob=blob)

    def _list_blobs(
        self, name: str, *, versions: bool, max_results: int, **_options: Any
    ) -> list[Any]:
        assert versions
        return [SimpleNamespace(name=each) for each in self.objects.get(name, [])][:max_results]


def _absent(name: str) -> NotFound:
    return NotFound(name)  # type: ignore[no-untyped-call]


def forbidden(what: str) -> tuple[int, Any]:
    return refusal(403, "PERMISSION_DENIED", what)
