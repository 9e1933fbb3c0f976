"""Errors of adapters: between their settings, and with what they refer to."""

from typing import Any

import pytest

from tests.support.settings import parse, problem, problems

SECRET = "projects/vault/secrets/{}/versions/1"
REPOSITORY = {"adapterRepository": {"name": "adapters"}}
RANGES = {"sourceRanges": ["10.20.0.0/16"]}
DIMSE: dict[str, Any] = {"name": "ct", "dicomStore": "ct", "aet": "ADAPTER", **RANGES}
MLLP: dict[str, Any] = {"name": "adt", "hl7v2Store": "adt", **RANGES}
NOTIFYING: dict[str, Any] = {
    "topics": [{"name": "events"}, {"name": "dead"}],
    "dicomStores": [{"name": "ct", "notificationConfig": {"pubsubTopic": "events"}}],
    "hl7v2Stores": [{"name": "adt", "notificationConfigs": [{"pubsubTopic": "events"}]}],
    **REPOSITORY,
}
PACS = {"name": "PACS", "host": "10.20.0.9", "port": 104}
TO_PACS = {"aets": [PACS], "outgoing": {"topic": "events", "peer": "PACS"}}
TO_HIS: dict[str, Any] = {"topic": "events", "peer": "10.20.0.9:2575"}


def dimse(**changed: Any) -> dict[str, Any]:
    return {**NOTIFYING, "dimseAdapters": [{**DIMSE, **changed}]}


def mllp(**changed: Any) -> dict[str, Any]:
    return {**NOTIFYING, "mllpAdapters": [{**MLLP, **changed}]}


def test_complete_adapters_are_read() -> None:
    lab = parse(
        **NOTIFYING,
        dimseAdapters=[
            {
                **DIMSE,
                **TO_PACS,
                "callingAets": ["CT1"],
                "tls": {"certificate": SECRET.format("cert"), "key": SECRET.format("key")},
            }
        ],
        mllpAdapters=[
            {
                "name": "adt",
                "hl7v2Store": "adt",
                "outgoing": {**TO_HIS, "ca": SECRET.format("ca"), "deadLetter": {"topic": "dead"}},
            }
        ],
    )
    [first], [second] = lab.dimse_adapters, lab.mllp_adapters
    assert (first.port, first.spool, first.machine_type) == (11_112, True, "e2-small")
    assert (second.port, second.spool, second.source_ranges) == (2575, False, [])
    assert first.secrets() == [SECRET.format("cert"), SECRET.format("key")]
    assert second.secrets() == [SECRET.format("ca")]
    assert lab.adapters() == [first, second]


TUNNELS = [
    {
        "sharedSecret": SECRET.format(f"vpn-{number}"),
        "address": f"169.254.{number}.1/30",
        "peerAddress": f"169.254.{number}.2",
    }
    for number in (0, 1)
]


