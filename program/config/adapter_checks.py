"""Errors of adapters: between their settings, and with stores, topics, keys and other adapters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from components import rules
from program.config.adapters import VpnSettings
from program.config.errors import ConfigError, show
from program.config.raw import Raw, items, maps, text, texts, twice
from program.config.services import written
from program.config.services.inference_checks import INFERENCE

ADAPTERS = {
    "dimseAdapters": ("dicomStore", "dicomStores"),
    "mllpAdapters": ("hl7v2Store", "hl7v2Stores"),
}
"""Key of a list of adapters -> the key of an adapter's store, and the list of such stores."""

_PROTOCOLS = {"dimseAdapters": "dimse", "mllpAdapters": "mllp"}
_INCOMING = ("address", "size", "machineType", "diskGb", "kmsKeyName", "callingAets")
"""Keys without effect for an adapter that only sends."""
_OWN_ASN = VpnSettings.model_fields["asn"].default


@dataclass(frozen=True)
class _Adapter:
    """An adapter as it is written. `key` is that of its item, `list_key` the name of its list."""

    key: str
    list_key: str
    body: Raw
    region: str


def adapter_errors(
    raw: Raw, full_key: Mapping[str, str], datasets: Mapping[str, Raw], location: str
) -> Iterator[ConfigError]:
    """Yield the errors of the stack's adapters.

    Args:
        raw: the values by alias
        full_key: alias -> full key
        datasets: name of each dataset, "" of the first one -> its raw settings
        location: of the stack
    """
    adapters = _adapters(raw, full_key, location)
    for list_key in ADAPTERS:
        names = [text(item.get("name")) for _, item in maps(raw.get(list_key))]
        yield from twice(names, full_key[list_key], ".name", "Rename one.")
    yield from _addresses(adapters)
    yield from _repository(raw, full_key["adapterRepository"], adapters)
    yield from _vpns(raw, full_key["vpns"], location)
    taken = written.subscriptions(raw, full_key["topics"])
    for adapter in adapters:
        yield from _store(adapter, datasets, text(raw.get("gcp:project")))
        yield from _sides(adapter)
        yield from _titles(adapter)
        yield from _outgoing(adapter, taken)
        yield from _region(adapter)


