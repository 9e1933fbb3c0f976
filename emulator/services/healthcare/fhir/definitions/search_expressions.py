"""Search parameters in the table's format, for its generator.

The expressions of R4 are paths of FHIRPath with few functions. A path is written here as steps
between points. `value:Quantity` takes one type of a choice, `telecom[system=email]` one value of a
child, escaped as in a URL, `entry[0]` one index, and `subject>Patient` references to one type.
`deceased?` is whether there is a value but `false`. `^` before a path of a component leads from the
resource. Stores may have parameters of their own, whose expressions are of the same kind.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

_ANY = 140
"""Number of targets from which a parameter refers to any of R4's 146 resource types."""
_PATH = r"[\w.=%\[\]-]+"
_AS_BEFORE = re.compile(rf"\((?P<path>{_PATH}) as (?P<type>\w+)\)")
_AS_CALL = re.compile(r"\.(?:as|ofType)\((?P<type>\w+)\)")
_WHERE = re.compile(r"\.where\(\s*(?P<name>\w+)\s*=\s*'(?P<value>[^']*)'\s*\)")
_EXTENSION = re.compile(r"\.extension\('(?P<value>[^']*)'\)")
_RESOLVE = re.compile(r"\.where\(resolve\(\) is (?P<type>\w+)\)")
_EXISTS = re.compile(r"(?P<path>[\w.]+)\.exists\(\) and [\w.]+ != false")
_STEP = r"\w+(?::\w+)?(?:\[[\w=%-]+\])?(?:>\w+)?"
_STEPS = re.compile(rf"\^?{_STEP}(?:\.{_STEP})*")


def search_parameters(resources: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return the search parameters by resource type and code.

    The text of one is its type, its paths separated by `|`, and for a reference `@` with the types
    that it names. A composite has its path, and for each component `$` with type and paths.
    """
    listed = [one for one in resources if one["resourceType"] == "SearchParameter"]
    by_url = {one["url"]: one for one in listed}
    table: dict[str, dict[str, str]] = {}
    for parameter in listed:
        for base in parameter["base"]:
            if text := text_of(parameter, base, by_url):
                table.setdefault(base, {})[parameter["code"]] = text
    return table


def text_of(
    parameter: Mapping[str, Any], base: str, by_url: Mapping[str, Mapping[str, Any]]
) -> str:
    """Return the text of a parameter for a resource type.

    Args:
        parameter: a resource of the type SearchParameter
        base: the resource type
        by_url: the parameters that components of composites name

    Raises:
        NotImplementedError: its expression has what the paths of this table have not
    """
    words = [str(parameter["type"]), "|".join(_paths(parameter.get("expression", ""), base))]
    if parameter["type"] == "composite":
        for component in parameter["component"]:
            of = by_url[component["definition"]]
            paths = "|".join(_paths(component["expression"], ""))
            words.append(f"${of['type']}:{paths}")
    if targets := parameter.get("target"):
        words.append("@" + (",".join(targets) if len(targets) < _ANY else "*"))
    return " ".join(words)


def _paths(expression: str, base: str) -> list[str]:
    """Return the pieces of an expression that begin at a resource type, without its name."""
    paths = []
    for piece in re.split(r"\s*\|\s*", expression):
        if not base:
            paths.append(_normal(piece))
        elif (path := _normal(piece)).partition(".")[0].rstrip("?") == base:
            paths.append(path.partition(".")[2])
    return [path for path in paths if path]


def _normal(piece: str) -> str:
    if not piece:
        return ""
    if exists := _EXISTS.fullmatch(piece):
        return exists["path"] + "?"
    path = _EXTENSION.sub(
        lambda match: f".extension[url={_escaped(match['value'])}]",
        piece.replace("%resource.", "^"),
    )
    path = _WHERE.sub(lambda match: f"[{match['name']}={_escaped(match['value'])}]", path)
    path = _AS_BEFORE.sub(r"\g<path>:\g<type>", path)
    path = _AS_CALL.sub(r":\g<type>", path)
    path = _RESOLVE.sub(r">\g<type>", path)
    if not _STEPS.fullmatch(path):
        raise NotImplementedError(f"the search expression {piece}")
    return path


def _escaped(value: str) -> str:
    return quote(value, safe="").translate({ord("."): "%2E", ord("~"): "%7E"})
