"""Resource types of Cloud KMS: key ring, key, member of a key's policy."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from engine.standin.checking import refusals
from engine.standin.http import Api, Json
from engine.standin.iam import MEMBER, Member
from engine.standin.resource import ResourceType, Update
from engine.standin.resource_types.common import IN_PATH, resource_type
from engine.standin.rest import Rest
from engine.standin.values import Values

_ID = r"[a-zA-Z0-9_-]{1,63}"
_GONE = ("DESTROYED", "DESTROY_SCHEDULED")


@dataclass(frozen=True, kw_only=True)
class Kept(Rest):
    """A resource that Google never deletes: the engine forgets it, and it stays."""

    def delete(self, type_: ResourceType, id_: str, state: Values, api: Api) -> None:
        """Leaves it."""


@dataclass(frozen=True, kw_only=True)
class CryptoKey(Rest):
    """A key: it rotates from a moment on, and what deletes it destroys its versions."""

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:
        """Create it; the provider always says whether it has a first version."""
        return super().create(type_, {"skipInitialVersionCreation": False, **wanted}, api)

    def update(self, type_: ResourceType, id_: str, change: Update, api: Api) -> None:  # noqa: ARG002
        """Send what may change; a new period also moves the next rotation."""
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

    def delete(self, type_: ResourceType, id_: str, state: Values, api: Api) -> None:  # noqa: ARG002
        """Destroys every version, and ends the rotation; the empty key stays."""
        answer = self._call(api, "GET", f"{id_}/cryptoKeyVersions")
        for version in answer.get("cryptoKeyVersions", []):
            if version["state"] not in _GONE:
                self._call(api, "POST", f"{version['name']}:destroy", {})
        if state.get("rotationPeriod"):
            query = {"updateMask": "nextRotationTime,rotationPeriod"}
            self._call(api, "PATCH", id_, {}, query)


def _rotation(values: Values) -> Json:
    """Return the period, with the first moment that it counts to."""
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


_RINGS = resource_type(
    "gcp:kms/keyRing:KeyRing",
    "KeyRing",
    Kept(
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
    quirks={"location": IN_PATH},
)

_KEYS = resource_type(
    "gcp:kms/cryptoKey:CryptoKey",
    "CryptoKey",
    CryptoKey(
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
    quirks={
        "keyRing": IN_PATH,
        "rotationPeriod": {"validate": refusals.rotation_period},
        "skipInitialVersionCreation": IN_PATH,
        "primaries": IN_PATH,
    },
    uncovered=("keyAccessJustificationsPolicy",),
)

_KEY_MEMBERS = resource_type(
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
    "IAM member of the key",
    Member(
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
    quirks=MEMBER,
)

RESOURCE_TYPES = (_RINGS, _KEYS, _KEY_MEMBERS)
