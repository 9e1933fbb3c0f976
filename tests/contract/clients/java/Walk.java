import com.google.api.client.googleapis.json.GoogleJsonResponseException;
import com.google.api.client.http.FileContent;
import com.google.api.client.http.GenericUrl;
import com.google.api.client.http.HttpResponse;
import com.google.api.client.http.javanet.NetHttpTransport;
import com.google.api.client.json.GenericJson;
import com.google.api.client.json.gson.GsonFactory;
import com.google.api.client.util.IOUtils;
import com.google.api.services.healthcare.v1.CloudHealthcare;
import com.google.api.services.healthcare.v1.model.*;
import com.google.auth.http.HttpCredentialsAdapter;
import com.google.auth.oauth2.GoogleCredentials;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An imaging pipeline by Google's Java client, from the dataset to its deletion.
 *
 * <p>Arguments: a project, the bucket with what is imported, a table, and a DICOM file to store.
 * Prints what it saw, as JSON.
 */
public final class Walk {
  private static CloudHealthcare.Projects.Locations.Datasets datasets;

  /** Here the test puts the lines of docs/emulator-in-tests.md. */
  private static CloudHealthcare client() throws IOException {
    // LINES OF THE PAGE
    return healthcare;
  }

  private static Operation finished(Operation started) throws Exception {
    while (true) {
      Operation found = datasets.operations().get(started.getName()).execute();
      if (Boolean.TRUE.equals(found.getDone())) {
        return found;
      }
      Thread.sleep(100);
    }
  }

  @SuppressWarnings("unchecked")
  private static String value(Map<String, Object> instance, String tag) {
    return ((Map<String, List<String>>) instance.get(tag)).get("Value").get(0);
  }

  private static Map<String, String> read(String store, Map<String, Object> found)
      throws IOException {
    String instance = value(found, "00080018");
    String path =
        String.format(
            "studies/%s/series/%s/instances/%s",
            value(found, "0020000D"), value(found, "0020000E"), instance);
    var request =
        datasets.dicomStores().studies().series().instances().retrieveInstance(store, path);
    request.getRequestHeaders().setAccept("application/dicom; transfer-syntax=*");
    var content = new ByteArrayOutputStream();
    IOUtils.copy(request.executeUnparsed().getContent(), content);
    return Map.of(
        "instance", instance, "base64", Base64.getEncoder().encodeToString(content.toByteArray()));
  }

  private static Map<String, Object> absent(String name) throws IOException {
    try {
      datasets.get(name).execute();
    } catch (GoogleJsonResponseException error) {
      return Map.of("code", error.getStatusCode(), "message", error.getDetails().getMessage());
    }
    throw new IllegalStateException(name + " is there");
  }

  public static void main(String[] arguments) throws Exception {
    String project = arguments[0], bucket = arguments[1], table = arguments[2];
    CloudHealthcare client = client();
    datasets = client.projects().locations().datasets();
    var stores = datasets.dicomStores();
    String location = "projects/" + project + "/locations/us-central1";
    String dataset = location + "/datasets/java", store = dataset + "/dicomStores/images";
    Map<String, Object> saw = new LinkedHashMap<>();

    finished(datasets.create(location, new Dataset()).setDatasetId("java").execute());
    Dataset zone = new Dataset().setTimeZone("Europe/Zurich");
    saw.put("patched", datasets.patch(dataset, zone).setUpdateMask("timeZone").execute());
    DicomStore images = new DicomStore().setLabels(Map.of("team", "imaging"));
    stores.create(dataset, images).setDicomStoreId("images").execute();

    var source = new GoogleCloudHealthcareV1DicomGcsSource().setUri("gs://" + bucket + "/in/*.dcm");
    var from = new ImportDicomDataRequest().setGcsSource(source);
    saw.put("import", finished(stores.healthcareImport(store, from).execute()));
    var url = new GenericUrl(client.getBaseUrl() + "v1/" + store + "/dicomWeb/studies");
    var file = new FileContent("application/dicom", new File(arguments[3]));
    client.getRequestFactory().buildPostRequest(url, file).execute().disconnect();

    HttpResponse search = stores.searchForInstances(store, "instances").executeUnparsed();
    List<GenericJson> found = new ArrayList<>();
    GsonFactory.getDefaultInstance()
        .createJsonParser(search.getContent())
        .parseArray(found, GenericJson.class);
    saw.put("found", found);
    List<Map<String, String>> read = new ArrayList<>();
    for (GenericJson one : found) {
      read.add(read(store, one));
    }
    saw.put("read", read);
    saw.put("metrics", stores.getDICOMStoreMetrics(store).execute());

    var target = new GoogleCloudHealthcareV1DicomBigQueryDestination().setTableUri(table);
    var to = new ExportDicomDataRequest().setBigqueryDestination(target);
    saw.put("export", finished(stores.export(store, to).execute()));
    stores.delete(store).execute();
    datasets.delete(dataset).execute();
    saw.put("gone", absent(dataset));
    System.out.println(GsonFactory.getDefaultInstance().toString(saw));
  }
}
