// The last lines that a container has logged, from Cloud Logging.

import { call } from "../api.js";
import { element } from "../page.js";

export const NAME = "workload-log";
export const TITLE = "Log of a workload";

const MAX_LINES = 50;

let section;

export function prepare(created) {
  section = created;
}

export async function open(title, { resource }, { project, signal }) {
  const labels = Object.entries(resource.labels).map(([label, value]) => `resource.labels.${label}=${JSON.stringify(value)}`);
  const filter = [`resource.type=${JSON.stringify(resource.type)}`, ...labels].join(" AND ");
  const body = { resourceNames: [`projects/${project}`], filter, orderBy: "timestamp desc", pageSize: MAX_LINES };
  const { entries = [] } = await call("/v2/entries:list", { body, signal });
  const rows = entries.map(({ timestamp, severity, insertId, textPayload, jsonPayload = {} }) => {
    const text = textPayload ?? jsonPayload.message ?? JSON.stringify(jsonPayload);
    return Object.assign([timestamp, severity ?? "DEFAULT", element("pre", {}, text)], { key: insertId });
  });
  section.fill(["Time", "Severity", "Text"], rows, "Nothing is logged yet.");
  section.open(`Log of ${title} (the last ${MAX_LINES} lines)`);
}
