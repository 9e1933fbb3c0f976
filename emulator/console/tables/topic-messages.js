// The last messages of a topic, which stay for its subscriptions, and a form that publishes one.

import { call, fromBase64, id, toBase64 } from "../api.js";
import { element } from "../page.js";

export const NAME = "topic-messages";
export const TITLE = "Messages of a topic";

const MAX_CHARACTERS = 2000;

let section, current;

export function prepare(created) {
  section = created;
  section.table("topic-subscriptions");
  section.table();
  const data = element("textarea", { id: "message-data", rows: "2", spellcheck: "false" });
  const attributes = element("textarea", { id: "message-attributes", rows: "2", spellcheck: "false" });
  const form = element("form", { id: "publish", "aria-label": "Publish a test message" },
    element("label", { for: data.id }, "Data"), data,
    element("label", { for: attributes.id }, "Attributes, each as KEY=VALUE on a line"), attributes,
    element("button", {}, "Publish"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    section.attempt(() => publish(data.value, attributes.value));
  });
  section.append(element("h3", {}, "Publish a test message"), form);
}

export async function open(topic, { project, signal }) {
  current = { topic, project, signal };
  section.status.textContent = "";
  await load();
  section.open(`Messages of ${id(topic)}`);
}

async function load() {
  const { topic, project, signal } = current;
  const address = `/_emulator/projects/${project}/topics/${encodeURIComponent(id(topic))}/messages`;
  const { messages, subscriptions } = await call(address, { signal });
  const backlogs = subscriptions.map(({ name, undelivered }) => Object.assign([id(name), undelivered], { key: name }));
  const titles = ["Subscription", "Not acknowledged"];
  section.fill(titles, backlogs, "No subscriptions.", section.table("topic-subscriptions"));
  const rows = messages.map(({ messageId, publishTime, data, attributes = {} }) => {
    const pairs = Object.entries(attributes).map(([key, value]) => `${key}=${value}`).join("\n");
    const cells = [publishTime, messageId, element("pre", {}, pairs), element("pre", {}, text(data ?? ""))];
    return Object.assign(cells, { key: messageId });
  });
  section.fill(["Published", "Id", "Attributes", "Data"], rows, "No messages yet.");
}

function text(data) {
  const bytes = fromBase64(data);
  try {
    const decoded = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const isLong = decoded.length > MAX_CHARACTERS;
    return isLong ? `${decoded.slice(0, MAX_CHARACTERS)} ... (${bytes.length} bytes)` : decoded;
  } catch {
    return `${bytes.length} bytes that are not text`;
  }
}

async function publish(data, attributes) {
  const pairs = attributes.split("\n").filter((line) => line.trim()).map((line) => {
    const end = line.indexOf("=");
    if (end < 1) throw new Error(`The attribute ${line} is not written as KEY=VALUE.`);
    return [line.slice(0, end).trim(), line.slice(end + 1).trim()];
  });
  const message = { data: toBase64(data), attributes: Object.fromEntries(pairs) };
  const { messageIds } = await call(`/v1/${current.topic}:publish`, { body: { messages: [message] } });
  section.status.textContent = `Published as message ${messageIds[0]}`;
  await load();
}
