"""Resource types of Artifact Registry: repository, member of a repository's policy."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.standin.errors import StandInError
from engine.standin.http import Api, Json
from engine.standin.iam import MEMBER, NO_LOCATION, Member
from engine.standin.resource import ResourceType
from engine.standin.resource_types.common import IN_PATH, resource_type
from engine.standin.rest import Rest, to_body
from engine.standin.values import Values, is_zero

_PARENT = "projects/{project}/locations/{location}"
_REPOSITORY = f"{_PARENT}/repositories/{{repositoryId}}"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_AGES = ("newerThan", "olderThan")
_REGION = {"from_provider": "region", "wire": None}
"""The quirk of a location that the region of the provider stands in for."""


@dataclass(frozen=True, kw_only=True)
class Repository(Rest):
    """A repository, whose creation and deletion are operations."""

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:
        """Send every property that is set, and follow the operation to its end."""
        if not wanted.get("location"):
            raise StandInError(NO_LOCATION)
        method, _, path = self.create_call.partition(" ")
        body = to_body(type_.properties, wanted)
        started = self._call(api, method, path.format_map(wanted), body)
        api.finish(self.service, started)
        return self.id.format_map(wanted)

    def delete(self, type_: ResourceType, id_: str, state: Values, api: Api) -> None:  # noqa: ARG002
        """Delete it, and follow the operation to its end."""
        api.finish(self.service, self._call(api, "DELETE", id_))


def _seconds(duration: str) -> str:
    """Return a duration such as `30d` in seconds, as the API takes it; another text as it is."""
    match = re.fullmatch(r"(\d+)([smhd])", duration)
    return f"{int(match[1]) * _UNITS[match[2]]}s" if match else duration


def _same_duration(one: str, other: str) -> bool:
    return _seconds(one) == _seconds(other)


def _policies(items: list[Mapping[str, Any]]) -> Json:
    """Return cleanup policies by their ids."""
    return {item["id"]: _policy(item) for item in items}


def _policy(item: Mapping[str, Any]) -> Json:
    kept = {key: value for key, value in item.items() if key != "id" and not is_zero(value)}
    if "condition" in kept:
        condition = {key: value for key, value in kept["condition"].items() if not is_zero(value)}
        ages = {key: _seconds(condition[key]) for key in _AGES if key in condition}
        kept["condition"] = {**condition, **ages}
    return kept


def _from_policies(answer: Json) -> list[Json]:
    return [{"id": id_, **policy} for id_, policy in answer.items()]


def _short(answer: Json, known: Values) -> Values:  # noqa: ARG001
    return {"name": answer["name"].rpartition("/")[2]}


def _same_name(one: str, other: str) -> bool:
    return one.rpartition("/")[2] == other.rpartition("/")[2]


_REPOSITORIES = resource_type(
    "gcp:artifactregistry/repository:Repository",
    "Repository",
    Repository(
        service="artifactregistry",
        id=_REPOSITORY,
        create_call=f"POST {_PARENT}/repositories?repository_id={{repositoryId}}",
        imports=(
            _REPOSITORY,
            "{project}/{location}/{repositoryId}",
            "{location}/{repositoryId}",
        ),
        decode=_short,
    ),
    quirks={
        "name": {"autoname": False, "required": False, "wire": "name"},
        "repositoryId": IN_PATH,
        "location": _REGION,
        "format": {"same": lambda one, other: one.upper() == other.upper()},
        "cleanupPolicies": {"encode": _policies, "decode": _from_policies},
        **{f"cleanupPolicies.condition.{age}": {"same": _same_duration} for age in _AGES},
    },
    uncovered=("remoteRepositoryConfig", "virtualRepositoryConfig"),
)

_MEMBERS = resource_type(
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
    "IAM member of the repository",
    Member(
        service="artifactregistry",
        name=f"{_PARENT}/repositories/{{repository}}",
        key="repository",
        conditions=False,
        shown={"repository": f"{_PARENT}/repositories/{{repository}}"},
        patterns=(
            r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
            r"/repositories/(?P<repository>[^/]+)",
            r"(?P<project>[^/]+)/(?P<location>[^/]+)/(?P<repository>[^/]+)",
            r"(?P<location>[^/]+)/(?P<repository>[^/]+)",
            r"(?P<repository>[^/]+)",
        ),
    ),
    quirks={"repository": {"same": _same_name}, "location": _REGION, **MEMBER},
)

RESOURCE_TYPES = (_REPOSITORIES, _MEMBERS)
