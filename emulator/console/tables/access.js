// Who can do what: the members of all policies of a project, with their roles and the resources.

import { call, list } from "../api.js";
import { element } from "../page.js";

export const NAME = "access";
export const TITLE = "Who can do what";

let filter, rows = [];

export function prepare(section) {
  filter = element("input", { id: "access-filter", type: "search", spellcheck: "false" });
  filter.addEventListener("input", () => fill(section));
  section.append(element("label", { for: filter.id }, "Show members, roles and resources that contain"), filter);
}

export async function show(section, { project, signal }) {
  const [policies, buckets, datasets] = await Promise.all([
    call(`/_emulator/projects/${project}/policies`, { signal }),
    bucketPolicies(project, signal),
    datasetPolicies(project, signal),
  ]);
  rows = [...policies.policies, ...buckets, ...datasets]
    .flatMap(({ resource, bindings = [] }) => bindings.flatMap(({ role, members, condition }) => members.map((member) =>
      [member, role, resource.replace(`projects/${project}/`, ""), condition?.expression ?? ""])))
    .sort((one, other) => (one.join(" ") < other.join(" ") ? -1 : 1));
  for (const row of rows) row.key = row.join(" ");
  fill(section);
}

function fill(section) {
  const wanted = filter.value.trim().toLowerCase();
  const found = rows.filter(({ key }) => key.toLowerCase().includes(wanted));
  section.fill(["Member", "Role", "Resource", "Condition"], found, rows.length ? "No line contains this." : "No policies.");
  section.status.textContent = wanted ? `${found.length} of ${rows.length} lines` : "";
}

async function bucketPolicies(project, signal) {
  const buckets = await list(`/storage/v1/b?project=${project}`, "items", signal);
  return Promise.all(buckets.map(async ({ name }) => {
    const { bindings } = await call(`/storage/v1/b/${name}/iam?optionsRequestedPolicyVersion=3`, { signal });
    return { resource: `buckets/${name}`, bindings };
  }));
}

// BigQuery's own form of a member -> the prefix that IAM writes.
const MEMBERS = { userByEmail: "user:", groupByEmail: "group:", domain: "domain:", specialGroup: "", iamMember: "" };

async function datasetPolicies(project, signal) {
  const root = `/bigquery/v2/projects/${project}/datasets`;
  const datasets = await list(root, "datasets", signal);
  return Promise.all(datasets.map(async ({ datasetReference }) => {
    const { access = [] } = await call(`${root}/${datasetReference.datasetId}`, { signal });
    const bindings = access.filter(({ role }) => role).map(({ role, condition, ...entry }) => {
      const [[type, member]] = Object.entries(entry).filter(([field]) => field in MEMBERS);
      return { role, members: [`${MEMBERS[type]}${member}`], condition };
    });
    return { resource: `BigQuery dataset ${datasetReference.datasetId}`, bindings };
  }));
}
