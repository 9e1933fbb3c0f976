"""A small Google Cloud for the stand-in's tests: just enough of each API, in the process itself."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Json = dict[str, Any]
ENDPOINT = "http://127.0.0.1:9"
AGENT = "service-123456789012@gcp-sa-healthcare.iam.gserviceaccount.com"


@dataclass
class Request:
    """One call as it came in."""

    method: str
    path: str
    query: dict[str, str]
    body: Json | None


@dataclass
class Reply:
    """One answer, in the shape that urllib3 gives."""

    status: int
    data: bytes


class RefusalError(Exception):
    """An error of the API."""

    def __init__(self, code: int, message: str, status: str, reason: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.reason = code, message, status, reason


@dataclass
class FakeGoogle:
    """Resources by path, policies by name, services by project; and what was asked for."""

    resources: dict[str, Json] = field(default_factory=dict)
    policies: dict[str, Json] = field(default_factory=dict)
    services: set[str] = field(default_factory=set)
    operations: dict[str, list[Json]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    faults: list[Callable[[Request], Reply | None]] = field(default_factory=list)

    def request(
        self, method: str, url: str, *, body: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        """Stands where urllib3's pool stands."""
        parts = urlsplit(url)
        query = {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
        assert query.pop("alt") == "json"
        request = Request(method, unquote(parts.path), query, json.loads(body) if body else None)
        self.requests.append(request)
        for fault in list(self.faults):
            if reply := fault(request):
                return reply
        try:
            answer = self.handle(request)
        except RefusalError as refusal:
            return error(refusal.code, refusal.message, refusal.status, refusal.reason)
        if answer is None:
            return Reply(204, b"")
        return Reply(200, json.dumps(answer).encode())

    def calls(self, *methods: str) -> list[Request]:
        """The requests of some methods."""
        return [request for request in self.requests if request.method in methods]

    def handle(self, request: Request) -> Json | None:
        """Finds the service by the path."""
        for prefix in ("/v1beta1/", "/v1/", "/bigquery/v2/", "/storage/v1/"):
            if request.path.startswith(prefix):
                path = request.path.removeprefix(prefix)
                break
        if path.endswith("IamPolicy"):
            return self._policy(path, request)
        if "/services" in path or path.startswith("operations/"):
            return self._service(path, request)
        if prefix == "/bigquery/v2/":
            return self._bigquery(path, request)
        if prefix == "/storage/v1/":
            return self._storage(path, request)
        return self._resource(path, request)

    def _resource(self, path: str, request: Request) -> Json:
        body = request.body or {}
        if request.method == "POST":
            id_ = next(value for key, value in request.query.items() if key.endswith("Id"))
            name = f"{path}/{id_}"
            self._refuse_duplicate(name)
            self.resources[name] = {**body, "name": name}
            if path.endswith("/datasets"):
                self.resources[name].setdefault("timeZone", "UTC")
                return {"name": f"{name}/operations/1"}
            return self.resources[name]
        if request.method == "PUT":
            self._refuse_duplicate(path)
            self.resources[path] = body
            return body
        found = self._find(path)
        if request.method == "DELETE":
            gone = [name for name in self.resources if name == path or name.startswith(f"{path}/")]
            for name in gone:
                del self.resources[name]
            return {}
        if request.method == "PATCH":
            mask = (request.query.get("updateMask") or body["updateMask"]).split(",")
            new = body if "updateMask" in request.query else body[path.split("/")[-2][:-1]]
            for name in mask:
                found.pop(name, None)
                if name in new:
                    found[name] = new[name]
        return found

    def _bigquery(self, path: str, request: Request) -> Json | None:
        body = request.body or {}
        if request.method == "GET" and path.endswith("/tables"):
            return self._bigquery_tables(path, request)
        if request.method == "POST":
            resource_type = "table" if path.endswith("/tables") else "dataset"
            path = f"{path}/{body[f'{resource_type}Reference'][f'{resource_type}Id']}"
            self._refuse_duplicate(path)
            grants = [{"role": "OWNER", "specialGroup": "projectOwners"}]
            created = {"etag": "1", "creationTime": "1700000000000", "access": grants}
            link = f"https://bigquery.googleapis.com/bigquery/v2/{path}"
            created |= {"lastModifiedTime": "1700000000000", "selfLink": link}
            self.resources[path] = {**created, **body}
        elif request.method == "PUT":
            old = self._find(path)
            server = {k: old[k] for k in ("creationTime", "selfLink", "access", "lastModifiedTime")}
            self.resources[path] = {**server, "etag": "2", **body}
        elif request.method == "PATCH":
            self._find(path).update(body)
        elif request.method == "DELETE":
            self._find(path)
            del self.resources[path]
            return None
        return self._find(path)

    def _bigquery_tables(self, path: str, request: Request) -> Json:
        """One table a page."""
        self._find(path.removesuffix("/tables"))
        names = [name for name in sorted(self.resources) if name.startswith(f"{path}/")]
        start = int(request.query.get("pageToken", "0"))
        page: Json = {"tables": [self.resources[name] for name in names[start : start + 1]]}
        more = {"nextPageToken": str(start + 1)} if start + 1 < len(names) else {}
        return page | more

    def _storage(self, path: str, request: Request) -> Json | None:
        body = request.body or {}
        if path == "b":
            path = f"b/{body['name']}"
            self._refuse_duplicate(path)
            link = f"https://www.googleapis.com/storage/v1/{path}"
            self.resources[path] = {"selfLink": link, "projectNumber": "123456789012", **body}
        elif path.endswith("/iam"):
            return self._bucket_policy(path, request)
        elif path.endswith("/o"):
            names = [name for name in self.resources if name.startswith(f"{path}/")]
            return {"items": [{"name": name.removeprefix(f"{path}/")} for name in names]}
        found = self._find(path)
        if request.method == "DELETE":
            del self.resources[path]
            return None
        if request.method == "PATCH":
            found.update(body)
        return found

    def _bucket_policy(self, path: str, request: Request) -> Json:
        name = path.removesuffix("/iam")
        if request.method == "PUT":
            self.policies[name] = request.body or {}
        return self.policies.get(name, {"etag": "1"})

    def _policy(self, path: str, request: Request) -> Json:
        name, _, verb = path.rpartition(":")
        current = self.policies.setdefault(name, {"etag": "1", "version": 1})
        if verb == "getIamPolicy":
            options = {**request.query, **((request.body or {}).get("options") or {})}
            versions = [value for key, value in options.items() if "Version" in key]
            return current if versions else _without_conditions(current)
        assert request.body is not None
        policy = request.body["policy"]
        if policy["etag"] != current["etag"]:
            raise RefusalError(409, "There were concurrent policy changes.", "ABORTED")
        self.policies[name] = {**policy, "etag": str(int(current["etag"]) + 1)}
        return self.policies[name]

    def _service(self, path: str, request: Request) -> Json:
        if path.startswith("operations/"):
            steps = self.operations[path]
            return steps.pop(0) if len(steps) > 1 else steps[0]
        if path.endswith("/services"):
            return {"services": [{"name": name} for name in sorted(self.services)]}
        name, _, verb = path.rpartition(":")
        if verb == "enable":
            self.services.add(name)
        elif verb == "disable":
            self.services.discard(name)
        operation = f"operations/{verb}-{name.rpartition('/')[2]}"
        response = {"email": AGENT} if verb == "generateServiceIdentity" else {}
        running, done = {"name": operation}, {"name": operation, "done": True, "response": response}
        self.operations.setdefault(operation, [running, done])
        return running

    def _find(self, path: str) -> Json:
        if path not in self.resources:
            raise RefusalError(404, f"{path} not found", "NOT_FOUND")
        return self.resources[path]

    def _refuse_duplicate(self, path: str) -> None:
        if path in self.resources:
            raise RefusalError(409, f"already exists: {path}", "ALREADY_EXISTS", "alreadyExists")


def _without_conditions(policy: Json) -> Json:
    """A policy in version 1, which shows a conditional grant under another role."""
    bindings = [
        {"role": f"{binding['role']}_withcond_0", "members": binding["members"]}
        if "condition" in binding
        else binding
        for binding in policy.get("bindings", [])
    ]
    return {**policy, "bindings": bindings} if bindings else policy


def error(code: int, message: str, status: str, reason: str = "") -> Reply:
    """An error in Google's shape."""
    body: Json = {"code": code, "message": message, "status": status}
    if reason:
        body["errors"] = [{"reason": reason, "message": message}]
    return Reply(code, json.dumps({"error": body}).encode())
