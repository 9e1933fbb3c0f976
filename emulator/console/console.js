// Shows one project by the public APIs. Text of the services is only ever set as text, never as HTML.

const STORE_TYPES = { dicomStores: "DICOM", fhirStores: "FHIR", hl7V2Stores: "HL7v2", consentStores: "Consent" };
const MAX_ROWS = 100;
const MAX_STUDIES = 20;
const POLL_MILLISECONDS = 1000;
const UNITS = ["B", "kB", "MB", "GB", "TB"];
// A single statement that begins like this changes nothing.
const ONE_SELECT = /^\s*(?:select|with)\b[^;]*;?\s*$/i;
const $ = (id) => document.getElementById(id);

async function call(path, body) {
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, options);
  const content = response.status === 204 ? [] : await response.json();
  if (!response.ok) throw new Error(content.error?.message ?? `${response.status} of ${path}`);
  return content;
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// A cell is text, a number, or an element.
function fill(table, titles, rows, empty) {
  const cell = (value) => element("td", { className: typeof value === "number" ? "number" : "" },
    typeof value === "number" ? value.toLocaleString("en") : value ?? "");
  const body = rows.length ? rows.map((row) => element("tr", {}, ...row.map(cell)))
    : [element("tr", {}, element("td", { colSpan: titles.length }, empty))];
  table.replaceChildren(
    element("thead", {}, element("tr", {}, ...titles.map((title) => element("th", { scope: "col" }, title)))),
    element("tbody", {}, ...body),
  );
}

