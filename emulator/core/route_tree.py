"""Routes in a tree of path segments: a request meets a handful of routes, not the whole list."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

_MATCHED = "emulator.route"
"""The key of the scope that holds the route of a request."""


class LazyRoute(Route):
    """A route that is compiled when the first request has its shape: most of them never are.

    Args:
        path: as Starlette has it
        endpoint: returns the response
        method: the HTTP method
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], method: str) -> None:
        self.path = path
        self._given = endpoint, method

    def __getattr__(self, name: str) -> Any:
        if "path_regex" in self.__dict__:
            raise AttributeError(name)
        endpoint, method = self._given
        super().__init__(self.path, endpoint, methods=[method])
        return getattr(self, name)


@dataclass(slots=True)
class _Node:
    """A place in the tree.

    Attributes:
        literals: the next segment as it stands in a path
        variables: a variable as the next segment, by the verb behind it: `:publish`, or nothing
        routes: those whose path ends here
        rest: those whose last variable is a path of any depth
    """

    literals: dict[str, "_Node"] = field(default_factory=dict)
    variables: dict[str, "_Node"] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)
    rest: list[Route] = field(default_factory=list)


class RouteTree(BaseRoute):
    """A set of routes that answers as one.

    The most specific route wins, in whatever order they come: a literal segment goes before a
    variable, a variable with a verb before one without, and a path of any depth comes last.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = [*routes]
        self._root = _Node()
        for route in self.routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        node = self._root
        for segment in _segments(route.path):
            if segment.endswith(":path}"):
                node.rest.append(route)
                return
            if segment.startswith("{"):
                node = _child(node.variables, segment.rpartition("}")[2])
            else:
                node = _child(node.literals, segment)
        node.routes.append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Find the route of a request; a route of another method is a partial match."""
        partial: tuple[Match, Scope] = (Match.NONE, {})
        if scope["type"] != "http":
            return partial
        for route in _candidates(self._root, _segments(scope["path"])):
            match, child_scope = route.matches(scope)
            found = match, {**child_scope, _MATCHED: route}
            if match is Match.FULL:
                return found
            if match is Match.PARTIAL and partial[0] is Match.NONE:
                partial = found
        return partial

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request by the route that `matches` found."""
        route: Route = scope[_MATCHED]
        await route.handle(scope, receive, send)


def _child(children: dict[str, _Node], key: str) -> _Node:
    """Return a child, made where it is missing: `setdefault` would make one for each segment."""
    if (child := children.get(key)) is None:
        child = children[key] = _Node()
    return child


def _segments(path: str) -> Sequence[str]:
    return path.removeprefix("/").split("/")


def _candidates(node: _Node, segments: Sequence[str], depth: int = 0) -> Iterator[Route]:
    """Yield the routes whose path has the shape of a request's, the most specific first."""
    if depth == len(segments):
        yield from node.routes
        return
    segment = segments[depth]
    if below := node.literals.get(segment):
        yield from _candidates(below, segments, depth + 1)
    if node.variables:
        verb = segment[segment.rfind(":") :] if ":" in segment else ""
        if verb and (below := node.variables.get(verb)):
            yield from _candidates(below, segments, depth + 1)
        if below := node.variables.get(""):
            yield from _candidates(below, segments, depth + 1)
    yield from node.rest