def adapter_regions(raw: Raw, full_key: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the key and the region of each adapter, VPN and service that names one."""
    for list_key in (*ADAPTERS, "vpns", INFERENCE, "gateways"):
        for index, item in maps(raw.get(list_key)):
            if region := text(item.get("region")):
                yield f"{full_key[list_key]}[{index}].region", region


def _adapters(raw: Raw, full_key: Mapping[str, str], location: str) -> list[_Adapter]:
    return [
        _Adapter(
            f"{full_key[list_key]}[{index}]", list_key, body, text(body.get("region", location))
        )
        for list_key in ADAPTERS
        for index, body in maps(raw.get(list_key))
    ]


def _addresses(adapters: Sequence[_Adapter]) -> Iterator[ConfigError]:
    """Yield an error for each address that two adapters ask for."""
    first: dict[tuple[str, str], str] = {}
    for adapter in adapters:
        address = text(adapter.body.get("address"))
        asked = (text(adapter.body.get("network", "default")), address)
        if address and asked in first:
            message = f"is the same as {first[asked]}. Allowed: each once. Remove one of them."
            yield ConfigError(f"{adapter.key}.address", message, show(address))
        elif address:
            first[asked] = f"{adapter.key}.address"


def _repository(raw: Raw, key: str, adapters: Sequence[_Adapter]) -> Iterator[ConfigError]:
    repository = raw.get("adapterRepository")
    has_name = isinstance(repository, dict) and bool(repository.get("name"))
    if isinstance(repository, dict) and repository.get("location") and not has_name:
        yield ConfigError(f"{key}.name", "is missing. Allowed: an id such as adapters.")
    for adapter in adapters:
        if not has_name and not adapter.body.get("image"):
            yield ConfigError(
                f"{adapter.key}.image",
                f"is missing. Allowed: the reference of an image, or {key}.name for a repository "
                "of the stack whose images are taken.",
            )


def _vpns(raw: Raw, key: str, location: str) -> Iterator[ConfigError]:
    vpns = maps(raw.get("vpns"))
    yield from twice([text(vpn.get("name")) for _, vpn in vpns], key, ".name", "Rename one.")
    for index, vpn in vpns:
        if location in written.MULTI_REGIONS and "region" not in vpn:
            yield written.region_missing(f"{key}[{index}]", location)
        asn = vpn.get("asn", _OWN_ASN)
        if asn == vpn.get("peerAsn"):
            yield ConfigError(
                f"{key}[{index}].peerAsn",
                "is also the own number of BGP. Allowed: another one; asn sets the own.",
                show(asn),
            )
        tunnels = maps(vpn.get("tunnels"))
        addresses = [text(tunnel.get("address")) for _, tunnel in tunnels]
        yield from twice(addresses, f"{key}[{index}].tunnels", ".address", "Change one.")
        for position, tunnel in tunnels:
            own, peer = text(tunnel.get("address")), text(tunnel.get("peerAddress"))
            is_read = rules.session_address(own) is None and rules.ip_address(peer) is None
            if is_read and not rules.are_of_one_session(own, peer):
                yield ConfigError(
                    f"{key}[{index}].tunnels[{position}].peerAddress",
                    f"is not the other address of {own}. Allowed: the other host of that /30.",
                    show(peer),
                )


def _store(adapter: _Adapter, datasets: Mapping[str, Raw], project: str) -> Iterator[ConfigError]:
    """Yield an error for a store that the stack does not have, or that does not notify."""
    store_key, store_list = ADAPTERS[adapter.list_key]
    wanted = text(adapter.body.get(store_key))
    if not wanted:
        return
    known = written.stores(datasets, store_list)
    store = known.get(wanted)
    if store is None:
        yield ConfigError(
            f"{adapter.key}.{store_key}",
            f"is not one of the stack's {store_list}.{rules.nearest(wanted, known)} Allowed: "
            f"{', '.join(known) or 'none is switched on'}.",
            show(wanted),
        )
        return
    outgoing = adapter.body.get("outgoing")
    topic = text(outgoing.get("topic")) if isinstance(outgoing, dict) else ""
    notifying = [name for name, one in known.items() if written.notifies(one, topic, project)]
    others = [name for name in notifying if name != wanted]
    message = ""
    if topic and wanted not in notifying:
        message = (
            f"is not notified by {wanted}, so nothing would be sent. Add {{pubsubTopic: {topic}}} "
            "to the store's notifications."
        )
    elif topic and others and adapter.list_key == "mllpAdapters":
        # A DIMSE adapter skips the notifications of other stores; this one has no store to compare.
        message = (
            f"is notified by {', '.join(others)} too, whose messages the peer would get. Allowed: "
            f"a topic that {wanted} alone notifies."
        )
    if message:
        yield ConfigError(f"{adapter.key}.outgoing.topic", message, show(topic))


def _sides(adapter: _Adapter) -> Iterator[ConfigError]:
    body = adapter.body
    if texts(body.get("sourceRanges")):
        if body.get("diskGb") is not None and body.get("spool", _has_spool(adapter)) is False:
            yield ConfigError(
                f"{adapter.key}.diskGb",
                "has no effect without a spool. Set spool to true, or remove this.",
            )
        yield from twice(
            texts(body.get("sourceRanges")), f"{adapter.key}.sourceRanges", "", "Remove one."
        )
        return
    if not isinstance(body.get("outgoing"), dict):
        yield ConfigError(
            f"{adapter.key}.sourceRanges",
            "lists no range, so no peer could connect. Allowed: the ranges of the hospital's "
            "network, or outgoing for an adapter that only sends.",
        )
        return
    for key in _INCOMING:
        if body.get(key):
            yield ConfigError(
                f"{adapter.key}.{key}",
                "has no effect without sourceRanges: the adapter only sends. Add the ranges that "
                "may connect, or remove this.",
            )


def _has_spool(adapter: _Adapter) -> bool:
    return adapter.list_key == "dimseAdapters"


def _titles(adapter: _Adapter) -> Iterator[ConfigError]:
    if adapter.list_key != "dimseAdapters":
        return
    calling, known = texts(adapter.body.get("callingAets")), _aets(adapter)
    yield from twice(calling, f"{adapter.key}.callingAets", "", "Remove one of them.")
    yield from twice(known, f"{adapter.key}.aets", ".name", "Remove one of them.")
    outgoing = adapter.body.get("outgoing")
    peer = text(outgoing.get("peer")) if isinstance(outgoing, dict) else ""
    if peer and peer not in known:
        listed = ", ".join(filter(None, known)) or "none is listed"
        yield ConfigError(
            f"{adapter.key}.outgoing.peer",
            f"is not among {adapter.key}.aets.{rules.nearest(peer, known)} Allowed: {listed}.",
            show(peer),
        )


def _aets(adapter: _Adapter) -> list[str]:
    listed = items(adapter.body.get("aets"))
    return [text(item.get("name")) if isinstance(item, dict) else "" for item in listed]


def _outgoing(adapter: _Adapter, taken: Mapping[str, str]) -> Iterator[ConfigError]:
    outgoing = adapter.body.get("outgoing")
    if not isinstance(outgoing, dict):
        return
    key = f"{adapter.key}.outgoing"
    has = {name: bool(outgoing.get(name)) for name in ("ca", "certificate", "key")}
    if has["certificate"] != has["key"]:
        missing = "key" if has["certificate"] else "certificate"
        yield ConfigError(f"{key}.{missing}", "is missing: certificate and key belong together.")
    elif has["certificate"] and not has["ca"]:
        yield ConfigError(f"{key}.ca", "is missing: a certificate needs the peer's authorities.")
    name = f"{_PROTOCOLS[adapter.list_key]}-{text(adapter.body.get('name'))}-out"
    if name in taken:
        yield ConfigError(
            f"{adapter.key}.name",
            f"makes the subscription {name}, which is also {taken[name]}. Rename one.",
            show(text(adapter.body.get("name"))),
        )


def _region(adapter: _Adapter) -> Iterator[ConfigError]:
    if adapter.region in written.MULTI_REGIONS and "region" not in adapter.body:
        yield written.region_missing(adapter.key, adapter.region)
    key = text(adapter.body.get("kmsKeyName"))
    if key and rules.kms_key_name(key) is None and rules.kms_location(key) != adapter.region:
        yield ConfigError(
            f"{adapter.key}.kmsKeyName",
            f"is a key in {rules.kms_location(key)}, but the disks are in {adapter.region}. "
            "Allowed: a key in the adapter's region.",
            show(key),
        )
    subnetwork = text(adapter.body.get("subnetwork"))
    if "/regions/" in subnetwork and f"/regions/{adapter.region}/" not in subnetwork:
        yield ConfigError(
            f"{adapter.key}.subnetwork",
            f"is not in {adapter.region}. Allowed: a subnetwork of the adapter's region.",
            show(subnetwork),
        )
