"""The settings: each wrong one has its sentence."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from workloads.gateway import settings
from workloads.gateway.__main__ import app
from workloads.gateway.errors import SettingsError

STORE = "projects/p/locations/l/datasets/d/dicomStores/s"
GRANT = {"store": STORE, "role": "roles/healthcare.dicomViewer", "members": ["user:a@b.c"]}
IAP = {"iapAudience": "/projects/1/locations/l/services/s"}
OIDC = {"issuer": "https://i.org", "audience": "gateway", "keysUrl": "https://i.org/keys"}
GOOD: dict[str, Any] = {"grants": [GRANT], "identity": IAP}


def test_settings_are_read_and_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(settings.IAP_KEYS_VARIABLE, raising=False)
    found = settings.parse(GOOD | {"origins": ["https://v.org"], "limits": {"idleSeconds": 5}})
    assert found.roles.stores == {STORE}
    assert found.origins == ("https://v.org",)
    assert found.limits == settings.Limits(idle_seconds=5)
    assert found.has_viewer
    assert not settings.parse(GOOD | {"viewer": False}).has_viewer
    assert (found.provider.keys_url, found.provider.algorithms) == (
        "https://www.gstatic.com/iap/verify/public_key-jwk",
        ("ES256",),
    )
    monkeypatch.setenv(settings.IAP_KEYS_VARIABLE, "http://127.0.0.1:1/keys")
    assert settings.parse(GOOD).provider.keys_url == "http://127.0.0.1:1/keys"
    assert not settings.parse(GOOD | {"identity": OIDC}).provider.is_iap


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"grants": []}, "grants has no entry"),
        ({"grants": {}}, "grants must be a list"),
        ({"grant": []}, "the settings has no member 'grant': it has grants, identity"),
        ({"grants": [GRANT | {"store": "s"}]}, r"grants\[0\].store: 's' is not a valid name"),
        ({"grants": [GRANT | {"members": []}]}, r"grants\[0\].members has no entry"),
        ({"grants": [GRANT | {"role": 1}]}, r"grants\[0\].role must be a text"),
        ({"identity": None}, "identity must be a JSON object"),
        ({"identity": IAP | OIDC}, "iapAudience goes with no other member"),
        ({"identity": {"issuer": "i"}}, "identity.keysUrl must be a text"),
        ({"identity": OIDC | {"keysUrl": "http://i.org"}}, "is not a valid https address"),
        ({"origins": ["*"]}, r"'\*' is not a valid origin"),
        ({"origins": ["https://a.org/"]}, "is not a valid origin"),
        ({"origins": ["https://*.org"]}, "is not a valid origin"),
        ({"origins": ["http://a.org"]}, "is not an https origin"),
        ({"limits": {"bodyBytes": 0}}, "limits.bodyBytes: 0 is not a positive whole number"),
        ({"viewer": "no"}, "viewer must be true or false"),
        ({"limits": {"bodyBytes": True}}, "is not a positive whole number"),
    ],
)
def test_wrong_settings_are_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        settings.parse(GOOD | change)


def test_the_command_names_the_place_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(settings.VARIABLE, raising=False)
    run = CliRunner().invoke
    assert "set GATEWAY_SETTINGS, or name a file" in (ran := run(app, [])).stderr
    assert ran.exit_code == 2
    file = tmp_path / "settings.json"
    assert f"{file} can't be read" in run(app, ["--settings", str(file)]).stderr
    file.write_text("{")
    assert f"{file} is not valid JSON" in run(app, ["--settings", str(file)]).stderr
    file.write_text(json.dumps(GOOD))
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "token")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run(app, ["--settings", str(file), "--port", str(port)])
    assert ran.exit_code == 1
    assert f"can't listen at 127.0.0.1:{port}: Address already in use" in ran.stderr
