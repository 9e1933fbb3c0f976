"""Properties that rows of several services share."""

from engine.standin.properties import Property

NAME = Property(required=False, autoname=True, replace=True, wire=None)
PROJECT = Property(
    computed=True,
    replace=True,
    wire=None,
    from_provider="project",
    pattern=r"(?:[a-z0-9.-]+:)?[a-z0-9][-a-z0-9]{0,61}[a-z0-9]|\d+",
    allowed="a project's id or number",
)
DELETION_POLICY = Property(
    computed=True,
    client=True,
    wire=None,
    from_provider="deletion_policy",
    choices=("DELETE", "PREVENT", "ABANDON"),
)
LABELS = Property(kind="map")
LABEL_OUTPUTS = {
    "effectiveLabels": Property(kind="map", output=True, wire=None),
    "pulumiLabels": Property(kind="map", output=True, wire=None),
}
TIMEOUTS = {"create": 20, "delete": 20, "update": 20}
