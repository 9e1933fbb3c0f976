"""A consent store in process, with an attribute of each category."""

import json
from typing import Any

from starlette.testclient import TestClient

USER = "user-1"
JSON = dict[str, Any]


def policy(expression: str = "purpose == 'care'", *data_types: str) -> JSON:
    """A policy for data of some kinds, by default for all."""
    attribute = {"attributeDefinitionId": "kind", "values": [*data_types]}
    rule = {"authorizationRule": {"expression": expression}}
    return {**rule, "resourceAttributes": [attribute]} if data_types else rule


class ConsentStore:
    """The calls of a store; those that are refused are asserted to be."""

    def __init__(self, client: TestClient, dataset: str, store_id: str, **settings: Any) -> None:
        self.client = client
        path = f"{dataset}/consentStores?consentStoreId={store_id}"
        self.name = self.ok("POST", path, settings)["name"]
        self.define("kind", "RESOURCE", "image", "report")
        self.define("purpose", "REQUEST", "care", "research")

    def send(self, method: str, path: str, body: JSON | None = None, **params: Any) -> Any:
        # ASCII alone: a test sends half a surrogate pair.
        content = None if body is None else json.dumps(body)
        return self.client.request(method, f"/v1/{path}", content=content, params=params or None)

    def ok(self, method: str, path: str, body: JSON | None = None, **params: Any) -> JSON:
        answer = self.send(method, path, body, **params)
        assert answer.status_code == 200, answer.text
        found: JSON = answer.json()
        return found

    def refused(
        self, method: str, path: str, body: JSON | None = None, code: int = 400, **params: Any
    ) -> tuple[str, str]:
        """The status and the text of a refusal."""
        answer = self.send(method, path, body, **params)
        assert answer.status_code == code, answer.text
        error = answer.json()["error"]
        return error["status"], error["message"]

    def define(self, name: str, category: str, *values: str, **more: Any) -> JSON:
        body = {"category": category, "allowedValues": [*values], **more}
        path = f"{self.name}/attributeDefinitions"
        return self.ok("POST", path, body, attributeDefinitionId=name)

    def artifact(self, **more: Any) -> JSON:
        return self.ok("POST", f"{self.name}/consentArtifacts", {"userId": USER, **more})

    def consent(self, **more: Any) -> JSON:
        return self.ok("POST", f"{self.name}/consents", self.consent_body(**more))

    def consent_body(self, **more: Any) -> JSON:
        artifact = more.pop("consentArtifact", None) or self.artifact()["name"]
        return {"userId": USER, "policies": [policy()], "consentArtifact": artifact, **more}

    def mapping(self, data_id: str, *data_types: str, user: str = USER) -> JSON:
        return self.ok(
            "POST",
            f"{self.name}/userDataMappings",
            self.mapping_body(data_id, *data_types, user=user),
        )

    def mapping_body(self, data_id: str, *data_types: str, user: str = USER) -> JSON:
        attributes = (
            [{"attributeDefinitionId": "kind", "values": [*data_types]}] if data_types else []
        )
        return {"dataId": data_id, "userId": user, "resourceAttributes": attributes}

    def check(self, data_id: str, purpose: str = "care", **more: Any) -> JSON:
        body = {"dataId": data_id, "requestAttributes": {"purpose": purpose}, **more}
        return self.ok("POST", f"{self.name}:checkDataAccess", body)

    def results(self, data_id: str, **more: Any) -> JSON:
        """The result of each evaluated consent, by its name."""
        details = self.check(data_id, responseView="FULL", **more).get("consentDetails", {})
        return {name: found["evaluationResult"] for name, found in details.items()}

    def evaluate(self, user: str = USER, purpose: str = "care", **more: Any) -> JSON:
        body = {"userId": user, "requestAttributes": {"purpose": purpose}, **more}
        return self.ok("POST", f"{self.name}:evaluateUserConsents", body)
