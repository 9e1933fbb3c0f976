"""Partial answers: the `fields` parameter that every Google API takes.

https://developers.google.com/discovery/v1/performance#partial-response
"""

import re
from typing import Any

from emulator.core.errors import ApiError, invalid_argument

_TOKEN = re.compile(r"[A-Za-z0-9_*@.-]+|[/,()]")

MAX_STEPS = 100
"""Steps down that a selector may have, in all: answers are not as deep."""

Tree = dict[str, "Tree"]
"""Field name -> what to keep below it; an empty tree keeps all."""


def select_fields(answer: dict[str, Any], fields: str) -> dict[str, Any]:
    """Return the part of an answer that `fields` asks for, such as `services/name,nextPageToken`.

    Raises:
        ApiError: 400 for a selector that is not valid
    """
    tokens = _TOKEN.findall(fields)
    if sum(fields.count(mark) for mark in "/(") > MAX_STEPS:
        raise _invalid(f"{fields[:100]}...")
    if "".join(tokens) != fields.replace(" ", ""):
        raise _invalid(fields)
    tree = _list(tokens, fields)
    if tokens:
        raise _invalid(fields)
    chosen: dict[str, Any] = _keep(answer, tree)
    return chosen


def _list(tokens: list[str], fields: str) -> Tree:
    """`a,b/c,d(e,f)`, up to its end or a closing parenthesis; takes the tokens it reads."""
    tree: Tree = {}
    while True:
        path = [_name(tokens, fields)]
        while tokens and tokens[0] == "/":
            tokens.pop(0)
            path.append(_name(tokens, fields))
        below: Tree = {}
        if tokens and tokens[0] == "(":
            tokens.pop(0)
            below = _list(tokens, fields)
            if not tokens or tokens.pop(0) != ")":
                raise _invalid(fields)
        node = tree
        for name in path[:-1]:
            node = node.setdefault(name, {})
        node.setdefault(path[-1], {}).update(below)
        if not tokens or tokens[0] != ",":
            return tree
        tokens.pop(0)


def _name(tokens: list[str], fields: str) -> str:
    if not tokens or tokens[0] in "/,()":
        raise _invalid(fields)
    return tokens.pop(0)


def _keep(value: Any, tree: Tree) -> Any:
    if not tree:
        return value
    if isinstance(value, list):
        return [_keep(item, tree) for item in value]
    if not isinstance(value, dict):
        return value
    wanted = dict.fromkeys(value, tree["*"]) if "*" in tree else tree
    return {key: _keep(value[key], below) for key, below in wanted.items() if key in value}


def _invalid(fields: str) -> ApiError:
    return invalid_argument(f"Invalid field selection {fields!r}: such as items/name,nextPageToken")
