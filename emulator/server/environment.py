"""The environment that leads Google's tools, and anyone's code, to the local Google Cloud."""

from pathlib import Path

PROJECT = "local-project"
"""The project that tools work in when none is named."""


def environment(state_dir: Path, *, port: int) -> dict[str, str]:
    """The variables that Google's own tools know, with the addresses of a running emulator.

    Args:
        state_dir: The emulator's state folder, which holds the credentials.
        port: The port of the emulator's own services, of BigQuery's front and Cloud Storage's.
    """
    root = f"http://127.0.0.1:{port}"
    return {
        # The Google provider of Pulumi and Terraform: with version and trailing slash.
        "GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT": f"{root}/v1beta1/",
        "GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT": f"{root}/v1/",
        "GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT": f"{root}/v1/",
        "GOOGLE_PUBSUB_CUSTOM_ENDPOINT": f"{root}/v1/",
        "GOOGLE_KMS_CUSTOM_ENDPOINT": f"{root}/v1/",
        "GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT": f"{root}/bigquery/v2/",
        "GOOGLE_STORAGE_CUSTOM_ENDPOINT": f"{root}/storage/v1/",
        "GOOGLE_OAUTH_ACCESS_TOKEN": "local",
        "GOOGLE_PROJECT": PROJECT,
        # Google's client libraries.
        "BIGQUERY_EMULATOR_HOST": root,
        "STORAGE_EMULATOR_HOST": root,
        "GOOGLE_APPLICATION_CREDENTIALS": str(state_dir / "credentials.json"),
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        # gcloud and bq.
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_BIGQUERY": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_HEALTHCARE": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{root}/storage/v1/",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(state_dir / "token"),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_PROJECT": PROJECT,
    }
