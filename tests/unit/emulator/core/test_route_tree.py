"""The tree of routes finds what a flat list would, by the shape of a path and in any order."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match, Route
from starlette.testclient import TestClient

from emulator.api_coverage import offline_cloud
from emulator.app import routes_of
from emulator.core import rest
from emulator.core.discovery import document
from emulator.core.route_tree import LazyRoute, RouteTree

assert rest.VERSIONS  # the convertor `id` is registered there


def route(path: str, name: str, method: str = "GET") -> Route:
    async def endpoint(request: Request) -> Response:
        values = ",".join(f"{key}={value}" for key, value in request.path_params.items())
        return PlainTextResponse(f"{name}({values})")

    return Route(path, endpoint, methods=[method])


ROUTES = [
    route("/v1/things/{thing:id}", "thing"),
    route("/v1/things/{thing:id}:verb", "verb", "POST"),
    route("/v1/things/special", "special"),
    route("/v1/{rest:path}", "rest"),
    route("/{other}/things/{thing:id}", "other"),
]


def client_of(routes: Iterable[Route]) -> TestClient:
    return TestClient(Starlette(routes=[RouteTree(routes)]))


@pytest.mark.parametrize("routes", [*permutations(ROUTES)])
def test_the_most_specific_route_wins_in_any_order(routes: tuple[Route, ...]) -> None:
    client = client_of(routes)

    assert client.get("/v1/things/a").text == "thing(thing=a)"
    assert client.get("/v1/things/special").text == "special()"
    assert client.post("/v1/things/a:verb").text == "verb(thing=a)"
    assert client.get("/v1/things/a:verb").text == "rest(rest=things/a:verb)"
    assert client.get("/v1/things/a/b").text == "rest(rest=things/a/b)"
    assert client.get("/v2/things/a").text == "other(other=v2,thing=a)"


def test_a_route_of_another_method_is_a_405_and_none_a_404() -> None:
    client = client_of(ROUTES)

    assert client.delete("/v1/things/a").status_code == 405
    assert client.get("/v2/none").status_code == 404
    assert client.get("/").status_code == 404


def test_a_lazy_route_is_compiled_by_the_first_request_of_its_shape() -> None:
    async def endpoint(_request: Request) -> Response:
        return PlainTextResponse("lazy")

    met, other = LazyRoute("/v1/{a}", endpoint, "GET"), LazyRoute("/v2/{a}", endpoint, "GET")
    client = client_of([met, other])

    assert client.get("/v1/x").text == "lazy"
    assert client.head("/v1/x").status_code == 200
    assert client.post("/v1/x").status_code == 405
    assert "path_regex" in vars(met)
    assert "path_regex" not in vars(other)
    assert not hasattr(met, "nothing")


def test_a_variable_is_no_empty_segment() -> None:
    assert client_of(ROUTES[:1]).get("/v1/things/").status_code == 404


APIS = [
    ("bigquery", "v2"),
    ("cloudkms", "v1"),
    ("cloudresourcemanager", "v1"),
    ("healthcare", "v1"),
    ("healthcare", "v1beta1"),
    ("pubsub", "v1"),
    ("serviceusage", "v1"),
    ("serviceusage", "v1beta1"),
    ("storage", "v1"),
]


def _methods(resources: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    for resource in resources.values():
        yield from resource.get("methods", {}).values()
        yield from _methods(resource.get("resources", {}))


@pytest.mark.parametrize(("api", "version"), APIS)
def test_no_method_of_google_meets_two_handlers(api: str, version: str) -> None:
    """So the order of the routes does not matter: a literal segment goes before a variable."""
    with offline_cloud() as cloud:
        routes = [one for one in routes_of(cloud) if not one.path.endswith(":path}")]
    read = document(api, version)
    for method in _methods(read["resources"]):
        whole = f"/{read['servicePath']}{method.get('flatPath', method['path'])}"
        path = re.sub(r"\{\+?\w+\}", "x1", whole)
        scope = {"type": "http", "method": method["httpMethod"], "path": path, "root_path": ""}
        met = [one.path for one in routes if one.matches(scope)[0] is Match.FULL]
        shapes = {tuple(segment.startswith("{") for segment in one.split("/")) for one in met}
        assert len(shapes) == len(met), (method["id"], met)
