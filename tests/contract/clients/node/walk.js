// An imaging pipeline by Google's Node clients, from the first bucket to the last deletion.
//
// What points the clients at the emulator is not here: the test puts the lines of
// docs/emulator-in-tests.md before it, which make `api`, `bigquery` and `storage`.
// Arguments: a project, and DICOM files. Prints what it saw, as JSON.
const fs = require("node:fs/promises");
const path = require("node:path");

const [project, stored, ...imported] = process.argv.slice(2);
const location = `projects/${project}/locations/us-central1`;
const dataset = `${location}/datasets/node`;
const store = `${dataset}/dicomStores/images`;
const { datasets } = api.projects.locations;
const { dicomStores, operations } = datasets;
const instances = dicomStores.studies.series.instances;

async function finished(started) {
  for (;;) {
    const { data } = await operations.get({ name: started.data.name });
    if (data.done) return data;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function upload(bucket) {
  await storage.createBucket(bucket, { location: "US-CENTRAL1" });
  for (const file of imported) {
    await storage.bucket(bucket).upload(file, { destination: `in/${path.basename(file)}` });
  }
  const [listed] = await storage.bucket(bucket).getFiles({ prefix: "in/" });
  return listed.map((file) => file.name);
}

async function read(found) {
  const value = (tag) => found[tag].Value[0];
  const [study, series, instance] = ["0020000D", "0020000E", "00080018"].map(value);
  const dicomWebPath = `studies/${study}/series/${series}/instances/${instance}`;
  const { data } = await instances.retrieveInstance(
    { parent: store, dicomWebPath },
    {
      responseType: "arraybuffer",
      headers: { Accept: "application/dicom; transfer-syntax=*" },
    },
  );
  return { instance, base64: Buffer.from(data).toString("base64") };
}

async function rows(table) {
  const [found] = await bigquery.query(
    `SELECT PatientID, SOPInstanceUID FROM \`${project}.node.${table}\` ORDER BY PatientID`,
  );
  return found;
}

async function absent(name) {
  try {
    await datasets.get({ name });
  } catch (error) {
    return { code: error.code, message: error.message };
  }
  return "it is there";
}

async function main() {
  const bucket = `${project}-node`;
  const saw = { uploaded: await upload(bucket) };
  await finished(await datasets.create({ parent: location, datasetId: "node", requestBody: {} }));
  const labels = { team: "imaging" };
  await dicomStores.create({ parent: dataset, dicomStoreId: "images", requestBody: { labels } });
  const timeZone = "Europe/Zurich";
  saw.patched = (
    await datasets.patch({ name: dataset, updateMask: "timeZone", requestBody: { timeZone } })
  ).data;
  const gcsSource = { uri: `gs://${bucket}/in/*.dcm` };
  saw.import = await finished(await dicomStores.import({ name: store, requestBody: { gcsSource } }));
  await dicomStores.storeInstances(
    { parent: store, dicomWebPath: "studies", requestBody: await fs.readFile(stored) },
    { headers: { "Content-Type": "application/dicom" } },
  );
  const search = { parent: store, dicomWebPath: "instances" };
  saw.found = (await dicomStores.searchForInstances(search, { responseType: "json" })).data;
  saw.read = await Promise.all(saw.found.map(read));
  saw.metrics = (await dicomStores.getDICOMStoreMetrics({ name: store })).data;

  await bigquery.createDataset("node", { location: "us-central1" });
  const bigqueryDestination = { tableUri: `bq://${project}.node.images` };
  saw.export = await finished(
    await dicomStores.export({ name: store, requestBody: { bigqueryDestination } }),
  );
  saw.rows = await rows("images");

  await dicomStores.delete({ name: store });
  await datasets.delete({ name: dataset });
  saw.gone = await absent(dataset);
  await storage.bucket(bucket).deleteFiles();
  await storage.bucket(bucket).delete();
  saw.buckets = (await storage.getBuckets({ project }))[0].map((one) => one.name);
  console.log(JSON.stringify(saw));
}

main();
