"""Errors of gateways: between their settings, and with stores and the repository of images."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from components import rules
from components.rules.gateways import EVERY_CALLER
from program.config.errors import ConfigError, show
from program.config.raw import Raw, maps, text, texts, twice
from program.config.services import written
from program.config.services.gateway import GatewaySettings

_STORES = {"dicomStore": "dicomStores", "fhirStore": "fhirStores"}
"""Key of a store -> the list of such stores."""
_DEFAULTS = {
    name: GatewaySettings.model_fields[field].default
    for name, field in (("minInstances", "min_instances"), ("maxInstances", "max_instances"))
}


@dataclass(frozen=True)
class _Gateway:
    """A gateway as it is written. `key` is that of its item."""

    key: str
    body: Raw


def gateway_errors(
    raw: Raw, full_key: Mapping[str, str], datasets: Mapping[str, Raw], location: str
) -> Iterator[ConfigError]:
    """Yield the errors of the stack's gateways.

    Args:
        raw: the values by alias
        full_key: alias -> full key
        datasets: name of each dataset, "" of the first one -> its raw settings
        location: of the stack
    """
    key = full_key["gateways"]
    gateways = [_Gateway(f"{key}[{index}]", body) for index, body in maps(raw.get("gateways"))]
    yield from twice([text(one.body.get("name")) for one in gateways], key, ".name", "Rename one.")
    yield from _domains(gateways)
    repository = raw.get("adapterRepository")
    has_repository = isinstance(repository, dict) and bool(repository.get("name"))
    for gateway in gateways:
        if not has_repository and not gateway.body.get("image"):
            yield ConfigError(
                f"{gateway.key}.image",
                "is missing. Allowed: the reference of an image, or "
                f"{full_key['adapterRepository']}.name for a repository of the stack whose image "
                "gateway is taken.",
            )
        if location in written.MULTI_REGIONS and "region" not in gateway.body:
            yield written.region_missing(gateway.key, location)
        yield from _stores(gateway, datasets)
        yield from _identity(gateway)
        yield from _instances(gateway)
        yield from _load_balancer(gateway)
        for name in ("members", "origins"):
            yield from twice(
                texts(gateway.body.get(name)), f"{gateway.key}.{name}", "", "Remove one of them."
            )


def _stores(gateway: _Gateway, datasets: Mapping[str, Raw]) -> Iterator[ConfigError]:
    seen: dict[tuple[str, str], str] = {}
    for index, item in maps(gateway.body.get("stores")):
        key = f"{gateway.key}.stores[{index}]"
        given = {name: text(item.get(name)) for name in _STORES if item.get(name)}
        if len(given) != 1:
            problem = "names two stores" if given else "names no store"
            yield ConfigError(key, f"{problem}. Allowed: one of dicomStore and fhirStore.")
            continue
        [(name, wanted)] = given.items()
        known = written.stores(datasets, _STORES[name])
        if wanted and wanted not in known:
            yield ConfigError(
                f"{key}.{name}",
                f"is not one of the stack's {_STORES[name]}.{rules.nearest(wanted, known)} "
                f"Allowed: {', '.join(known) or 'none is switched on'}.",
                show(wanted),
            )
        if (name, wanted) in seen:
            yield ConfigError(
                f"{key}.{name}",
                f"is the same as {seen[name, wanted]}. Allowed: each store once, with all of its "
                "readers and editors.",
                show(wanted),
            )
        seen.setdefault((name, wanted), f"{key}.{name}")
        yield from _callers(gateway, key, item)


def _callers(gateway: _Gateway, key: str, store: Raw) -> Iterator[ConfigError]:
    """Yield errors of callers: none at all, one twice, and one who does not get as far."""
    callers = {name: texts(store.get(name)) for name in ("readers", "editors")}
    if not any(callers.values()):
        yield ConfigError(
            f"{key}.readers",
            "lists no caller, as editors does, so none could use the store. Allowed: readers, "
            "editors, or both.",
        )
    for name, listed in callers.items():
        yield from twice(listed, f"{key}.{name}", "", "Remove one of them.")
        for index, caller in enumerate(listed):
            if not _passes(gateway, caller):
                yield ConfigError(
                    f"{key}.{name}[{index}]",
                    f"does not pass Identity-Aware Proxy. Add it to {gateway.key}.members, or a "
                    "group or domain that it belongs to.",
                    show(caller),
                )


def _passes(gateway: _Gateway, caller: str) -> bool:
    """Whether a caller may get through to the gateway: a group may have anyone in it."""
    members = texts(gateway.body.get("members"))
    is_wrong = rules.gateway_caller(caller) or any(map(rules.gateway_member, members))
    if is_wrong or gateway.body.get("oidc") or not members or caller == EVERY_CALLER:
        return True
    domain = caller.rpartition("@")[2] if "@" in caller else caller.rpartition(":")[2]
    known = {member.lower() for member in members}
    is_of_domain = caller.startswith("domain:") and any(
        member.endswith(f"@{domain.lower()}") for member in known
    )
    return (
        is_of_domain
        or any(member.startswith("group:") for member in known)
        or not {caller.lower(), f"domain:{domain.lower()}"}.isdisjoint(known)
    )


def _identity(gateway: _Gateway) -> Iterator[ConfigError]:
    members = texts(gateway.body.get("members"))
    if gateway.body.get("oidc") and members:
        yield ConfigError(
            f"{gateway.key}.members",
            "has no effect with oidc: members are those of Identity-Aware Proxy. Remove one of "
            "the two.",
        )
    elif not gateway.body.get("oidc") and not members:
        yield ConfigError(
            f"{gateway.key}.members",
            "lists no member, so Identity-Aware Proxy would let none through. Allowed: members, or "
            "oidc for another identity provider.",
        )


def _load_balancer(gateway: _Gateway) -> Iterator[ConfigError]:
    """Yield what is there twice; what overlaps does no harm."""
    balancer = gateway.body.get("loadBalancer")
    if not isinstance(balancer, dict):
        return
    key = f"{gateway.key}.loadBalancer"
    armor = balancer.get("armor")
    lists: list[tuple[str, Raw, str]] = [
        (key, balancer, "domains"),
        (key, balancer, "certificates"),
    ]
    if isinstance(armor, dict):
        lists += [(f"{key}.armor", armor, name) for name in ("allowedRanges", "wafRuleSets")]
    for of, body, name in lists:
        yield from twice(texts(body.get(name)), f"{of}.{name}", "", "Remove one of them.")


def _domains(gateways: Sequence[_Gateway]) -> Iterator[ConfigError]:
    """Yield the domains that two gateways have: a name leads to one address."""
    seen: dict[str, str] = {}
    for gateway in gateways:
        balancer = gateway.body.get("loadBalancer")
        key = f"{gateway.key}.loadBalancer.domains"
        for index, domain in enumerate(
            texts(balancer.get("domains")) if isinstance(balancer, dict) else []
        ):
            if not seen.get(domain, key).startswith(key):
                yield ConfigError(
                    f"{key}[{index}]",
                    f"is a domain of another gateway, {seen[domain]}. A domain leads to one "
                    "address: remove one of the two.",
                    show(domain),
                )
            seen.setdefault(domain, f"{key}[{index}]")


def _instances(gateway: _Gateway) -> Iterator[ConfigError]:
    least, most = (gateway.body.get(name, default) for name, default in _DEFAULTS.items())
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield ConfigError(
            f"{gateway.key}.minInstances",
            f"is more than maxInstances, {most}. Allowed: at most that.",
            show(least),
        )
