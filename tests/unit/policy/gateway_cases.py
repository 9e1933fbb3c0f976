"""Cases of gateways: what is before a Cloud Run service."""

from collections.abc import Sequence
from typing import Any

from policy.model import UNKNOWN, Resource
from tests.unit.policy.builders import resource
from tests.unit.policy.case import Case


def service(**props: Any) -> Resource:
    return resource("gcp:cloudrunv2/service:Service", {"name": "gateway-ward", **props})


OPEN = "invokerIamDisabled is true, and iapEnabled is not"

GATEWAY_CASES: dict[str, Sequence[Case]] = {
    "no-open-services": (
        Case("behind the proxy", [service(iapEnabled=True), service(iapEnabled=True)]),
        Case("behind IAM", [service(), service(invokerIamDisabled=False)]),
        Case("behind the proxy alone", [service(iapEnabled=True, invokerIamDisabled=True)]),
        Case("open to the internet", [service(invokerIamDisabled=True)], [OPEN]),
        Case(
            "open, with the proxy switched off",
            [service(invokerIamDisabled=True, iapEnabled=False)],
            [OPEN],
        ),
        Case(
            "a preview that does not know yet",
            [
                service(invokerIamDisabled=True, iapEnabled=UNKNOWN),
                service(invokerIamDisabled=UNKNOWN),
            ],
        ),
        Case(
            "a gateway that verifies callers itself",
            [service(invokerIamDisabled=True)],
            config={"services": ["gateway-ward"]},
        ),
    ),
}
