"""Checks of HL7v2 stores: messages, acknowledgements, lists, notifications."""

import base64
from typing import Any

from conformance import hl7v2_samples as samples
from conformance.check import Check, Lab
from conformance.cloud_project import Json
from conformance.pulling import pull
from conformance.waiting import poll


def store(lab: Lab, store_id: str = "hl7", **settings: Any) -> str:
    """Return the full name of an HL7v2 store, which is created once."""

    def create(lab: Lab) -> str:
        path = f"{lab.names.dataset}/hl7V2Stores"
        lab.healthcare("POST", path, params={"hl7V2StoreId": store_id}, json=settings)
        return f"{path}/{store_id}"

    return str(lab.once(f"hl7v2-{store_id}", create))


def ingest(lab: Lab, sent: Json, name: str = "") -> Json:
    """Ingest a message into a store."""
    path = f"{name or store(lab)}/messages:ingest"
    return samples.readable(lab.healthcare("POST", path, json=sent))


def _create(lab: Lab, sent: Json) -> Json:
    return lab.healthcare("POST", f"{store(lab)}/messages", json=sent)


def _refused(lab: Lab, *segments: str) -> Json:
    return [ingest(lab, samples.body(*segments)), _create(lab, samples.body(*segments))]


def _encodings(lab: Lab) -> Json:
    fields = "||||||"
    names = ("ASCII", "UNICODE UTF-8", "UTF-8", "8859/1")
    sent = [samples.body(samples.header(f"E-{name}", rest=fields + name)) for name in names]
    sent.append(samples.raw_body(samples.header("E-bytes").encode() + b"|\xff"))
    return [ingest(lab, each) for each in sent]


def _segments(lab: Lab) -> Json:
    header = samples.header("S1")
    wrong = ("PI|1", "pid|1", "P-D|1", header, "BHS|^~\\&|A")
    answers = [ingest(lab, samples.body(header, each)) for each in wrong]
    lines = samples.body(samples.header("S2"), samples.PATIENT, terminator="\r\n")
    settings = {"segmentTerminator": "Cg==", "version": "V2"}
    of_lines = store(lab, "hl7-lines", parserConfig=settings)
    return [*answers, ingest(lab, lines), ingest(lab, lines, of_lines)]


def _attributes(lab: Lab) -> Json:
    headers = (
        samples.header("A1"),
        samples.header("A2").replace("2024030107", "yesterday"),
        samples.header("A3").replace("|WARD|", "|WARD&1.2&ISO|"),
        samples.header("A4", "ADT"),
    )
    return [_create(lab, samples.body(each, samples.PATIENT)) for each in headers]


def _parsed(lab: Lab) -> Json:
    stores = {
        version: store(lab, f"hl7-{version.lower()}", parserConfig={"version": version})
        for version in ("V1", "V2", "V3")
    }
    return {
        version: ingest(lab, samples.body(*samples.RESULT), name)
        for version, name in stores.items()
    }


def _duplicate(lab: Lab) -> Json:
    name = store(lab, "hl7-strict", rejectDuplicateMessage=True)
    sent = samples.body(samples.header("D1"))
    answers = [ingest(lab, sent, name) for _ in range(2)]
    return [*answers, lab.healthcare("POST", f"{name}/messages", json=sent)]


def _listed(lab: Lab, **params: str) -> Json:
    return lab.healthcare("GET", f"{store(lab)}/messages", params=params)


def _filters(lab: Lab) -> Json:
    texts = ("color = red", 'message_type != "ADT"', "messageType = adt", 'send_date = "March"')
    return [_listed(lab, filter=text) for text in texts]


def _batch(lab: Lab) -> Json:
    path = f"v1beta1/{store(lab)}/messages:batchGet"
    return [
        lab.call("healthcare", "GET", path, params=params)
        for params in ({}, {"ids": "none"}, {"ids": ["x"] * 101})
    ]


def _update(lab: Lab) -> Json:
    created = _create(lab, samples.body(samples.header("U1")))["body"]
    masks = ("", "data", "labels.a")
    change = {"labels": {"a": "1"}}
    return [
        lab.healthcare("PATCH", created.get("name", ""), params={"updateMask": mask}, json=change)
        for mask in masks
    ]


