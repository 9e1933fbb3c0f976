// Containers that run on this machine, with buttons that show the end of their log.

import { call } from "../api.js";
import * as workloadLog from "./workload-log.js";

export const NAME = "workloads";
export const TITLE = "Workloads";

// A container without a port listens at the address of its instance, if it has one of its own.
const LOOPBACK = /^127\.0\.0\.1$/;

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
}
