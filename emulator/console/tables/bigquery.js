// The tables of BigQuery, and a box for one query that changes nothing.

import { call, list } from "../api.js";
import { element, size } from "../page.js";

export const NAME = "tables";
export const TITLE = "BigQuery tables";
export const CHANGES = true;

const MAX_ROWS = 100;
// A single statement that begins like this changes nothing.
const ONE_SELECT = /^\s*(?:select|with)\b[^;]*;?\s*$/i;

let project, signal;

export function prepare(section) {
  section.table();
  const sql = element("textarea", { id: "sql", rows: "4", spellcheck: "false", required: true });
  const form = element("form", { id: "query" }, element("label", { for: sql.id }, "Query (one SELECT)"), sql, element("button", {}, "Run"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    section.attempt(() => query(section, sql.value));
  });
  section.append(form, element("p", { id: "query-status", role: "status" }));
}

export async function show(section, context) {
  ({ project, signal } = context);
  const root = `/bigquery/v2/projects/${project}/datasets`;
  const datasets = await list(root, "datasets", signal);
  const listed = await Promise.all(datasets.map(({ datasetReference }) => list(`${root}/${datasetReference.datasetId}/tables`, "tables", signal)));
  const references = listed.flat().map(({ tableReference }) => tableReference);
  const rows = await Promise.all(references.map(async ({ datasetId, tableId }) => {
    const { type, numRows = 0, numBytes } = await call(`${root}/${datasetId}/tables/${tableId}`, { signal });
    return Object.assign([datasetId, tableId, type, Number(numRows), size(numBytes)], { key: `${datasetId}.${tableId}` });
  }));
  section.fill(["Dataset", "Table", "Type", "Rows", "Size"], rows, "No tables.");
}

async function query(section, sql) {
  if (!ONE_SELECT.test(sql)) throw new Error("The console runs one statement that begins with SELECT or WITH.");
  const body = { query: sql, useLegacySql: false, maxResults: MAX_ROWS };
  const { schema, rows = [], totalRows } = await call(`/bigquery/v2/projects/${project}/queries`, { body, signal });
  const text = (field) => (field !== null && typeof field === "object" ? JSON.stringify(field) : field);
  const names = schema.fields.map(({ name }) => name);
  section.fill(names, rows.map(({ f }) => f.map(({ v }) => text(v))), "No rows.", section.table("rows", "query-status"));
  const rest = Number(totalRows) > rows.length ? `, the first ${rows.length} shown` : "";
  document.getElementById("query-status").textContent = `${totalRows} rows${rest}`;
}
