"""The environment variables that point Google's tools and libraries to the emulator."""

from pathlib import Path

from emulator.core.settings import PROJECT


def environment(state_dir: Path, *, port: int) -> dict[str, str]:
    """Return the variables that Google's tools read, with the addresses of a running emulator.

    Args:
        state_dir: the emulator's state folder, which holds the credentials
        port: the port of all services
    """
    root = f"http://127.0.0.1:{port}"
    return {
        # The Google provider of Pulumi and Terraform: with version and trailing slash.
        "GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT": f"{root}/v1beta1/",
        "GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT": f"{root}/v1/",
        "GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT": f"{root}/v1/",
        "GOOGLE_PUBSUB_CUSTOM_ENDPOINT": f"{root}/v1/",
        "GOOGLE_COMPUTE_CUSTOM_ENDPOINT": f"{root}/compute/v1/",
        "GOOGLE_LOGGING_CUSTOM_ENDPOINT": f"{root}/v2/",
        "GOOGLE_MONITORING_CUSTOM_ENDPOINT": f"{root}/",  # the version is in the paths
        "GOOGLE_CLOUD_RUN_V2_CUSTOM_ENDPOINT": f"{root}/v2/",
        "GOOGLE_DATAFLOW_CUSTOM_ENDPOINT": f"{root}/v1b3/",
        "GOOGLE_IAM_CUSTOM_ENDPOINT": f"{root}/v1/",
        "GOOGLE_IAP_CUSTOM_ENDPOINT": f"{root}/v1/",
        "GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT": f"{root}/v1/",
        "GOOGLE_KMS_CUSTOM_ENDPOINT": f"{root}/v1/",
        "GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT": f"{root}/v1/",
        "GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT": f"{root}/v1/",
        "GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT": f"{root}/bigquery/v2/",
        "GOOGLE_STORAGE_CUSTOM_ENDPOINT": f"{root}/storage/v1/",
        "GOOGLE_OAUTH_ACCESS_TOKEN": "local",
        "GOOGLE_PROJECT": PROJECT,
        # Google's client libraries.
        "BIGQUERY_EMULATOR_HOST": root,
        "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{port}",  # gRPC, without a scheme
        "STORAGE_EMULATOR_HOST": root,
        "GOOGLE_APPLICATION_CREDENTIALS": str(state_dir / "credentials.json"),
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        # gcloud and bq.
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_ARTIFACTREGISTRY": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_BIGQUERY": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": f"{root}/compute/v1/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_DATAFLOW": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_HEALTHCARE": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE": f"{root}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{root}/storage/v1/",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(state_dir / "token"),
        # `gcloud auth application-default` asks here, whatever the credentials name.
        "CLOUDSDK_AUTH_TOKEN_HOST": f"{root}/token",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_PROJECT": PROJECT,
    }
