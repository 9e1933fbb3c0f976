"""Names of Identity-Aware Proxy.

Documented: https://cloud.google.com/iap/docs/managing-access, the name of the policy, and
https://cloud.google.com/iap/docs/signed-headers-howto, the audience.
"""


def policy_name(service: str) -> str:
    """Return the name of the proxy before a Cloud Run service, which has the policy.

    Args:
        service: `projects/P/locations/L/services/S`
    """
    _, project, _, location, _, id_ = service.split("/")
    return f"projects/{project}/iap_web/cloud_run-{location}/services/{id_}"


def audience(service: str, number: str) -> str:
    """Return the audience of the tokens that a Cloud Run service gets from the proxy.

    Args:
        service: `projects/P/locations/L/services/S`
        number: of the project
    """
    return f"/projects/{number}/{service.split('/', 2)[2]}"
