// Datasets and stores, with counts, sizes and buttons that show what a store holds.

import { call, datasets, id, list } from "../api.js";
import { size } from "../page.js";
import * as messages from "./messages.js";
import * as resources from "./resources.js";
import * as studies from "./studies.js";

export const NAME = "stores";
export const TITLE = "Datasets and stores";
export const CHANGES = true;

// `metrics`: the method that counts; `count`: the text of its answer; `content`: shows what a store holds.
const TYPES = {
  dicomStores: {
    name: "DICOM",
    metrics: "getDICOMStoreMetrics",
    count: ({ studyCount = 0, instanceCount = 0 }) => `${studyCount} studies, ${instanceCount} instances`,
    content: studies,
  },
  hl7V2Stores: {
    name: "HL7v2",
    metrics: "getHL7v2StoreMetrics",
    count: ({ metrics = [] }) => `${sum(metrics, "count")} messages`,
    content: messages,
  },
  fhirStores: {
    name: "FHIR",
    metrics: "getFHIRStoreMetrics",
    count: ({ metrics = [] }) => `${sum(metrics, "count")} resources`,
    content: resources,
  },
  consentStores: { name: "Consent" },
};

const sum = (items, field) => items.reduce((total, item) => total + Number(item[field] ?? 0), 0);

function bytes({ metrics, blobStorageSizeBytes = 0, structuredStorageSizeBytes = 0 }) {
  if (metrics) return sum(metrics, "structuredStorageSizeBytes");
  return Number(blobStorageSizeBytes) + Number(structuredStorageSizeBytes);
}

export async function show(section, context) {
  const { signal } = context;
  const names = await datasets(context);
  const collections = names.flatMap((dataset) => Object.keys(TYPES).map((type) => ({ dataset, type })));
  const found = await Promise.all(collections.map(async ({ dataset, type }) =>
    (await list(`/v1/${dataset}/${type}?pageSize=1000`, type, signal)).map((store) => ({ dataset, type, ...store }))));
  let total = 0;
  const rows = await Promise.all(found.flat().map(async ({ dataset, type, name }) => {
    const { name: label, metrics, count, content } = TYPES[type];
    const counted = metrics && await call(`/v1/${name}:${metrics}`, { signal });
    const cells = [id(dataset), id(name), label, ...counted ? [count(counted), size(bytes(counted))] : ["", ""]];
    total += counted ? bytes(counted) : 0;
    cells.push(content ? button(section, content, name, context) : "");
    return Object.assign(cells, { key: name });
  }));
  const empty = names.length ? `${names.length} datasets without stores.` : "No datasets.";
  section.status.textContent = `${names.length} datasets, ${rows.length} stores, ${size(total)}`;
  section.fill(["Dataset", "Store", "Type", "Content", "Size", "Patient data"], rows, empty);
}

function button(section, content, store, context) {
  const what = `Show ${content.WHAT}`;
  return section.button(what, `${what} of ${id(store)}`, () => content.open(store, context));
}
