"""The form of a dump, in short: for resource types that are written by hand."""

from typing import Any

TIMEOUTS = {"create": "20m0s", "delete": "20m0s", "update": "20m0s"}
TEXT = "String"

Fields = dict[str, dict[str, Any]]


def field(flags: str, type_: str = TEXT, **more: Any) -> dict[str, Any]:
    """Return a field.

    Args:
        flags: `r` required, `o` optional, `c` computed, `f` a change replaces, `s` a difference in
            writing is suppressed
        type_: its type
        more: its other keys
    """
    names = {
        "r": "required", "o": "optional", "c": "computed", "f": "forceNew", "s": "diffSuppress",
    }  # fmt: skip
    return {"type": type_, **{names[flag]: True for flag in flags}, **more}


def single(flags: str, fields: Fields, **more: Any) -> dict[str, Any]:
    """Return a field that is one object: a list of at most one."""
    return field(flags, "List", elem="object", maxItems=1, fields=named(fields), **more)


def several(flags: str, fields: Fields, type_: str = "List", **more: Any) -> dict[str, Any]:
    """Return a field that is a list or a set of objects."""
    return field(flags, type_, elem="object", fields=named(fields), **more)


def texts(flags: str, type_: str = "List", **more: Any) -> dict[str, Any]:
    """Return a field that is a list or a set of texts."""
    return field(flags, type_, elem=TEXT, **more)


def named(fields: Fields) -> Fields:
    """Return fields with the names that Pulumi makes of those of Terraform."""
    return {name: {"pulumi": _camel(name), **values} for name, values in sorted(fields.items())}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)