def vpn(**changed: Any) -> dict[str, Any]:
    given = {"name": "north", "peerAddresses": ["198.51.100.7"], "peerAsn": 65_001}
    return {"vpns": [{**given, "tunnels": TUNNELS, **changed}]}


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("dimseAdapters[0].dicomStore", dimse(dicomStore="ctt"), 'Did you mean "ct"?'),
    (
        "dimseAdapters[0].dicomStore",
        dimse(dicomStore="research/ct"),
        "is not one of the stack's dicomStores",
    ),
    (
        "mllpAdapters[0].hl7v2Store",
        {**REPOSITORY, "mllpAdapters": [MLLP]},
        "Allowed: none is switched on.",
    ),
    ("dimseAdapters[0].aet", dimse(aet="A" * 17), "1 to 16 printable ASCII"),
    ("dimseAdapters[0].callingAets[1]", dimse(callingAets=["A", "A"]), "is the same as"),
    ("dimseAdapters[0].aets[1].name", dimse(aets=[PACS, PACS]), "is the same as"),
    ("dimseAdapters[0].aets[0].host", dimse(aets=[{**PACS, "host": "h:1"}]), "is not a host"),
    (
        "dimseAdapters[0].outgoing.peer",
        dimse(aets=[PACS], outgoing={"topic": "events", "peer": "PACT"}),
        'Did you mean "PACS"? Allowed: PACS.',
    ),
    (
        "dimseAdapters[0].outgoing.topic",
        dimse(aets=[PACS], outgoing={"topic": "dead", "peer": "PACS"}),
        "is not notified by ct, so nothing would be sent. Add {pubsubTopic: dead}",
    ),
    (
        "dimseAdapters[0].sourceRanges[0]",
        dimse(sourceRanges=["0.0.0.0/0"]),
        "would open the adapter to every address",
    ),
    (
        "dimseAdapters[0].sourceRanges[0]",
        dimse(sourceRanges=["10.20.1.1/16"]),
        'Did you mean "10.20.0.0/16"?',
    ),
    ("dimseAdapters[0].sourceRanges", dimse(sourceRanges=[]), "lists no range"),
    (
        "mllpAdapters[0].address",
        mllp(sourceRanges=[], outgoing=TO_HIS, address="10.0.0.1"),
        "has no effect without sourceRanges",
    ),
    ("mllpAdapters[0].diskGb", mllp(diskGb=20), "has no effect without a spool"),
    (
        "mllpAdapters[0].outgoing.key",
        mllp(outgoing={**TO_HIS, "certificate": SECRET.format("a")}),
        "belong together",
    ),
    (
        "mllpAdapters[0].outgoing.ca",
        mllp(
            outgoing={
                **TO_HIS,
                "certificate": SECRET.format("a"),
                "key": SECRET.format("b"),
            }
        ),
        "a certificate needs the peer's authorities",
    ),
    ("mllpAdapters[0].outgoing.peer", mllp(outgoing={**TO_HIS, "peer": "h"}), "HOST:PORT"),
    ("mllpAdapters[0].tls.key", mllp(tls={"certificate": SECRET.format("a")}), "is required"),
    (
        "mllpAdapters[0].tls.key",
        mllp(tls={"certificate": SECRET.format("a"), "key": "-----BEGIN KEY"}),
        "never written into settings",
    ),
    ("mllpAdapters[0].image", mllp(image="mllp-adapter"), "is not a container image"),
    (
        "mllpAdapters[0].image",
        mllp() | {"adapterRepository": {}},
        "is missing. Allowed: the reference of an image, or",
    ),
    (
        "adapterRepository.name",
        {"adapterRepository": {"location": "eu"}},
        "is missing. Allowed: an id such as adapters.",
    ),
    ("mllpAdapters[0].region", mllp() | {"location": "eu"}, "eu is not a region"),
    (
        "mllpAdapters[0].region",
        mllp(region="europe-west4") | {"allowedLocations": ["us-central1"]},
        "is not among",
    ),
    (
        "dimseAdapters[0].kmsKeyName",
        dimse(kmsKeyName="projects/my-project/locations/eu/keyRings/r/cryptoKeys/k"),
        "is a key in eu, but the disks are in us-central1",
    ),
    (
        "dimseAdapters[0].subnetwork",
        dimse(subnetwork="projects/my-project/regions/us-east1/subnetworks/s"),
        "is not in us-central1",
    ),
    ("dimseAdapters[0].name", dimse(name="CT"), "is not a name of an adapter"),
    (
        "dimseAdapters[1].name",
        dimse() | {"dimseAdapters": [DIMSE, DIMSE]},
        "is the same as",
    ),
    (
        "mllpAdapters[0].address",
        dimse(address="10.0.0.1") | {"mllpAdapters": [{**MLLP, "address": "10.0.0.1"}]},
        "is the same as gcp-healthcare-dicom:dimseAdapters[0].address",
    ),
    (
        "mllpAdapters[0].name",
        mllp(outgoing=TO_HIS)
        | {
            "topics": [
                {"name": "events", "subscriptions": [{"name": "mllp-adt-out"}]},
            ]
        },
        "makes the subscription mllp-adt-out, which is also",
    ),
    (
        "mllpAdapters[0].outgoing.topic",
        mllp(outgoing=TO_HIS)
        | {
            "hl7v2Stores": [
                *NOTIFYING["hl7v2Stores"],
                {"name": "oru", "notificationConfig": {"pubsubTopic": "events"}},
            ]
        },
        "is notified by oru too, whose messages the peer would get",
    ),
    ("vpns[0].peerAsn", vpn(asn=65_001), "is also the own number of BGP"),
    ("vpns[0].region", vpn() | {"location": "eu"}, "eu is not a region"),
    (
        "vpns[0].tunnels[1].peerAddress",
        vpn(tunnels=[TUNNELS[0], {**TUNNELS[1], "peerAddress": "169.254.0.2"}]),
        "is not the other address of 169.254.1.1/30",
    ),
    (
        "vpns[0].tunnels[1].address",
        vpn(tunnels=[TUNNELS[0], TUNNELS[0]]),
        "is the same as",
    ),
    ("vpns[0].tunnels", vpn(tunnels=TUNNELS[:1]), "at least 2 items"),
    (
        "vpns[0].tunnels[0].sharedSecret",
        vpn(tunnels=[{**TUNNELS[0], "sharedSecret": "x"}, TUNNELS[1]]),
        "is not a version of a secret",
    ),
    (
        "mllpAdapters[0].outgoing.deadLetter.topic",
        mllp(outgoing={**TO_HIS, "deadLetter": {"topic": "deed"}}),
        'Did you mean "dead"?',
    ),
]


@pytest.mark.parametrize(("key", "config", "complaint"), WRONG)
def test_each_wrong_setting_is_named_with_what_is_allowed(
    key: str, config: dict[str, Any], complaint: str
) -> None:
    assert complaint in problem(key, **config)


def test_a_vpn_is_read_with_its_tunnels() -> None:
    [read] = parse(**vpn()).vpns
    assert (read.asn, read.peer_asn, len(read.tunnels)) == (64_514, 65_001, 2)


def test_the_labs_stores_are_known_without_being_listed() -> None:
    adapter = {**DIMSE, "dicomStore": "dicomstore2"}
    assert parse(**REPOSITORY, dimseAdapters=[adapter]).dimse_adapters[0].dicom_store


def test_stores_of_a_further_dataset_are_named_with_it() -> None:
    datasets = [{"name": "research", "dicomStores": ["ct"]}]
    adapter = {**DIMSE, "dicomStore": "research/ct"}
    assert parse(**REPOSITORY, datasets=datasets, dimseAdapters=[adapter])


def test_a_topic_may_be_named_in_full_on_one_side() -> None:
    full = "projects/local-project/topics/events"
    assert parse(**mllp(outgoing={**TO_HIS, "topic": full}))


def test_the_keys_of_one_protocol_are_not_those_of_the_other() -> None:
    found = problems(**mllp(aet="A", aets=[PACS]))
    assert list(found) == ["mllpAdapters[0].aet", "mllpAdapters[0].aets"]
