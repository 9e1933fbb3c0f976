// Calls of the services. The page uses the APIs that every client uses, and `/_emulator/` where there is none.

const MAX_PAGES = 10;

/** An error that a service answers; `isDisabled` if its API is not enabled in the project. */
class ServiceError extends Error {
  constructor({ error, issue } = {}, summary) {
    // FHIR answers an OperationOutcome.
    super(error?.message ?? issue?.[0]?.diagnostics ?? summary);
    this.isDisabled = Boolean(error?.details?.some(({ reason }) => reason === "SERVICE_DISABLED"));
  }
}

/** Sends a request and returns the JSON of its response; throws the service's own message. */
export async function call(path, { body, signal, parse = JSON.parse } = {}) {
  const sent = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, { ...sent, signal });
  const content = response.status === 204 ? [] : parse(await response.text());
  if (!response.ok) throw new ServiceError(content, `${response.status} of ${path}`);
  return content;
}

/** Parses JSON and keeps numbers as they are written, where the browser can: a dose of 1.0 is not one of 1. */
export function parseExactly(text) {
  if (!JSON.rawJSON) return JSON.parse(text);
  return JSON.parse(text, (_, value, { source }) => (typeof value === "number" ? JSON.rawJSON(source) : value));
}

/** Returns the items of all pages of a list, of the first `MAX_PAGES` at most. */
export async function list(path, field, signal) {
  const items = [];
  const address = new URL(path, location.href);
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await call(address.pathname + address.search, { signal });
    items.push(...answer[field] ?? []);
    if (!answer.nextPageToken) break;
    address.searchParams.set("pageToken", answer.nextPageToken);
  }
  return items;
}

/** Returns the names of the Healthcare datasets of a project: the API lists those of one location. */
export async function datasets({ project, signal }) {
  return (await call(`/_emulator/projects/${project}/datasets`, { signal })).datasets;
}

/** Returns the last part of a resource name. */
export const id = (name) => name.slice(name.lastIndexOf("/") + 1);

export function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

export function toBase64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
