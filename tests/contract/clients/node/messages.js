// Publishes to a topic and receives by streaming pull, with Google's Node client as it comes:
// PUBSUB_EMULATOR_HOST points it at the emulator.
// Arguments: a project, and the texts of messages. Prints what it received, as JSON.
const { PubSub } = require("@google-cloud/pubsub");

const [project, ...texts] = process.argv.slice(2);

async function main() {
  const pubsub = new PubSub({ projectId: project });
  const [topic] = await pubsub.createTopic("node-events");
  const [subscription] = await topic.createSubscription("node-watch", {
    flowControl: { maxMessages: 1 },
  });
  const received = [];
  const all = new Promise((resolve, reject) => {
    subscription.on("error", reject);
    subscription.on("message", (message) => {
      received.push({ text: message.data.toString(), language: message.attributes.language });
      message.ack();
      if (received.length === texts.length) resolve();
    });
  });
  for (const text of texts) {
    await topic.publishMessage({ data: Buffer.from(text), attributes: { language: "js" } });
  }
  await all;
  await subscription.close();
  const [topics] = await pubsub.getTopics();
  console.log(JSON.stringify({ received, topics: topics.map((each) => each.name) }));
  await pubsub.close();
}

main();
