// The page: a project, and a section for each module of `tables/`.

import { list } from "./api.js";
import { Section, element } from "./page.js";
import * as access from "./tables/access.js";
import * as bigquery from "./tables/bigquery.js";
import * as failures from "./tables/failures.js";
import * as messages from "./tables/messages.js";
import * as operations from "./tables/operations.js";
import * as resources from "./tables/resources.js";
import * as stores from "./tables/stores.js";
import * as studies from "./tables/studies.js";
import * as topicMessages from "./tables/topic-messages.js";
import * as topics from "./tables/topics.js";
import * as workloadLog from "./tables/workload-log.js";
import * as workloads from "./tables/workloads.js";

// Each has a NAME, a TITLE and `show(section, context)`; `prepare(section)` adds what is there before any data.
// `CHANGES` marks those that are shown again when an operation has ended.
// A module with `open` instead of `show` is hidden until a person asks for its content: it shows patient data.
const MODULES = [
  stores, studies, messages, resources, operations, topics, topicMessages, workloads, workloadLog,
  bigquery, access, failures,
];

const sections = new Map(MODULES.map((module) => [module, new Section(module.NAME, module.TITLE)]));
const main = document.getElementById("main");
const projects = document.getElementById("project");
let shown = new AbortController(), project;

function showEach(modules, context) {
  return Promise.all(modules.map((module) => {
    const section = sections.get(module);
    return section.attempt(() => module.show(section, context));
  }));
}

/** Shows a project in all sections; what the page still waits for is cancelled. */
async function show() {
  shown.abort();
  shown = new AbortController();
  const context = { project: projects.value, signal: shown.signal };
  context.changed = () => showEach(MODULES.filter(({ CHANGES }) => CHANGES), context);
  history.replaceState(null, "", `?project=${encodeURIComponent(context.project)}${location.hash}`);
  main.setAttribute("aria-busy", "true");
  for (const [module, section] of sections) {
    section.root.hidden = !module.show;
    if (project !== context.project) section.clear();
  }
  project = context.project;
  await showEach(MODULES.filter((module) => module.show), context);
  if (context.signal.aborted) return;
  main.removeAttribute("aria-busy");
  performance.mark("shown"); // read by `benchmarks/console.py`
}

async function start() {
  for (const [module, section] of sections) {
    section.root.hidden = !module.show;
    module.prepare?.(section);
    main.append(section.root);
    const link = element("a", { href: `#${section.root.id}` }, module.TITLE);
    if (module.show) document.getElementById("sections").append(element("li", {}, link));
  }
  const found = await list("/v1/projects", "projects");
  projects.replaceChildren(...found.map(({ projectId }) => element("option", {}, projectId)));
  const asked = new URLSearchParams(location.search).get("project");
  if (found.some(({ projectId }) => projectId === asked)) projects.value = asked;
  if (found.length) await show();
}

projects.addEventListener("change", show);
document.getElementById("refresh").addEventListener("click", show);
start().catch((error) => {
  document.getElementById("error").textContent = error.message;
  document.getElementById("error").hidden = false;
});
