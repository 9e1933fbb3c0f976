"""The AET dictionary: which application entity listens where.

The format is that of Google's adapter, healthcare-dicom-dicomweb-adapter:
a list of objects with `name`, `host` and `port`. Here `tls` may be added, and any other key is an
error: there a mistyped key leaves an entry without an address, and nothing reports it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workloads.dimse.errors import UsageError

MAX_AET_LENGTH = 16
_REQUIRED = {"name": str, "host": str, "port": int}
_OPTIONAL = {"tls": bool}


@dataclass(frozen=True)
class Peer:
    """An application entity that this one connects to.

    Attributes:
        name: its title
        host: name or address
        port: TCP port
        tls: whether it expects TLS
    """

    name: str
    host: str
    port: int
    tls: bool = False


def check_aet(name: str) -> str:
    """Return an application entity title (PS3.5 6.2, VR AE).

    Raises:
        UsageError: it is empty, too long, or has a character that a title can't have
    """
    printable = name.isascii() and name.isprintable() and "\\" not in name
    if not (printable and name.strip() == name and 0 < len(name) <= MAX_AET_LENGTH):
        raise UsageError(
            f"{name!r} is not a valid AE title: 1 to {MAX_AET_LENGTH} printable ASCII characters"
            " without a backslash, and without spaces around them."
        )
    return name


def parse(text: str, source: str) -> dict[str, Peer]:
    """Return the peers of a dictionary by their titles.

    Args:
        text: JSON
        source: names the file or the option in errors

    Raises:
        UsageError: naming the entry and the key that is not valid
    """
    try:
        entries = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{source} is not valid JSON: {error}.") from error
    if not isinstance(entries, list):
        raise UsageError(f"{source} is not a list of objects with name, host and port.")
    peers: dict[str, Peer] = {}
    for number, entry in enumerate(entries, start=1):
        peer = _peer(entry, f"{source}, entry {number}")
        if peer.name in peers:
            raise UsageError(f"{source}, entry {number}: {peer.name} is already in the dictionary.")
        peers[peer.name] = peer
    return peers


def _peer(entry: Any, where: str) -> Peer:
    if not isinstance(entry, Mapping):
        raise UsageError(f"{where} is not an object with name, host and port.")
    types = _REQUIRED | _OPTIONAL
    if unknown := sorted(entry.keys() - types.keys()):
        raise UsageError(
            f"{where} has the unknown key {unknown[0]!r}. Known keys: {', '.join(types)}."
        )
    if missing := [name for name in _REQUIRED if name not in entry]:
        raise UsageError(f"{where} lacks the key {missing[0]!r}.")
    for name, value in entry.items():
        if type(value) is not types[name]:
            raise UsageError(f"{where}: {name} is not a {_JSON_NAMES[types[name]]}: {value!r}.")
    if not entry["host"]:
        raise UsageError(f"{where}: host is empty.")
    if not 0 < entry["port"] < 65_536:
        raise UsageError(f"{where}: {entry['port']} is not a valid port: 1 to 65535.")
    try:
        check_aet(entry["name"])
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error
    return Peer(**entry)


_JSON_NAMES = {str: "string", int: "number", bool: "boolean"}
