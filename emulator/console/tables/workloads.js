// Containers that run on this machine with buttons that show the end of their log, and the addresses of their clients.

import { call, id } from "../api.js";
import { element } from "../page.js";
import * as workloadLog from "./workload-log.js";

export const NAME = "workloads";
export const TITLE = "Workloads";

// A container without a port listens at the address of its instance, if it has one of its own.
const LOOPBACK = /^127\.0\.0\.1$/;

export function prepare(section) {
  section.table();
  section.append(element("h3", { id: "addresses-title" }, "Addresses for clients"));
  section.table("addresses", "addresses-title");
}

export async function show(section, context) {
  const { project, signal } = context;
  const { containers } = await call(`/_emulator/projects/${project}/containers`, { signal });
  const rows = containers.map((container) => {
    const { name, image, address, port, phase, reason, restarts } = container;
    const short = name.replace(`projects/${project}/`, "");
    const button = section.button("Show log", `Show log of ${short}`, () => workloadLog.open(short, container, context));
    const where = port ? `${address}:${port}` : address.replace(LOOPBACK, "");
    const state = reason ? `${phase}: ${reason}` : phase;
    return Object.assign([short, image, where, state, restarts, button], { key: name });
  });
  section.fill(["Name", "Image", "Address", "State", "Restarts", "Log"], rows, "No workloads.");
  const names = containers.map(({ name }) => name);
  const addresses = await Promise.all([balancers(names, context), services(names, context)]);
  section.fill(["Name", "Type", "Address"], addresses.flat(), "No addresses.", section.table("addresses"));
}

async function balancers(names, { project, signal }) {
  // The API of a project without instances may not be enabled: it is not asked.
  if (!names.some((name) => name.includes("/instances/"))) return [];
  const { items } = await call(`/compute/v1/projects/${project}/aggregated/forwardingRules`, { signal });
  return Object.values(items).flatMap(({ forwardingRules = [] }) => forwardingRules).map((rule) => {
    const { name, IPAddress, ports = [rule.portRange ?? "all ports"], selfLink } = rule;
    return Object.assign([name, "Forwarding rule", `${IPAddress}:${ports.join(", ")}`], { key: selfLink });
  });
}

// Cloud Run lists the services of one location, so those of the containers are asked for by name.
function services(names, { signal }) {
  const found = names.flatMap((name) => name.match(/^.*\/services\/[^/]+/) ?? []);
  return Promise.all([...new Set(found)].map(async (name) => {
    const { uri } = await call(`/v2/${name}`, { signal });
    const link = uri ? element("a", { href: uri, rel: "noreferrer" }, uri) : "";
    return Object.assign([id(name), "Cloud Run service", link], { key: name });
  }));
}
