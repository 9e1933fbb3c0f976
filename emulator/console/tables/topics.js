// The topics of Pub/Sub, with buttons that show their last messages.

import { id, list } from "../api.js";
import * as topicMessages from "./topic-messages.js";

export const NAME = "topics";
export const TITLE = "Topics";

export async function show(section, context) {
  const { project, signal } = context;
  const [topics, subscriptions] = await Promise.all(["topics", "subscriptions"].map((collection) =>
    list(`/v1/projects/${project}/${collection}?pageSize=1000`, collection, signal)));
  const rows = topics.map(({ name }) => {
    const names = subscriptions.filter(({ topic }) => topic === name).map((each) => id(each.name));
    const button = section.button("Show messages", `Show messages of ${id(name)}`, () => topicMessages.open(name, context));
    return Object.assign([id(name), names.join(", "), button], { key: name });
  });
  section.fill(["Topic", "Subscriptions", "Messages"], rows, "No topics.");
}
