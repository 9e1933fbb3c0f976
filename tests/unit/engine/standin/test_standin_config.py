"""The provider's settings: where the endpoints come from, and which are refused."""

import pytest

from engine.pulumi_proto import provider_pb2
from engine.standin.config import SERVICES, check_config, configure
from engine.standin.errors import StandInError
from engine.standin.values import UNKNOWN, to_struct
from tests.support.plugin import ENDPOINTS, Engine, RefusedError

HEALTHCARE = {"GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT": "http://127.0.0.1:9/v1beta1/"}


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://healthcare.googleapis.com/v1beta1/",
        "http://10.0.0.1:9/v1beta1/",
        "http://127.0.0.1.example.com/v1beta1/",
        "127.0.0.1:9/v1beta1/",
        "http://user@example.com:127/v1beta1/",
    ],
)
def test_refuses_what_is_not_on_this_machine(endpoint: str) -> None:
    with pytest.raises(StandInError) as refused:
        configure({}, HEALTHCARE | {"GOOGLE_KMS_CUSTOM_ENDPOINT": endpoint})

    assert str(refused.value).startswith(
        f"GOOGLE_KMS_CUSTOM_ENDPOINT is {endpoint}, which is not on this machine: the stand-in of "
        "the gcp plugin refuses every endpoint but loopback ones (127.0.0.1); start the local "
        "Google Cloud with `python -m emulator start`"
    )


def test_refuses_a_remote_endpoint_at_configure(engine: Engine) -> None:
    with pytest.raises(RefusedError) as refused:
        engine.configure(healthcareCustomEndpoint="https://healthcare.googleapis.com/v1/")

    assert refused.value.text.startswith(
        "gcp:healthcareCustomEndpoint is https://healthcare.google"
    )


@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost:9", "[::1]:9", "127.0.0.53"])
def test_takes_every_loopback_address(host: str) -> None:
    config = configure({}, {"GOOGLE_STORAGE_CUSTOM_ENDPOINT": f"http://{host}/storage/v1"})

    assert config.endpoint("storage") == f"http://{host}/storage/v1/"


def test_no_endpoint_is_refused_with_the_variables_to_set() -> None:
    with pytest.raises(StandInError) as refused:
        configure({"project": "p"}, {})

    for _, variable in SERVICES.values():
        assert variable in str(refused.value)
    assert "`python -m emulator start`" in str(refused.value)
    assert '`eval "$(python -m engine env)"`' in str(refused.value)


def test_a_missing_endpoint_is_reported_by_the_check_already(engine: Engine) -> None:
    engine.configure(pubsubCustomEndpoint=None)

    with pytest.raises(RefusedError) as refused:
        engine.check("gcp:pubsub/topic:Topic", {"name": "topic1"})

    assert refused.value.text.startswith(
        "the stand-in of the gcp plugin has no endpoint for pubsub: neither "
        "gcp:pubsubCustomEndpoint nor GOOGLE_PUBSUB_CUSTOM_ENDPOINT is set; start the local"
    )


def test_settings_come_before_the_environment() -> None:
    settings = {"healthcareCustomEndpoint": "http://127.0.0.1:8/v1/", "project": "mine"}

    config = configure(settings, {**HEALTHCARE, "GOOGLE_PROJECT": "other", "GOOGLE_REGION": "r"})

    assert config.endpoint("healthcare") == "http://127.0.0.1:8/v1/"
    assert (config.project, config.region) == ("mine", "r")


def test_a_project_may_be_unknown_before_the_update() -> None:
    assert configure({"project": UNKNOWN}, HEALTHCARE).project is None


def test_settings_of_a_stack_are_strings() -> None:
    config = configure(
        {"defaultLabels": '{"a": "b"}', "addPulumiAttributionLabel": "false"}, HEALTHCARE
    )

    assert config.default_labels == {"a": "b"}
    assert config.attribution == ""


def test_project_region_and_zone_are_filled_from_the_environment() -> None:
    environment = {"GOOGLE_CLOUD_PROJECT": "p", "CLOUDSDK_COMPUTE_REGION": "r"}

    assert check_config({"version": "10.2.0"}, environment) == (
        {"version": "10.2.0", "project": "p", "region": "r"},
        [],
    )


def test_an_unknown_setting_is_named(engine: Engine) -> None:
    request = provider_pb2.CheckRequest(news=to_struct({"projekt": "p", "kmsCustomEndpoint": "x"}))

    (failure,) = engine.stub.CheckConfig(request).failures

    assert failure.property == "projekt"
    assert failure.reason == 'the gcp provider has no setting "projekt"; did you mean "project"?'


def test_a_changed_setting_updates_the_provider_and_replaces_nothing(engine: Engine) -> None:
    request = provider_pb2.DiffRequest(
        old_inputs=to_struct(ENDPOINTS), news=to_struct({**ENDPOINTS, "region": "us-central1"})
    )

    response = engine.stub.DiffConfig(request)

    assert list(response.diffs) == ["region"]
    assert not response.replaces


def test_calls_before_the_configuration_are_refused() -> None:
    from engine.standin.provider import StandIn

    with pytest.raises(RefusedError) as refused:
        Engine(StandIn()).check("gcp:pubsub/topic:Topic", {})

    assert (
        refused.value.text == "the stand-in of the gcp plugin was called before it was configured"
    )
