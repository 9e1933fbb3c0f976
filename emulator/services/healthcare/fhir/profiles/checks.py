"""Checks of resources by the profiles of their store.

Inferred (conformance: fhir-profiles): the API reports a rule of a profile that is broken in the
words of its other checks, as `unparseable_resource`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from sqlite3 import Connection
from threading import Lock
from typing import Any

from emulator.services.healthcare.fhir.outcome import Issue, error
from emulator.services.healthcare.fhir.profiles.guides import Guide, declared
from emulator.services.healthcare.fhir.profiles.items import Item, type_of
from emulator.services.healthcare.fhir.profiles.library import Library, signature
from emulator.services.healthcare.fhir.profiles.settings import ProfileSettings
from emulator.services.healthcare.fhir.profiles.targets import Targets
from emulator.services.healthcare.fhir.profiles.walk import Walk
from emulator.services.healthcare.fhir.validation import UNPARSEABLE

MAX_LIBRARIES = 16
"""Stores whose compiled profiles are kept."""
_ANY = ("Resource", "DomainResource")


class ProfileChecks:
    """The compiled profiles of the stores. They are compiled again after a change."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._libraries: dict[tuple[str, bool], tuple[Any, Library]] = {}

    def check(
        self,
        connection: Connection,
        store: str,
        settings: ProfileSettings,
        resource: Mapping[str, Any],
    ) -> list[Issue]:
        """Return what is wrong with a resource by the profiles of the enabled guides.

        Args:
            connection: reads the profiles
            store: the full name
            settings: of the store
            resource: as `json_text.parse` returns it, valid by R4
        """
        if not settings.is_enabled or not settings.guides:
            return []
        with self._lock:
            library = self._library(connection, store, settings)
            guides = [library.guide(url) for url in settings.guides]
            asked = dict.fromkeys(url for one in guides for url in one.declared_in(resource))
            return _check_all(_Check(library, settings, resource), guides, [*asked])

    def check_declared(
        self,
        connection: Connection,
        store: str,
        settings: ProfileSettings,
        resource: Mapping[str, Any],
    ) -> list[Issue]:
        """Return what is wrong with a resource by the guides, and by each profile it declares.

        Documented (`$validate`): the check is by the profiles of the resource and of the store.
        """
        if not settings.is_enabled:
            return []
        with self._lock:
            library = self._library(connection, store, settings)
            guides = [library.guide(url) for url in settings.guides]
            return _check_all(_Check(library, settings, resource), guides, declared(resource))

    def check_by(
        self,
        connection: Connection,
        store: str,
        settings: ProfileSettings,
        resource: Mapping[str, Any],
        url: str,
    ) -> list[Issue] | None:
        """Return what is wrong with a resource by one profile; None if the store lacks it."""
        with self._lock:
            library = self._library(connection, store, settings)
            return _Check(library, settings, resource).by(_whole(resource), url)

    def _library(self, connection: Connection, store: str, settings: ProfileSettings) -> Library:
        key = (store, settings.is_documented_only)
        current = signature(connection, store)
        known, library = self._libraries.pop(key, (None, None))
        if library is None or known != current:
            library = Library(store, connection, is_documented_only=settings.is_documented_only)
        library.connection = connection
        self._libraries[key] = (current, library)  # the last one was used last
        if len(self._libraries) > MAX_LIBRARIES:
            del self._libraries[next(iter(self._libraries))]
        return library


@dataclass(slots=True)
class _Check:
    """The check of one resource.

    Attributes:
        targets: finds the resources that references name
        found: the issues by value and profile; None while a check is under way
    """

    library: Library
    settings: ProfileSettings
    resource: Mapping[str, Any]
    targets: Targets = field(init=False)
    found: dict[tuple[int, str], list[Issue]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.targets = Targets(self.resource, self.library)

    def by(self, item: Item, url: str) -> list[Issue] | None:
        """Return what is wrong with a value by a profile; None if the store lacks it."""
        profile = self.library.profile(url)
        if profile is None:
            return None
        key = (id(item.value), url)
        if key not in self.found:
            self.found[key] = []  # a profile that leads to itself is checked once
            inherited = self.by(item, profile.base) if profile.base else None

            def report(problem: str, path: str) -> Issue:
                return error("structure", UNPARSEABLE, f"{problem} (profile {url})", path)

            if item.type and profile.type not in (item.type, *_ANY) and type_of(item.value):
                wrong = f"the profile is for {profile.type}, not for {item.type}"
                self.found[key] = [report(wrong, item.path)]
            else:
                walk = Walk(profile, self.targets, self.by, report, self.settings.has_constraints)
                walk.element(item, profile.root)
                self.found[key] = [*(inherited or ()), *walk.issues]
        return self.found[key]


def _check_all(check: _Check, guides: list[Guide], urls: list[str]) -> list[Issue]:
    """Return what is wrong by each of some profiles, and by all global ones of a type."""
    whole = _whole(check.resource)
    issues = [issue for url in urls for issue in check.by(whole, url) or ()]
    globals_ = [url for one in guides for url in one.global_profiles.get(whole.type, ())]
    results = [(url, check.by(whole, url)) for url in dict.fromkeys(globals_)]
    if results and all(found for _, found in results):
        nearest, found = min(results, key=lambda one: len(one[1] or ()))
        issues.extend(issue for issue in found or () if nearest not in urls)
    return issues


def _whole(resource: Mapping[str, Any]) -> Item:
    return Item(resource, {}, type_of(resource), type_of(resource))
