"""The settings: what they accept, and what they say of what they do not."""

from typing import Any

import pytest

from program import config as settings
from program.config import SERVICES, Settings
from program.config.errors import SettingsError
from tests.support.settings import OWN, parse, problem, problems
from tests.unit.components.deployment import deploy


def test_defaults_are_the_labs() -> None:
    lab = parse()
    assert (lab.location, lab.dataset, lab.time_zone) == ("us-central1", "dataset1", "UTC")
    assert [store.name for store in lab.dicom_stores] == ["dicomstore1", "dicomstore2"]
    assert (lab.fhir_stores, lab.hl7v2_stores, lab.labels) == ([], [], {})
    assert (lab.access, lab.service_agent_roles) == ("lab", [])
    assert lab.services == list(SERVICES)
    assert (lab.bigquery_dataset, lab.bigquery_description) == ("dataset1", "DICOM")
    assert lab.bigquery_delete_contents is False


def test_every_key_is_read() -> None:
    lab = parse(
        location="eu",
        dataset="Röntgen.1",
        timeZone="Europe/Zurich",
        dicomStores=["short", {"name": "long", "enabled": False, "labels": {"größe": "5"}}],
        fhirStores=[{"name": "f", "version": "STU3", "disableReferentialIntegrity": True}],
        hl7v2Stores=[{"name": "h", "parserConfig": {"version": "V3", "allowNullHeader": False}}],
        access="explicit",
        serviceAgentRoles=["roles/storage.objectViewer", "organizations/12/roles/custom.one"],
        bigqueryDataset="imaging_1",
        bigqueryDescription="",
        bigqueryDeleteContents="true",
        labels={"team": "imaging"},
        services=[*SERVICES, "pubsub.googleapis.com"],
    )
    assert lab.location == "eu"
    assert [(store.name, store.enabled) for store in lab.dicom_stores] == [
        ("short", True),
        ("long", False),
    ]
    assert lab.dicom_stores[1].labels == {"größe": "5"}
    assert lab.fhir_stores[0].disable_referential_integrity is True
    assert lab.hl7v2_stores[0].parser_config is not None
    assert lab.hl7v2_stores[0].parser_config.version == "V3"
    assert lab.bigquery_delete_contents is True
    assert lab.lab_variables()["DICOM_STORE_ID"] == "short"


def test_unknown_key_suggests_the_nearest_and_lists_all() -> None:
    text = problem("datset", datset="x")
    assert 'gcp-healthcare-dicom:datset = "x"' in text
    assert 'is not a setting. Did you mean "dataset"?' in text
    assert "Allowed: location, allowedLocations, dataset, timeZone, dicomStores," in text


def test_unknown_key_of_a_store_has_its_path() -> None:
    text = problem("fhirStores[0].enableUpdates", fhirStores=[{"name": "f", "enableUpdates": True}])
    assert 'Did you mean "enableUpdateCreate"?' in text
    assert "Allowed: name, enabled, labels, deletionPolicy, members, version," in text


def test_unknown_key_of_a_parser_has_its_path() -> None:
    stores = [{"name": "h", "parserConfig": {"verson": "V3"}}]
    text = problem("hl7v2Stores[0].parserConfig.verson", hl7v2Stores=stores)
    assert (
        'Did you mean "version"? Allowed: version, allowNullHeader, segmentTerminator, schema.'
        in text
    )


@pytest.mark.parametrize("location", ["us-centrall", "US-CENTRAL1", "us-central-1"])
def test_bad_location_suggests_the_nearest(location: str) -> None:
    text = problem("location", location=location)
    assert f'location = "{location}"' in text
    assert "is not a location of the Cloud Healthcare API." in text
    assert 'Did you mean "us-central1"?' in text
    assert "Allowed: asia-east1, asia-east2," in text


def test_far_location_lists_the_allowed_ones_only() -> None:
    text = problem("location", location="moon")
    assert "Did you mean" not in text
    assert "europe-west6" in text


@pytest.mark.parametrize("store_type", ["dicomStores", "fhirStores", "hl7v2Stores"])
def test_two_stores_of_one_name(store_type: str) -> None:
    stores = [{"name": "one"}, {"name": "two"}, {"name": "one", "enabled": False}]
    text = problem(f"{store_type}[2].name", **{store_type: stores})
    assert '.name = "one"' in text
    assert f"is the same as gcp-healthcare-dicom:{store_type}[0].name." in text
    assert "A switched-off store counts too." in text


def test_stores_of_different_types_may_share_a_name() -> None:
    assert parse(dicomStores=["a"], fhirStores=["a"], hl7v2Stores=["a"]).fhir_stores[0].name == "a"


