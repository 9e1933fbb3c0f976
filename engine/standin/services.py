"""The behaviours behind enabled services and service identities: operations, no resource."""

from dataclasses import dataclass

from engine.standin.errors import ApiError, StandInError
from engine.standin.http import Api, NotYetError
from engine.standin.resource import ResourceType, Update
from engine.standin.values import Values


@dataclass(frozen=True)
class EnabledService:
    """A Google API that a project has enabled."""

    service: str = "serviceusage"

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:  # noqa: ARG002
        """Enable it, unless it is, and waits until it shows."""
        project, name = wanted["project"], wanted["service"]
        if name not in self._enabled(project, api):
            path = f"projects/{project}/services/{name}:enable"
            api.finish(self.service, api.call(self.service, "POST", path, body={}))
            api.persist(
                lambda: self._expect(project, name, api), lambda e: isinstance(e, NotYetError)
            )
        return f"{project}/{name}"

    def read(self, type_: ResourceType, id_: str, known: Values, api: Api) -> Values | None:  # noqa: ARG002
        """Look whether it is enabled, in a project that is alive."""
        project = known["project"]
        try:
            found = api.call("resourcemanager", "GET", f"projects/{project}")
            enabled = known["service"] in self._enabled(project, api)
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        alive = found.get("lifecycleState") != "DELETE_REQUESTED"
        return {n: known[n] for n in type_.properties if n in known} if alive and enabled else None

    def update(self, type_: ResourceType, id_: str, change: Update, api: Api) -> None:
        """Update the resource: its mutable properties concern the provider alone."""

    def delete(self, type_: ResourceType, id_: str, state: Values, api: Api) -> None:  # noqa: ARG002
        """Leaves it enabled, unless the program asked for the contrary."""
        if not state.get("disableOnDestroy"):
            return
        path = f"projects/{state['project']}/services/{state['service']}:disable"
        check = "CHECK" if state.get("checkIfServiceHasUsageOnDestroy") else "SKIP"
        body = {
            "disableDependentServices": bool(state.get("disableDependentServices")),
            "checkIfServiceHasUsage": check,
        }
        api.finish(self.service, api.call(self.service, "POST", path, body=body))

    def parse_import_id(self, type_: ResourceType, id_: str, api: Api) -> tuple[str, Values]:  # noqa: ARG002
        """Take `PROJECT/SERVICE`."""
        project, _, service = id_.partition("/")
        if not project or not service or "/" in service:
            raise StandInError(
                f'"{id_}" is not an id of {type_.pulumi_type}: '
                "it has to look like {project}/{service}"
            )
        return id_, {"project": project, "service": service}

    def _enabled(self, project: str, api: Api) -> set[str]:
        query = {
            "filter": "state:ENABLED",
            "fields": "services/name,nextPageToken",
            "pageSize": "200",
        }
        names: set[str] = set()
        while True:
            page = api.call(self.service, "GET", f"projects/{project}/services", query=query)
            names |= {service["name"].rpartition("/")[2] for service in page.get("services", [])}
            if not page.get("nextPageToken"):
                return names
            query["pageToken"] = page["nextPageToken"]

    def _expect(self, project: str, name: str, api: Api) -> None:
        if name not in self._enabled(project, api):
            raise NotYetError(f"{name} is enabled in {project}, but does not show yet")


@dataclass(frozen=True)
class ServiceIdentity:
    """The service agent of a Google API in a project: it can be made, not read, not deleted."""

    service: str = "serviceusage"

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:  # noqa: ARG002
        """Asks for the identity; the finished operation brings its e-mail address."""
        id_ = f"projects/{wanted['project']}/services/{wanted['service']}"
        path = f"{id_}:generateServiceIdentity"
        started = api.call(self.service, "POST", path, version="v1beta1")
        response = api.finish(self.service, started)
        if email := response.get("email"):
            wanted.update(email=email, member=f"serviceAccount:{email}")
        return id_

    def read(self, type_: ResourceType, id_: str, known: Values, api: Api) -> Values | None:  # noqa: ARG002
        """Believes the state: the API cannot read one."""
        return known

    def update(self, type_: ResourceType, id_: str, change: Update, api: Api) -> None:
        """Nothing can change in place."""

    def delete(self, type_: ResourceType, id_: str, state: Values, api: Api) -> None:
        """Leaves it: the API cannot delete one."""

    def parse_import_id(self, type_: ResourceType, id_: str, api: Api) -> tuple[str, Values]:
        """Never called: the type is not importable."""
        raise NotImplementedError(type_.pulumi_type)
