"""docs/access.md and docs/migration.md say what the code does."""

import re
from pathlib import Path

import yaml

from components import encryption_key, notification_topic, service_agent_access
from program import service_agent_grants
from program.config import Settings
from tests.support.settings import parse

ROOT = Path(__file__).parents[4]
ACCESS = (ROOT / "docs" / "access.md").read_text()
MIGRATION = (ROOT / "docs" / "migration.md").read_text()
SIMPLE = ROOT / "examples" / "from-terraform" / "Pulumi.local-simple.yaml"
KEYS = set(Settings.model_json_schema(by_alias=True)["properties"])


def table(page: str, heading: str) -> list[list[str]]:
    """The rows of the first table after a heading."""
    section = page.split(f"{heading}\n", 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert lines is not None
    rows = [line.strip("| ").split(" | ") for line in lines[0].splitlines()]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_the_table_of_the_agents_roles_is_the_plans() -> None:
    documented = {row[1].strip("`") for row in table(ACCESS, "## The roles of the service agent")}
    assert documented == {
        service_agent_access.READER,
        service_agent_access.WRITER,
        service_agent_access.EDITOR,
        service_agent_access.JOB_USER,
        notification_topic.PUBLISHER,
        encryption_key.USER_ROLE,
    }
    assert all(f"`{role}`" in ACCESS for role in service_agent_grants.LAB_ROLES)


def test_a_stack_with_every_feature_gives_every_role_of_the_table() -> None:
    stack = parse(
        access="least-privilege",
        importBuckets=["incoming"],
        exportBuckets=["outgoing"],
        topics=[{"name": "imaging"}],
        dicomStores=[{"name": "ct", "notificationConfig": {"pubsubTopic": "imaging"}}],
        encryption={"keyRing": "r", "key": "k"},
    )
    given = {grant.role for grant in service_agent_grants.agent_grants(stack)}
    documented = {row[1].strip("`") for row in table(ACCESS, "## The roles of the service agent")}
    assert given == documented


def test_the_modules_variables_lead_to_keys_that_exist() -> None:
    rows = table(MIGRATION, "## Its variables and ours")
    assert [row[0].strip("`") for row in rows] == [
        "name",
        "project",
        "location",
        "time_zone",
        "iam_members",
        "dicom_stores",
        "fhir_stores",
        "hl7_v2_stores",
        "consent_stores",
        "workspaces",
        "pipeline_jobs",
    ]
    ours = {row[1].strip("`") for row in rows} - {"none"}
    assert ours <= KEYS


def test_the_modules_simple_example_is_one_short_stack_file() -> None:
    text = SIMPLE.read_text()
    assert len(text.splitlines()) <= 60
    config = yaml.safe_load(text)["config"]
    stack = parse(
        **{re.sub(r".*:", "", key): value for key, value in config.items() if "gcp:" not in key}
    )
    types = [store_type for store_type, _ in stack.stores]
    assert [
        types.count(store_type) for store_type in ("dicomStores", "fhirStores", "hl7v2Stores")
    ] == [3, 1, 1]
    assert types.count("consentStores") == 1
