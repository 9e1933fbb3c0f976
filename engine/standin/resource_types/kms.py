"""Rows of Cloud KMS: key rings, keys, and who may use them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from engine.standin.http import Api, Json
from engine.standin.iam import MEMBER, Member
from engine.standin.properties import Property
from engine.standin.resource import Resource, Update
from engine.standin.rest import Rest
from engine.standin.tables.common import (
    DELETION_POLICY,
    LABEL_OUTPUTS,
    LABELS,
    NAME,
    PROJECT,
    TIMEOUTS,
)
from engine.standin.values import Values

_ID = r"[a-zA-Z0-9_-]{1,63}"
_NAME = replace(NAME, pattern=_ID, allowed="1 to 63 letters, digits, underscores or dashes")
_SECONDS = Property(pattern=r"\d+(?:\.\d{1,9})?s", allowed='seconds, ended by "s", such as 100000s')
_GONE = ("DESTROYED", "DESTROY_SCHEDULED")


@dataclass(frozen=True, kw_only=True)
class Kept(Rest):
    """A resource that Google never deletes: the engine forgets it, and it stays."""

    def delete(self, row: Resource, id_: str, state: Values, api: Api) -> None:
        """Leaves it."""


@dataclass(frozen=True, kw_only=True)
class CryptoKey(Rest):
    """A key: it rotates from a moment on, and what deletes it destroys its versions."""

    def update(self, row: Resource, id_: str, change: Update, api: Api) -> None:  # noqa: ARG002
        """Sends what may change; a new period also moves the next rotation."""
        fields = {"labels", "rotationPeriod", "versionTemplate"} & set(change.changed)
        if not fields:
            return
        wanted = change.wanted
        body: Json = {"labels": wanted.get("effectiveLabels", {})} if "labels" in fields else {}
        if "versionTemplate" in fields:
            body["versionTemplate"] = wanted.get("versionTemplate")
        if "rotationPeriod" in fields:
            fields = fields | {"nextRotationTime"}
            body |= _rotation(wanted)
        query = {"updateMask": ",".join(sorted(fields))}
        self._call(api, "PATCH", id_, body, query, change.timeout)

    def delete(self, row: Resource, id_: str, state: Values, api: Api) -> None:  # noqa: ARG002
        """Destroys every version, and ends the rotation; the empty key stays."""
        answer = self._call(api, "GET", f"{id_}/cryptoKeyVersions")
        for version in answer.get("cryptoKeyVersions", []):
            if version["state"] not in _GONE:
                self._call(api, "POST", f"{version['name']}:destroy", {})
        if state.get("rotationPeriod"):
            query = {"updateMask": "nextRotationTime,rotationPeriod"}
            self._call(api, "PATCH", id_, {}, query)


def _rotation(values: Values) -> Json:
    """The period, with the first moment that it counts to."""
    period = values.get("rotationPeriod")
    if not period:
        return {}
    due = datetime.now(UTC) + timedelta(seconds=float(period.removesuffix("s")))
    return {"rotationPeriod": period, "nextRotationTime": due.isoformat().replace("+00:00", "Z")}


def _with_rotation(body: Json, values: Values) -> Json:
    return {**body, **_rotation(values)}


def _short(answer: Json, known: Values) -> Values:
    return {"name": answer["name"].rpartition("/")[2], **_fixed(known)}


def _fixed(known: Values) -> Values:
    return {key: known[key] for key in ("keyRing", "project", "location") if key in known}


def _key_values(answer: Json, known: Values) -> Values:
    primary = answer.get("primary")
    shown = [{"name": primary["name"], "state": primary["state"]}] if primary else []
    return {**_short(answer, known), "primaries": shown}


_RINGS = Resource(
    pulumi_type="gcp:kms/keyRing:KeyRing",
    title="KeyRing",
    properties={
        "name": _NAME,
        "location": Property(required=True, replace=True, wire=None),
        "project": PROJECT,
    },
    behaviour=Kept(
        service="kms",
        id="projects/{project}/locations/{location}/keyRings/{name}",
        create_call="POST projects/{project}/locations/{location}/keyRings?keyRingId={name}",
        imports=(
            "projects/{project}/locations/{location}/keyRings/{name}",
            "{project}/{location}/{name}",
            "{location}/{name}",
        ),
        decode=_short,
    ),
    timeouts=TIMEOUTS,
)

_KEYS = Resource(
    pulumi_type="gcp:kms/cryptoKey:CryptoKey",
    title="CryptoKey",
    properties={
        "name": _NAME,
        "keyRing": Property(
            required=True,
            replace=True,
            wire=None,
            pattern=rf"projects/[^/]+/locations/[^/]+/keyRings/{_ID}",
            allowed="a key ring's full name, projects/PROJECT/locations/LOCATION/keyRings/RING",
        ),
        "purpose": Property(default="ENCRYPT_DECRYPT", replace=True),
        "rotationPeriod": _SECONDS,
        "versionTemplate": Property(
            kind="object",
            computed=True,
            fields={
                "algorithm": Property(required=True),
                "protectionLevel": Property(default="SOFTWARE", replace=True),
            },
        ),
        "destroyScheduledDuration": replace(_SECONDS, computed=True, replace=True),
        "importOnly": Property(kind="boolean", computed=True, replace=True),
        "cryptoKeyBackend": Property(computed=True, replace=True),
        "skipInitialVersionCreation": Property(
            kind="boolean", wire=None, replace=True, default=False
        ),
        "labels": LABELS,
        "deletionPolicy": DELETION_POLICY,
        "primaries": Property(kind="list", output=True, wire=None),
        **LABEL_OUTPUTS,
    },
    behaviour=CryptoKey(
        service="kms",
        id="{keyRing}/cryptoKeys/{name}",
        create_call="POST {keyRing}/cryptoKeys?cryptoKeyId={name}"
        "&skipInitialVersionCreation={skipInitialVersionCreation}",
        imports=(
            "projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{name}",
            "{project}/{location}/{ring}/{name}",
            "{location}/{ring}/{name}",
        ),
        seed={"keyRing": "projects/{project}/locations/{location}/keyRings/{ring}"},
        encode=_with_rotation,
        decode=_key_values,
    ),
    timeouts=TIMEOUTS,
    uncovered=("keyAccessJustificationsPolicy",),
)

_KEY_MEMBERS = Resource(
    pulumi_type="gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
    title="IAM member of the key",
    properties={"cryptoKeyId": Property(required=True, replace=True), **MEMBER},
    behaviour=Member(
        service="kms",
        name="projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key}",
        key="cryptoKeyId",
        patterns=(
            rf"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
            rf"/keyRings/(?P<ring>{_ID})/cryptoKeys/(?P<key>{_ID})",
            rf"(?P<project>[^/]+)/(?P<location>[^/]+)/(?P<ring>{_ID})/(?P<key>{_ID})",
            rf"(?P<location>[^/]+)/(?P<ring>{_ID})/(?P<key>{_ID})",
        ),
    ),
)

ROWS = (_RINGS, _KEYS, _KEY_MEMBERS)
