"""Calls of consent stores that checks make."""

from typing import Any

from conformance.check import Lab
from conformance.cloud_project import Json

USER = "conformance-user"


def store(lab: Lab, store_id: str = "consents", **settings: Any) -> str:
    """Return the full name of a consent store with two attributes, which is created once."""

    def create(lab: Lab) -> str:
        path = f"{lab.names.dataset}/consentStores"
        lab.healthcare("POST", path, params={"consentStoreId": store_id}, json=settings)
        name = f"{path}/{store_id}"
        define(lab, "kind", "RESOURCE", to=name)
        define(lab, "purpose", "REQUEST", to=name)
        return name

    return str(lab.once(f"consents-{store_id}", create))


def define(lab: Lab, name: str, category: str, *, to: str = "", **more: Any) -> Json:
    """Define an attribute with the values `a` and `b`."""
    body = {"category": category, "allowedValues": ["a", "b"], **more}
    path = f"{to or store(lab)}/attributeDefinitions"
    return lab.healthcare("POST", path, params={"attributeDefinitionId": name}, json=body)


def post(lab: Lab, path: str, *, to: str = "", **body: Any) -> Json:
    """Send a body to a collection or with a verb of a store."""
    separator = "" if path.startswith(":") else "/"
    return lab.healthcare("POST", f"{to or store(lab)}{separator}{path}", json=body)


def name_of(answer: Json) -> str:
    """Return the name of a created resource; empty if it was refused."""
    return str(answer["body"].get("name", ""))


def artifact(lab: Lab, *, to: str = "") -> str:
    """Return the full name of a new artifact."""
    return name_of(post(lab, "consentArtifacts", to=to, userId=USER))


def policy(expression: str = "purpose == 'a'", *data_types: str) -> Json:
    """Return a policy for data of some kinds, by default for all."""
    rule = {"authorizationRule": {"expression": expression}}
    if not data_types:
        return rule
    attribute = {"attributeDefinitionId": "kind", "values": [*data_types]}
    return {**rule, "resourceAttributes": [attribute]}


def consent(lab: Lab, *, to: str = "", **body: Any) -> Json:
    """Create a consent with an artifact of its own."""
    fields = {"userId": USER, "state": "ACTIVE", "policies": [policy()], **body}
    if "consentArtifact" not in fields:
        fields["consentArtifact"] = artifact(lab, to=to)
    return post(lab, "consents", to=to, **fields)


def mapping(lab: Lab, data_id: str, *data_types: str, to: str = "", user: str = USER) -> Json:
    """Register some data of a kind."""
    given = [{"attributeDefinitionId": "kind", "values": [*data_types]}] if data_types else []
    fields = {"dataId": data_id, "userId": user, "resourceAttributes": given}
    return post(lab, "userDataMappings", to=to, **fields)