@pytest.mark.parametrize(
    ("key", "config", "complaint"),
    [
        ("dataset", {"dataset": "a b"}, '= "a b"\n    is not an id of the Cloud Healthcare API.'),
        ("dataset", {"dataset": ""}, "Allowed: 1 to 256 letters, digits, underscores, hyphens"),
        ("timeZone", {"timeZone": "Europe/Zurrich"}, 'Did you mean "Europe/Zurich"?'),
        ("dicomStores[0].name", {"dicomStores": ["c.t"]}, "is not an id of a DICOM store."),
        ("dicomStores[0].name", {"dicomStores": [{}]}, "is required, and missing."),
        ("dicomStores[0]", {"dicomStores": [3]}, "= 3\n    must be an object, such as {name:"),
        ("dicomStores", {"dicomStores": {"name": "a"}}, "must be a list."),
        ("dicomStores", {"dicomStores": "a"}, '= "a"\n    must be a list.'),
        (
            "dicomStores[0].enabled",
            {"dicomStores": [{"name": "a", "enabled": "yes"}]},
            '= "yes"\n    must be true or false, without quotes.',
        ),
        ("fhirStores[0].version", {"fhirStores": [{"name": "f", "version": "r4"}]}, 'mean "R4"?'),
        (
            "hl7v2Stores[0].parserConfig.version",
            {
                "hl7v2Stores": [
                    {"name": "h", "parserConfig": {"version": "3", "allowNullHeader": True}}
                ]
            },
            "Allowed: V1, V2, V3.",
        ),
        (
            "serviceAgentRoles[0]",
            {"access": "explicit", "serviceAgentRoles": ["storage.objectAdmin"]},
            'Did you mean "roles/storage.objectAdmin"?',
        ),
        (
            "serviceAgentRoles[1]",
            {"access": "explicit", "serviceAgentRoles": ["roles/viewer", "roles/viewer"]},
            "is the same as gcp-healthcare-dicom:serviceAgentRoles[0].",
        ),
        ("bigqueryDataset", {"bigqueryDataset": "a-b"}, "is not an id of a BigQuery dataset."),
        ("bigqueryDeleteContents", {"bigqueryDeleteContents": "maybe"}, "must be true or false."),
        ("labels", {"labels": ["a"]}, '= ["a"]\n    must be a map of keys to values.'),
        ("labels.Team", {"labels": {"Team": "a"}}, "is not the key of a label."),
        ("labels.team", {"labels": {"team": "A"}}, '= "A"\n    is not the value of a label.'),
        ("labels.team", {"labels": {"team": 7}}, "= 7\n    must be text. A number, true or false"),
        ("services[2]", {"services": [*SERVICES[:2], "kms"]}, 'mean "kms.googleapis.com"?'),
        ("services", {"services": [SERVICES[0]]}, "lacks bigquery.googleapis.com, which"),
    ],
)
def test_what_is_refused(key: str, config: dict[str, Any], complaint: str) -> None:
    assert complaint in problem(key, **config)


def test_labels_of_stack_and_store_together_have_a_limit() -> None:
    general = {f"general{number}": "" for number in range(40)}
    own = {f"own{number}": "" for number in range(30)}
    text = problem(
        "dicomStores[1].labels",
        labels=general,
        dicomStores=["a", {"name": "b", "labels": own}],
    )
    assert "makes 70 labels together with those of the stack. Allowed: at most 64" in text


def test_missing_project_says_how_to_set_it() -> None:
    found = problems(None)
    assert list(found) == ["gcp:project"]
    assert "is required, and missing. Run `pulumi config set gcp:project" in found["gcp:project"]


@pytest.mark.parametrize(
    ("project", "complaint"),
    [("123456789012", "is a project number."), ("My Project", "is not a project id.")],
)
def test_bad_project(project: str, complaint: str) -> None:
    assert complaint in problems(project)["gcp:project"]


def test_all_problems_come_at_once_in_the_order_of_the_settings() -> None:
    found = problems(
        None,
        services=["healthcare.googleapis.com"],
        nonsense="1",
        dicomStores=["a", "a", "b c"],
        location="mars",
    )
    assert list(found) == [
        "gcp:project",
        "location",
        "dicomStores[1].name",
        "dicomStores[2].name",
        "services",
        "nonsense",
    ]


def test_the_message_as_a_whole() -> None:
    with pytest.raises(SettingsError) as refused:
        settings.parse({"gcp:project": "local-project", f"{OWN}:labels": "[]"}, stack="prod")
    assert str(refused.value) == (
        "1 setting of this stack can't be used, so nothing was changed.\n"
        "\n"
        "  gcp-healthcare-dicom:labels = []\n"
        "    must be a map of keys to values.\n"
        "\n"
        "Fix Pulumi.prod.yaml. All keys: docs/configuration.md"
    )


def test_long_values_are_cut_short() -> None:
    text = problem("labels", labels=["x" * 5000])
    assert len(text) < 300
    assert "xxx..." in text


@pytest.mark.parametrize("key", ["dataset", "unknownKey", "dicomStores"])
def test_a_secret_is_refused_and_never_shown(key: str) -> None:
    values = {"gcp:project": "local-project", f"{OWN}:{key}": "hunter2 is not an id"}
    with pytest.raises(SettingsError) as refused:
        settings.parse(values, secret={f"{OWN}:{key}"})
    assert "hunter2" not in str(refused.value)
    assert f"{OWN}:{key}" in str(refused.value)


def test_a_secret_says_why_it_is_refused() -> None:
    values = {"gcp:project": "local-project", f"{OWN}:dataset": "dataset7"}
    with pytest.raises(SettingsError, match="is stored as a secret, but every setting appears"):
        settings.parse(values, secret={f"{OWN}:dataset"})


def test_load_reads_the_running_stacks_configuration() -> None:
    found: list[Settings] = []
    config = {"gcp:project": "my-project", f"{OWN}:location": "eu", "gcp:region": "x", "aws:y": "z"}
    deploy(lambda: found.append(settings.load()), config)
    assert (found[0].project, found[0].location) == ("my-project", "eu")


def test_load_names_the_stacks_own_file_and_hides_its_secrets() -> None:
    with pytest.raises(SettingsError, match=r"Fix Pulumi\.ward\.yaml") as refused:
        deploy(
            settings.load,
            {"gcp:project": "my-project", f"{OWN}:labels": {"a": "hunter2"}},
            secret=[f"{OWN}:labels"],
            stack="ward",
        )
    assert "hunter2" not in str(refused.value)
