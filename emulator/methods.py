"""Which methods of the Cloud Healthcare API are served: read off the routes.

`python -m emulator.methods` writes the table into `docs/methods.md`; a test compares.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.routing import Match, Route

from emulator.discovery import document
from emulator.healthcare.dicom.routes import routes as dicom_routes
from emulator.healthcare.routes import routes

DOCS = Path(__file__).parents[1] / "docs" / "methods.md"
BEGIN = "<!-- made by `python -m emulator.methods` -->\n"
END = "<!-- end -->\n"
RESOURCES = ("datasets", "operations", "dicomStores", "fhirStores", "hl7V2Stores")
"""The resources whose methods are listed, each with all that lies below it."""

_EXPORT = "projects.locations.datasets.dicomStores.export"
PARTLY: Mapping[str, str] = {
    _EXPORT: "all but `changeDataCaptureConfig` of BigQuery (501, in `v1beta1` alone)",
}
"""Method without its version -> what is missing of it."""


@dataclass(frozen=True)
class Method:
    """One method of the API.

    Attributes:
        name: As the discovery document names it, such as `projects.locations.datasets.get`.
        http: The verb of HTTP.
        path: A path of it, with `x` in every place.
        served: Whether a route answers it.
    """

    name: str
    http: str
    path: str
    served: bool

    @property
    def state(self) -> str:
        """Served, partly (what is missing), or not."""
        if not self.served:
            return "not served"
        missing = PARTLY.get(self.name)
        return f"partly: {missing}" if missing else "served"


def methods(version: str = "v1") -> list[Method]:
    """Every method of the listed resources, in the order of the discovery document."""
    known = [*dicom_routes(), *routes()]
    return [
        Method(
            item["id"].removeprefix("healthcare."),
            item["httpMethod"],
            sample(item),
            _serves(known, item),
        )
        for item in _methods(document("healthcare", version)["resources"])
        if set(item["id"].split(".")) & set(RESOURCES)
    ]


def _methods(resources: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in resources.values():
        yield from resource.get("methods", {}).values()
        yield from _methods(resource.get("resources", {}))


def _serves(known: Sequence[Route], method: Mapping[str, Any]) -> bool:
    path = sample(method)
    scope = {"type": "http", "method": method["httpMethod"], "path": path, "root_path": ""}
    verb = path.rpartition(":")[2] if ":" in path else ""
    for route in known:
        if route.matches(scope)[0] is Match.FULL:
            # A route to a name would also take "name:verb" for one; it does not serve the verb.
            return route.path.endswith(f":{verb}") if verb else True
    return False


def sample(method: Mapping[str, Any]) -> str:
    """A path of a method, with something in every place."""
    return "/" + re.sub(r"\{[^}]+\}", "x", method.get("flatPath", method["path"]))


def table(version: str = "v1") -> str:
    """The table as Markdown, by resource."""
    lines: list[str] = []
    heading = ""
    for method in methods(version):
        resource = method.name.rpartition(".")[0]
        if resource != heading:
            heading = resource
            lines += ["", f"### {heading.removeprefix('projects.locations.')}", ""]
            lines += ["| method | HTTP | state |", "|---|---|---|"]
        lines.append(f"| `{method.name.rpartition('.')[2]}` | {method.http} | {method.state} |")
    return "\n".join(lines).lstrip("\n") + "\n"


def written(page: str) -> str:
    """A page with the table in the place that its marks leave for it."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    DOCS.write_text(written(DOCS.read_text()))
