// Long-running operations of all datasets, followed as they run; one that runs can be cancelled.

import { call, datasets, id } from "../api.js";
import { element } from "../page.js";

export const NAME = "operations";
export const TITLE = "Operations";

const MAX_ROWS = 100;
const POLL_MILLISECONDS = 1000, IDLE_MILLISECONDS = 2000;

export async function show(section, context) {
  follow(section, context, await load(section, context));
}

async function load(section, context) {
  const { signal } = context;
  const names = await datasets(context);
  const found = await Promise.all(names.map((name) => call(`/v1/${name}/operations`, { signal })));
  const operations = found.flatMap(({ operations: some = [] }) => some)
    .sort((one, other) => (one.metadata.createTime < other.metadata.createTime ? 1 : -1))
    .slice(0, MAX_ROWS);
  const rows = operations.map((operation) => cellsOf(section, operation, context));
  section.fill(["Start", "Method", "Dataset", "State", "Counters", "Action"], rows, "No operations.");
  const running = operations.filter(({ done }) => !done).length;
  // Assistive technology reads the status when its text changes, so not with every counter.
  const status = running ? `${running} of ${operations.length} operations running` : "";
  if (section.status.textContent !== status) section.status.textContent = status;
  return running;
}

function cellsOf(section, { name, done, error, metadata }, context) {
  const method = id(metadata.apiMethodName.replaceAll(".", "/")), dataset = name.split("/")[5];
  const counter = metadata.counter ?? {};
  const counts = Object.entries(counter).map(([what, count]) => `${what} ${count}`).join(", ");
  const cells = [metadata.createTime, method, dataset, error ? `failed: ${error.message}` : "done", counts, ""];
  if (!done) {
    const what = `${method} of ${dataset}`;
    cells[3] = element("span", {}, metadata.cancelRequested ? "ends" : "running", progress(counter, what));
    if (!metadata.cancelRequested) cells[5] = section.button("Cancel", `Cancel ${what}`, () => cancel(section, name, context));
  }
  return Object.assign(cells, { key: name });
}

function progress({ success = 0, failure = 0, pending = 0 }, what) {
  const finished = Number(success) + Number(failure), total = finished + Number(pending);
  // Before anything is counted the bar has no value: it shows that the end is not known.
  const value = total ? { value: finished, max: total } : {};
  return element("progress", { "aria-label": `Progress of ${what}`, ...value });
}

async function cancel(section, name, context) {
  await call(`/v1/${name}:cancel`, { body: {} });
  await load(section, context);
}

async function follow(section, context, running) {
  while (!context.signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, running ? POLL_MILLISECONDS : IDLE_MILLISECONDS));
    if (context.signal.aborted || document.hidden) continue;
    const before = running;
    running = await section.attempt(() => load(section, context));
    if (running < before) context.changed();
  }
}
