"""Labels: those of the program, those of the provider, and those that others put on a resource.

The program's `labels` are not authoritative: `pulumiLabels` adds what the provider adds,
`effectiveLabels` are all on the resource. Labels of other tools are left alone.
"""

from collections.abc import Mapping

from engine.standin.config import ProviderConfig
from engine.standin.values import UNKNOWN, Values, has_unknown, without_internal

ATTRIBUTION = {"goog-pulumi-provisioned": "true"}
OUTPUTS = ("effectiveLabels", "pulumiLabels")


def planned(config: ProviderConfig, wanted: Values, state: Values | None) -> Values:
    """Return the two label outputs that an update leads to.

    Args:
        config: settings of the provider.
        wanted: inputs.
        state: outputs so far; None when the resource is new.
    """
    labels = without_internal(wanted.get("labels") or {})
    if has_unknown(labels):
        return dict.fromkeys(OUTPUTS, UNKNOWN)
    before: Mapping[str, str] = (state or {}).get("effectiveLabels") or {}
    attributed = bool(config.attribution) and (
        state is None or config.attribution == "PROACTIVE" or before.keys() >= ATTRIBUTION.keys()
    )
    managed = {**config.default_labels, **(ATTRIBUTION if attributed else {}), **labels}
    dropped = ((state or {}).get("pulumiLabels") or {}).keys() - managed.keys()
    effective = {key: value for key, value in before.items() if key not in dropped} | managed
    return {"effectiveLabels": effective, "pulumiLabels": managed}


def observed(answer: Mapping[str, str] | None, managed: Values) -> Values:
    """Return the three label properties as the API answers them.

    Args:
        answer: all labels on the resource.
        managed: inputs or outputs that say which labels are whose. An adopted resource has none:
            its labels belong to no program until one names them, save the attribution.
    """
    everything = dict(answer or {})
    ours = without_internal(managed.get("labels") or {})
    pulumi = managed.get("pulumiLabels") or ATTRIBUTION
    return {
        "labels": {key: everything[key] for key in ours if key in everything},
        "pulumiLabels": {key: everything[key] for key in pulumi if key in everything},
        "effectiveLabels": everything,
    }


def differing(planned: Values, state: Values) -> list[str]:
    """Return the label outputs that a plan changes, in the order of the real plug-in's diff."""
    # States of other providers' hands may lack the outputs; that alone does not justify an update.
    if UNKNOWN in planned.values() or state.get("pulumiLabels") is None:
        return []
    if planned["pulumiLabels"] == state["pulumiLabels"]:
        return []
    return [name for name in OUTPUTS if planned[name] != state.get(name)]
