"""The resource type of an object of Cloud Storage whose content is in the program."""

import base64
import hashlib
from dataclasses import dataclass
from urllib.parse import quote

from engine.standin.http import Api, Json
from engine.standin.resource import ResourceType, Update
from engine.standin.resource_types.common import resource_type
from engine.standin.rest import Rest
from engine.standin.values import Values

_DEFAULT_TYPE = "text/plain; charset=utf-8"
"""Inferred: the media type of a text, as the provider's client detects it."""


def _md5(content: str) -> bytes:
    return hashlib.md5(content.encode(), usedforsecurity=False).digest()


def _read(answer: Json, known: Values) -> Values:
    """Return the outputs; the content is lost when another one is there, so that it differs."""
    content, stored = str(known.get("content") or ""), answer.get("md5Hash", "")
    is_ours = base64.b64encode(_md5(content)).decode() == stored
    return {
        "content": content if is_ours else "",
        "detectMd5hash": stored,
        "generation": int(answer.get("generation", 0)),
        "md5hash": stored,
        "md5hexhash": base64.b64decode(stored).hex(),
        "outputName": answer["name"],
    }


@dataclass(frozen=True, kw_only=True)
class _Object(Rest):
    """An object, which is uploaded in whole."""

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:  # noqa: ARG002
        """Upload it."""
        self._upload(wanted, api)
        return self.id.format_map(wanted)

    def update(self, type_: ResourceType, id_: str, change: Update, api: Api) -> None:  # noqa: ARG002
        """Upload it again."""
        self._upload({**change.state, **change.wanted}, api)

    def _path(self, values: Values, query: str = "") -> str:
        path = f"b/{values['bucket']}/o/{quote(str(values['name']), safe='')}"
        return f"{path}?{query}" if query else path

    def _upload(self, values: Values, api: Api) -> None:
        name = quote(str(values["name"]), safe="")
        api.upload(
            f"b/{values['bucket']}/o?uploadType=media&name={name}",
            str(values.get("content") or "").encode(),
            str(values.get("contentType") or _DEFAULT_TYPE),
        )


BUCKET_OBJECT = resource_type(
    "gcp:storage/bucketObject:BucketObject",
    "BucketObject",
    _Object(service="storage", id="{bucket}-{name}", create_call="", decode=_read),
    quirks={
        "name": {"wire": "name"},
        "bucket": {"wire": None},
        "content": {"wire": None},
        "detectMd5hash": {"wire": None, "client": True, "same": lambda _one, _other: True},
        "md5hash": {"wire": None},
        "md5hexhash": {"wire": None},
        "outputName": {"wire": None},
    },
    uncovered=(
        "cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "contexts",
        "customerEncryption", "eventBasedHold", "forceEmptyContentType", "kmsKeyName", "metadata",
        "retention", "source", "sourceMd5hash", "temporaryHold",
    ),
)  # fmt: skip
