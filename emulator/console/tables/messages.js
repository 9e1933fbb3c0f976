// The messages of an HL7v2 store; the content of one is fetched when a person opens it.

import { call, fromBase64, id } from "../api.js";

export const NAME = "messages";
export const TITLE = "HL7v2 messages";
export const WHAT = "messages";

const MAX_MESSAGES = 100;
// The view without the content, of which these fields identify no patient.
const FIELDS = "hl7V2Messages(name,createTime,sendTime,messageType,sendFacility)";

let section, reader;

export function prepare(created) {
  section = created;
  section.table();
  reader = section.reader("message");
}

export async function open(store, { signal }) {
  reader.hide();
  const query = new URLSearchParams({
    view: "SCHEMATIZED_ONLY", orderBy: "send_time desc", pageSize: MAX_MESSAGES, fields: FIELDS,
  });
  const { hl7V2Messages: found = [] } = await call(`/v1/${store}/messages?${query}`, { signal });
  const rows = found.map(({ name, createTime, sendTime, messageType, sendFacility }) => {
    const button = section.button("Open", `Open message ${id(name)}`, () => read(name, messageType, signal));
    return Object.assign([sendTime, createTime, messageType, sendFacility, button], { key: name });
  });
  section.fill(["Sent", "Stored", "Type", "Sender", "Patient data"], rows, "No messages.");
  section.open(`HL7v2 messages of ${id(store)} (the last ${MAX_MESSAGES})`);
}

async function read(name, type, signal) {
  const { data } = await call(`/v1/${name}?view=RAW_ONLY`, { signal });
  // A line for each segment; they end in a carriage return.
  reader.show(`${type} ${id(name)}`, decode(fromBase64(data)).replaceAll(/\r\n?/g, "\n"));
}

function decode(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("latin1").decode(bytes);
  }
}
