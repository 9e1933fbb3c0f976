"""Resources that hold patient data and would be lost.

The cloud deletes a dataset with its contents in one call and permanently, so a change of a name is
enough to lose an archive. A loss is the deletion or replacement of a resource with data or of its
keys, and a rule that makes data expire. The disk of an adapter's spool holds data that no store has
yet. No loss: resources that Pulumi only forgets (`retainOnDelete`, `deletionPolicy: ABANDON`),
views, and resources that a refresh found gone.
"""

from collections.abc import Callable, Iterable

from scripts.lib.property_values import Special, Value, format_path, show
from scripts.lib.wording import plural
from scripts.preview.model import Action, Change, Preview, State
from scripts.preview.names import is_view, name, type_name
from scripts.preview.sentences import Loss, Name, Sentence, title
from scripts.preview.update_losses import BUCKET, GROUP, TABLE, is_stateful, update_losses

_DATASET = "gcp:healthcare/dataset:Dataset"
_BIGQUERY_DATASET = "gcp:bigquery/dataset:Dataset"
_KEY = "gcp:kms/cryptoKey:CryptoKey"
_KEY_VERSION = "gcp:kms/cryptoKeyVersion:CryptoKeyVersion"

# The contents, as in "all ... in it would be lost".
_CONTENTS = {
    _DATASET: "data",
    "gcp:healthcare/dicomStore:DicomStore": "images",
    "gcp:healthcare/fhirStore:FhirStore": "FHIR resources",
    "gcp:healthcare/hl7Store:Hl7Store": "HL7v2 messages",
    "gcp:healthcare/consentStore:ConsentStore": "consents",
    _BIGQUERY_DATASET: "tables",
    TABLE: "rows",
    BUCKET: "objects",
    "gcp:organizations/project:Project": "resources",
    GROUP: "undelivered data on disks",
}
_WHOLES = {"gcp:storage/bucketObject:BucketObject"}
_KEYS = {_KEY, _KEY_VERSION}
# Contents that the stack does not create: an export to BigQuery creates a table.
_UNMANAGED = {_DATASET: "stores", _BIGQUERY_DATASET: "tables", BUCKET: "objects"}
# A sentence names so many of a type, then counts.
_LISTED = 10
LOSES_DATA = "This change would lose data, patient data among it"
_HOLDERS = _CONTENTS.keys() | _WHOLES | _KEYS


def losses(preview: Preview, *, hide: bool = False) -> list[Loss]:
    """Return the losses, containers first."""
    lost = _lost(preview)
    inside = {change.urn: _inside(preview, change.state) for change in lost}
    covered = {state.urn for takes in inside.values() for state in takes}
    found = [_loss(c, inside[c.urn], hide=hide) for c in lost if c.urn not in covered]
    updates = preview.by(Action.UPDATE)
    return found + [loss for change in updates for loss in update_losses(change, hide=hide)]


def left_behind(preview: Preview) -> list[Change]:
    """Return the replacements after which the old resource stays in the cloud, unmanaged."""
    covered = {s.urn for c in _lost(preview) for s in _inside(preview, c.state)}
    replaced = preview.by(Action.REPLACE)
    return [c for c in replaced if c.state.abandoned and c.urn not in covered]


def lowered_guards(preview: Preview, *, hide: bool = False) -> list[Sentence]:
    """Return the guards against deletion that would be removed: a later change could delete."""
    found: list[Sentence] = []
    for change in preview.changes:
        if change.old is None or change.new is None:
            continue
        subject = title(change.state, hide=hide)
        if change.old.protect and not change.new.protect:
            found.append((*subject, " would lose Pulumi's protection (", Name("protect"), ")."))
        for key, lowers in _GUARDS.items():
            old, new = change.old.get(key), change.new.inputs.get(key, Special.ABSENT)
            if lowers(old, new):
                found.append((*subject, " would lose its guard ", Name(key), "."))
    return found


_GUARDS: dict[str, Callable[[Value, Value], bool]] = {
    "deletionPolicy": lambda old, new: old == "PREVENT" and new != "PREVENT",
    "deletionProtection": lambda old, new: old is True and new is False,
    "forceDestroy": lambda old, new: old is not True and new is True,
    "deleteContentsOnDestroy": lambda old, new: old is not True and new is True,
}


def _holds_data(state: State) -> bool:
    if state.type == GROUP:
        return is_stateful(state)
    return state.type in _HOLDERS and not (state.type == TABLE and is_view(state))


def _lost(preview: Preview) -> list[Change]:
    gone = (c for c in preview.changes if c.action in {Action.DELETE, Action.REPLACE})
    return [c for c in gone if _holds_data(c.state) and not c.state.abandoned]


