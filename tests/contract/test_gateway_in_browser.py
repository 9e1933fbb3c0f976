"""The viewer in a real browser, through Identity-Aware Proxy and the gateway on Cloud Run."""

import json

import numpy as np
import pytest

from emulator.server.server_file import ServerInfo
from tests.support import browser, http, viewer_pages
from viewer import address

pytestmark = pytest.mark.sockets

PATIENT_88 = "00000088_000"
LOCATION, ID = "us-central1", "gateway-reading"


@pytest.fixture
def store(emulator: ServerInfo, project: str) -> str:
    """A store with the x-rays of a patient."""
    if reason := viewer_pages.why_not():
        pytest.skip(reason)
    return viewer_pages.fill_store(emulator.url, project, "88")


@pytest.fixture
def gateway(emulator: ServerInfo, project: str, store: str) -> str:
    """The address of a gateway on the local Cloud Run, where members of one domain may read."""
    enabled = {"serviceIds": ["iam.googleapis.com", "run.googleapis.com"]}
    projects = f"{emulator.url}/v1/projects/{project}"
    http.post(f"{projects}/services:batchEnable", json=enabled).raise_for_status()
    number = http.get(projects).json()["projectNumber"]
    grant = {
        "store": store,
        "role": "roles/healthcare.dicomViewer",
        "members": ["domain:example.org"],
    }
    audience = f"/projects/{number}/locations/{LOCATION}/services/{ID}"
    settings = {"grants": [grant], "identity": {"iapAudience": audience}}
    variable = {"name": "GATEWAY_SETTINGS", "value": json.dumps(settings)}
    template = {"containers": [{"image": "registry.example/p/gateway:1", "env": [variable]}]}
    parent = f"{emulator.url}/v2/projects/{project}/locations/{LOCATION}/services"
    body = {"template": template, "iapEnabled": True}
    created = http.post(f"{parent}?serviceId={ID}", json=body).raise_for_status().json()
    ended = http.post(f"{emulator.url}/v2/{created['name']}:wait", json={"timeout": "60s"}).json()
    return str(ended["response"]["uri"])


@pytest.mark.skipif(browser.why_not() is not None, reason=str(browser.why_not()))
def test_a_member_signs_in_and_sees_the_image(
    emulator: ServerInfo, gateway: str, store: str
) -> None:
    expected = viewer_pages.rendered(emulator.url, store, PATIENT_88)
    with browser.open_tab(gateway) as tab:
        page = tab.page
        page.goto(address.study(gateway, store, viewer_pages.study_of(PATIENT_88)))
        page.get_by_label("Email address").fill("ana@example.org")
        page.get_by_role("button", name="Sign in").click()
        viewer_pages.wait_for_picture(page)
        picture = viewer_pages.shown(page, expected.shape)
        assert np.corrcoef(picture.ravel(), expected.ravel())[0, 1] > 0.99
        assert tab.troubles == []

        page.goto(f"{gateway}/_gcp_iap/clear_login_cookie")
        page.goto(address.study_list(gateway, store))
        page.get_by_label("Email address").fill("someone@elsewhere.example")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_load_state("networkidle")
        assert page.get_by_text("Synthetic, Patient 88").count() == 0