def _settings(lab: Lab) -> Json:
    path = f"{lab.names.dataset}/hl7V2Stores"
    bodies = (
        {"parserConfig": {"segmentTerminator": "/w=="}},
        {"notificationConfigs": [{"pubsubTopic": lab.names.topic, "filter": "color = red"}]},
    )
    return [
        lab.healthcare("POST", path, params={"hl7V2StoreId": "hl7-bad"}, json=body)
        for body in bodies
    ]


def _version(lab: Lab) -> Json:
    change = {"parserConfig": {"version": "V3"}}
    params = {"updateMask": "parserConfig"}
    return lab.healthcare("PATCH", store(lab), params=params, json=change)


def _notified(lab: Lab) -> Json:
    """Return the answers to two messages, of which one comes twice, and the notifications."""
    config = {"pubsubTopic": lab.names.topic, "filter": 'message_type = "ADT"'}
    name = store(lab, "hl7-notified", notificationConfigs=[config])
    sent = (("N1", "ADT^A01"), ("N1", "ADT^A01"), ("N2", "ORU^R01"))
    answers = [ingest(lab, samples.body(samples.header(*each)), name) for each in sent]
    found: dict[str, Json] = {}

    def look() -> bool:
        for message in pull(lab.cloud, lab.names.subscription):
            data = base64.b64decode(message.get("data", "")).decode("utf-8", "replace")
            if data.startswith(f"{name}/"):
                attributes = message.get("attributes", {})
                found[message["messageId"]] = {"data": data, "attributes": attributes}
        return bool(found)

    poll(look, min(lab.cloud.max_wait_seconds, 60.0))
    return [*answers, *found.values()]


CHECKS = (
    Check(
        "hl7v2-no-header-text",
        "a message without MSH: code and text",
        lambda lab: _refused(lab, samples.PATIENT),
    ),
    Check("hl7v2-encoding-bytes", "encodings in MSH-18, and bytes that are not UTF-8", _encodings),
    Check(
        "hl7v2-delimiters-text",
        "a message with one delimiter for two levels: text",
        lambda lab: _refused(lab, "MSH|^^\\&|APP"),
    ),
    Check("hl7v2-segment-text", "segments with odd ids and terminators", _segments),
    Check("hl7v2-attributes", "the attributes of messages", _attributes),
    Check("hl7v2-parsed-data", "parsedData of the parsers V1 to V3", _parsed),
    Check(
        "hl7v2-nack",
        "the NACK of a message with another encoding",
        lambda lab: ingest(lab, samples.body(samples.header("K1", rest="||||||8859/1"))),
    ),
    Check(
        "hl7v2-nack-no-header",
        "the NACK of a text that is not a message",
        lambda lab: ingest(lab, samples.body("This is a text.")),
    ),
    Check(
        "hl7v2-message-id",
        "the id of a message",
        lambda lab: _create(lab, samples.body(samples.header("I1"))),
    ),
    Check(
        "hl7v2-missing-text",
        "GET of a message that does not exist: code and text",
        lambda lab: lab.healthcare("GET", f"{store(lab)}/messages/none"),
    ),
    Check(
        "hl7v2-create-refused",
        "creation without data, and with damaged data: code and text",
        lambda lab: [_create(lab, {"message": {}}), _create(lab, samples.body("text"))],
    ),
    Check("hl7v2-duplicate-refused", "a duplicate in a store that refuses it", _duplicate),
    Check("hl7v2-filter-text", "filters of a list: names and refusals", _filters),
    Check(
        "hl7v2-order-by-text",
        "a list in an order that is not supported: text",
        lambda lab: _listed(lab, orderBy="create_time"),
    ),
    Check("hl7v2-batch-get", "batchGet of no, a missing and too many messages", _batch),
    Check("hl7v2-update-mask-text", "masks of the update of a message", _update),
    Check("hl7v2-store-settings-text", "settings of stores that are not valid: text", _settings),
    Check("hl7v2-parser-version-text", "another version of a store's parser: text", _version),
    Check("hl7v2-notification", "messages about messages: data and attributes", _notified),
)