def _inside(preview: Preview, container: State) -> tuple[State, ...]:
    """Return the contents of a container, those that Pulumi would leave included."""
    states = [*(c.state for c in preview.changes if c.old), *preview.unchanged]
    return tuple(state for state in states if _is_in(state, container))


def _is_in(state: State, container: State) -> bool:
    """Return whether a resource that holds data is part of another: by id, else by reference."""
    if state.urn == container.urn or not _holds_data(state):
        return False
    if container.id and state.id.startswith(f"{container.id}/"):
        return True
    if container.type == _DATASET:
        reference = state.get("dataset")
        own = {container.id, name(container)} - {""}
        return state.type.startswith("gcp:healthcare/") and reference in own
    if container.type == _BIGQUERY_DATASET:
        return state.type == TABLE and all(
            state.get(key) == container.get(key) for key in ("datasetId", "project")
        )
    if container.type == BUCKET:
        return state.type in _WHOLES and state.get("bucket") == name(container)
    if container.type == _KEY:
        return state.type == _KEY_VERSION and state.get("cryptoKey") == container.id
    return False


def _loss(change: Change, takes: tuple[State, ...], *, hide: bool) -> Loss:
    state = change.state
    verb = "replaced" if change.action is Action.REPLACE else "deleted"
    sentence = (
        *title(state, hide=hide),
        f" would be {verb}",
        *_because(change, hide=hide),
        ": ",
        *_consequence(state, takes, hide=hide),
        ".",
        *_limits(state),
    )
    return Loss(change.urn, type_name(state), name(state, hide=hide), verb, sentence, takes)


def _because(change: Change, *, hide: bool) -> Sentence:
    if change.action is not Action.REPLACE:
        return ()
    forcing = [p for p in change.properties if p.forces_replacement]
    if len(forcing) == 1 and not isinstance(forcing[0].old, Special):
        path = forcing[0].path
        old, new = (show(path, value, hide=hide) for value in (forcing[0].old, forcing[0].new))
        after: Sentence = (new.value,) if isinstance(new, Special) else (Name(new),)
        before = old.value if isinstance(old, Special) else Name(old)
        return (
            ", because its ",
            Name(format_path(path)),
            " can't change in place from ",
            before,
            " to ",
            *after,
        )
    if not change.forced_by:
        return ()
    return (", because ", *_list([Name(key) for key in change.forced_by]), " can't change in place")


def _consequence(state: State, takes: tuple[State, ...], *, hide: bool) -> Sentence:
    if state.type in _KEYS:
        return ("everything encrypted with it would become permanently unreadable",)
    if state.type in _WHOLES:
        return ("its content would be lost",)
    if not takes:
        stores = "every store and all data" if state.type == _DATASET else ""
        return (f"{stores or 'all ' + _CONTENTS[state.type]} in it would be lost",)
    contents = dict.fromkeys(_CONTENTS.get(s.type, "content") for s in takes)
    groups: list[Sentence] = []
    for what in dict.fromkeys(type_name(s) for s in takes):
        same = [s for s in takes if type_name(s) == what]
        names = _list([Name(name(s, hide=hide)) for s in same])
        count = plural(len(same), what) if len(same) > 1 else what
        groups.append((f"its {count} (", *names, ")"))
    together: list[str] = []
    for index, group in enumerate(groups):
        separator = "" if index == 0 else (" and " if index == len(groups) - 1 else ", ")
        together += [separator, *group]
    unmanaged = _UNMANAGED.get(state.type)
    more = f". So would {unmanaged} in it that Pulumi never saw" if unmanaged else ""
    return (*together, f" and all {_words(contents)} in them would be lost{more}")


def _limits(state: State) -> Sentence:
    """Return why the cloud or the provider would refuse the deletion."""
    if state.get("deletionPolicy") == "PREVENT" or state.get("deletionProtection") is True:
        guard = "deletionPolicy" if state.get("deletionPolicy") == "PREVENT" else ""
        return (" The provider would refuse it: ", Name(guard or "deletionProtection"), " is set.")
    if state.type == BUCKET and state.get("forceDestroy") is not True:
        off = Name("forceDestroy")
        return (" Google refuses it as long as the bucket holds objects (", off, " is off).")
    if state.type == _BIGQUERY_DATASET and state.get("deleteContentsOnDestroy") is not True:
        off = Name("deleteContentsOnDestroy")
        return (" Google refuses it as long as tables are left in it (", off, " is off).")
    return ()


def _list(names: Iterable[Name]) -> Sentence:
    every = list(names)
    parts: list[str] = []
    for index, part in enumerate(every[:_LISTED]):
        parts += [", ", part] if index else [part]
    return (*parts, *([f" and {len(every) - _LISTED} more"] if len(every) > _LISTED else []))


def _words(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
