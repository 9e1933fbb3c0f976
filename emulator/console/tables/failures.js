// Errors in Cloud Logging, the newest first.

import { call, id } from "../api.js";

export const NAME = "failures";
export const TITLE = "Failures in the log";
export const CHANGES = true;

const MAX_ROWS = 100;

export async function show(section, { project, signal }) {
  const body = { resourceNames: [`projects/${project}`], filter: "severity>=ERROR", orderBy: "timestamp desc", pageSize: MAX_ROWS };
  const { entries = [] } = await call("/v2/entries:list", { body, signal });
  const rows = entries.map(({ timestamp, severity, logName, insertId, jsonPayload, protoPayload, textPayload }) => {
    const content = textPayload ?? JSON.stringify(jsonPayload ?? protoPayload ?? {});
    return Object.assign([timestamp, severity, decodeURIComponent(id(logName)), content], { key: insertId });
  });
  section.fill(["Time", "Severity", "Log", "Content"], rows, "No failures.");
}
