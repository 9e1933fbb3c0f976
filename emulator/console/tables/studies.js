// The studies of a DICOM store, with pictures that open in the viewer.

import { call, id } from "../api.js";
import { element } from "../page.js";

export const NAME = "studies";
export const TITLE = "Studies";
export const WHAT = "studies";

const MAX_STUDIES = 20;

let section;

export function prepare(created) {
  section = created;
  section.append(element("p", {}, "The viewer is not for diagnosis."));
}

const value = (item, tag) => {
  const first = item[tag]?.Value?.[0];
  return first?.Alphabetic ?? first ?? "";
};

export async function open(store, { signal }) {
  const web = `/v1/${store}/dicomWeb`;
  // The viewer's name of the store: `viewer/address.py`.
  const source = store.split("/").filter((_, index) => index % 2).join("~");
  const studies = await call(`${web}/studies?limit=${MAX_STUDIES}&includefield=StudyDescription`, { signal });
  const rows = await Promise.all(studies.map(async (study) => {
    const uid = value(study, "0020000D");
    const [first] = await call(`${web}/studies/${uid}/instances?limit=1`, { signal });
    const path = `series/${value(first, "0020000E")}/instances/${value(first, "00080018")}/rendered`;
    const alt = `First image of study ${uid}`;
    const picture = element("img", { src: `${web}/studies/${uid}/${path}`, alt, loading: "lazy" });
    const link = element("a", { href: `/viewer/${source}?StudyInstanceUIDs=${uid}` }, picture);
    const patient = value(study, "00100010").replace("^", ", ");
    const cells = [link, patient, value(study, "00100020"), value(study, "00080020"), value(study, "00081030")];
    return Object.assign(cells, { key: uid });
  }));
  section.fill(["Open in the viewer", "Patient", "Patient ID", "Date", "Description"], rows, "No studies.");
  section.open(`Studies of ${id(store)} (the first ${MAX_STUDIES})`);
}