function size(bytes) {
  let value = Number(bytes ?? 0), unit = 0;
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${unit ? value.toFixed(1) : value} ${UNITS[unit]}`;
}

const id = (name) => name.slice(name.lastIndexOf("/") + 1);
const value = (item, tag) => {
  const first = item[tag]?.Value?.[0];
  return first?.Alphabetic ?? first ?? "";
};

async function datasets(project) {
  const { locations = [] } = await call(`/v1/projects/${project}/locations`);
  const found = await Promise.all(locations.map(({ name }) => call(`/v1/${name}/datasets?pageSize=1000`)));
  return found.flatMap(({ datasets: some = [] }) => some.map(({ name }) => name));
}

async function showStores(names) {
  const rows = await Promise.all(names.flatMap((dataset) => Object.entries(STORE_TYPES).map(async ([collection, type]) => {
    const stores = (await call(`/v1/${dataset}/${collection}?pageSize=1000`))[collection] ?? [];
    return Promise.all(stores.map(async ({ name }) => {
      if (type !== "DICOM") return [id(dataset), id(name), type, "", "", ""];
      const metrics = await call(`/v1/${name}:getDICOMStoreMetrics`);
      const button = element("button", { type: "button", onclick: () => attempt(() => showStudies(name)) }, "Show studies");
      const bytes = Number(metrics.blobStorageSizeBytes ?? 0) + Number(metrics.structuredStorageSizeBytes ?? 0);
      const counts = `${metrics.studyCount ?? 0} studies, ${metrics.instanceCount ?? 0} instances`;
      return [id(dataset), id(name), type, counts, size(bytes), button];
    }));
  })));
  fill($("stores"), ["Dataset", "Store", "Type", "Content", "Size", "Patient data"], rows.flat(), "No stores.");
}

async function showStudies(store) {
  const web = `/v1/${store}/dicomWeb`;
  const source = store.split("/").filter((_, index) => index % 2).join("~");
  const studies = await call(`${web}/studies?limit=${MAX_STUDIES}&includefield=StudyDescription`);
  const rows = await Promise.all(studies.map(async (study) => {
    const uid = value(study, "0020000D");
    const [first] = await call(`${web}/studies/${uid}/instances?limit=1`);
    const path = `series/${value(first, "0020000E")}/instances/${value(first, "00080018")}/rendered`;
    const picture = element("img", { src: `${web}/studies/${uid}/${path}`, alt: `First image of study ${uid}`, loading: "lazy" });
    const href = `/viewer/${source}?StudyInstanceUIDs=${uid}`;
    const date = value(study, "00080020");
    return [element("a", { href }, picture), value(study, "00100010").replace("^", ", "), value(study, "00100020"), date, value(study, "00081030")];
  }));
  $("studies-title").textContent = `Studies of ${id(store)} (the first ${MAX_STUDIES})`;
  fill($("studies"), ["Open in the viewer", "Patient", "Patient ID", "Date", "Description"], rows, "No studies.");
  $("studies-section").hidden = false;
  $("studies-section").scrollIntoView();
}

async function showOperations(names) {
  const found = await Promise.all(names.map((name) => call(`/v1/${name}/operations`)));
  const operations = found.flatMap(({ operations: some = [] }) => some)
    .sort((one, other) => (one.metadata.createTime < other.metadata.createTime ? 1 : -1));
  const rows = operations.slice(0, MAX_ROWS).map(({ name, done, error, metadata }) => {
    const counter = metadata.counter ?? {};
    const counts = Object.entries(counter).map(([what, count]) => `${what} ${count}`).join(", ");
    const state = error ? `failed: ${error.message}` : done ? "done" : "running";
    return [metadata.createTime, id(metadata.apiMethodName.replaceAll(".", "/")), name.split("/")[5], state, counts];
  });
  fill($("operations"), ["Start", "Method", "Dataset", "State", "Counters"], rows, "No operations.");
  return operations.some(({ done }) => !done);
}

async function showTables(project) {
  const root = `/bigquery/v2/projects/${project}/datasets`;
  const { datasets: some = [] } = await call(root);
  const listed = await Promise.all(some.map(({ datasetReference }) => call(`${root}/${datasetReference.datasetId}/tables`)));
  const references = listed.flatMap(({ tables = [] }) => tables.map(({ tableReference }) => tableReference));
  const rows = await Promise.all(references.map(async ({ datasetId, tableId }) => {
    const table = await call(`${root}/${datasetId}/tables/${tableId}`);
    return [datasetId, tableId, table.type, Number(table.numRows ?? 0), size(table.numBytes)];
  }));
  fill($("tables"), ["Dataset", "Table", "Type", "Rows", "Size"], rows, "No tables.");
}

async function showFailures(project) {
  const body = { resourceNames: [`projects/${project}`], filter: "severity>=ERROR", orderBy: "timestamp desc", pageSize: MAX_ROWS };
  const { entries = [] } = await call("/v2/entries:list", body);
  const rows = entries.map(({ timestamp, severity, logName, jsonPayload, protoPayload, textPayload }) => {
    const content = textPayload ?? JSON.stringify(jsonPayload ?? protoPayload ?? {});
    return [timestamp, severity, decodeURIComponent(id(logName)), content];
  });
  fill($("failures"), ["Time", "Severity", "Log", "Content"], rows, "No failures.");
}

async function query(project, sql) {
  const path = `/bigquery/v2/projects/${project}/queries`;
  const body = { query: sql, useLegacySql: false, maxResults: MAX_ROWS };
  if (!ONE_SELECT.test(sql)) throw new Error("The console runs one statement that begins with SELECT or WITH.");
  const { schema, rows = [], totalRows } = await call(path, body);
  const text = (field) => (field !== null && typeof field === "object" ? JSON.stringify(field) : field);
  fill($("rows"), schema.fields.map(({ name }) => name), rows.map(({ f }) => f.map(({ v }) => text(v))), "No rows.");
  $("query-status").textContent = `${totalRows} rows${Number(totalRows) > rows.length ? `, the first ${rows.length} shown` : ""}`;
}

// Runs an action, and shows its error instead of leaving an old page.
async function attempt(action) {
  $("error").hidden = true;
  try {
    return await action();
  } catch (error) {
    $("error").textContent = error.message;
    $("error").hidden = false;
  }
}

let shown = 0;

async function follow(names, number) {
  while (number === shown && await showOperations(names)) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
}

async function show(project) {
  const number = ++shown;
  $("studies-section").hidden = true;
  const names = await datasets(project);
  await Promise.all([showStores(names), follow(names, number), showFailures(project), showTables(project)]);
}

async function start() {
  const { projects = [] } = await call("/v1/projects");
  $("project").replaceChildren(...projects.map(({ projectId }) => element("option", {}, projectId)));
  if (projects.length) await show($("project").value);
}

$("project").addEventListener("change", () => attempt(() => show($("project").value)));
$("refresh").addEventListener("click", () => attempt(() => show($("project").value)));
$("query").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(() => query($("project").value, $("sql").value));
});
attempt(start);
