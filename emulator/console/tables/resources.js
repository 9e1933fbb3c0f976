// The resources of a FHIR store by type; the content of one is fetched when a person opens it.

import { call, id, parseExactly } from "../api.js";
import { element } from "../page.js";

export const NAME = "resources";
export const TITLE = "FHIR resources";
export const WHAT = "resources";

const MAX_RESOURCES = 50;

let section, types, reader, current;

export function prepare(created) {
  section = created;
  types = element("select", { id: "resource-type" });
  types.addEventListener("change", () => section.attempt(load));
  section.append(element("label", {}, "Type ", types));
  section.table();
  reader = section.reader("resource");
}

export async function open(store, { signal }) {
  current = { store, signal };
  const { metrics = [] } = await call(`/v1/${store}:getFHIRStoreMetrics`, { signal });
  types.replaceChildren(...metrics.map(({ resourceType, count }) =>
    element("option", { value: resourceType }, `${resourceType} (${Number(count ?? 0).toLocaleString("en")})`)));
  await load();
  section.open(`FHIR resources of ${id(store)} (the last ${MAX_RESOURCES} of a type)`);
}

async function load() {
  reader.hide();
  const { store, signal } = current, type = types.value;
  const query = new URLSearchParams({ _elements: "id", _sort: "-_lastUpdated", _count: MAX_RESOURCES });
  const { entry = [] } = type ? await call(`/v1/${store}/fhir/${type}?${query}`, { signal }) : {};
  const rows = entry.map(({ resource }) => {
    const button = section.button("Open", `Open ${type} ${resource.id}`, () => read(`${type}/${resource.id}`));
    return Object.assign([resource.id, resource.meta?.lastUpdated, resource.meta?.versionId, button], { key: resource.id });
  });
  section.fill(["Id", "Last updated", "Version", "Patient data"], rows, "No resources.");
}

async function read(name) {
  const { store, signal } = current;
  const resource = await call(`/v1/${store}/fhir/${name}`, { signal, parse: parseExactly });
  reader.show(name, JSON.stringify(resource, null, 2));
}
