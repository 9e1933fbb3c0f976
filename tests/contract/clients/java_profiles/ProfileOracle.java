import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import ca.uhn.fhir.validation.ValidationOptions;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;

/**
 * Validates each line of the standard input, a profile's URL, a tab and a resource, by the
 * definitions in a folder. Answers a line for each: its errors, tab-separated.
 */
public class ProfileOracle {
  public static void main(String[] arguments) throws Exception {
    FhirContext context = FhirContext.forR4();
    PrePopulatedValidationSupport guide = new PrePopulatedValidationSupport(context);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(
        Path.of(arguments[0]), "{StructureDefinition,ValueSet,CodeSystem}-*.json")) {
      for (Path file : files) {
        IBaseResource found = context.newJsonParser().parseResource(Files.readString(file));
        guide.addResource(found);
      }
    }
    ValidationSupportChain chain = new ValidationSupportChain(
        guide,
        new DefaultProfileValidationSupport(context),
        new SnapshotGeneratingValidationSupport(context),
        new InMemoryTerminologyServerValidationSupport(context),
        new CommonCodeSystemsTerminologyService(context));
    FhirInstanceValidator instances = new FhirInstanceValidator(chain);
    instances.setAnyExtensionsAllowed(true);
    instances.setErrorForUnknownProfiles(false);
    FhirValidator validator = context.newValidator().registerValidatorModule(instances);
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String[] parts = line.split("\t", 2);
      ValidationOptions options = new ValidationOptions().addProfile(parts[0]);
      StringBuilder errors = new StringBuilder();
      for (SingleValidationMessage one : validator.validateWithResult(parts[1], options).getMessages()) {
        if (one.getSeverity().compareTo(ResultSeverityEnum.ERROR) >= 0) {
          String text = one.getLocationString() + " " + one.getMessage();
          errors.append(text.replaceAll("[\\t\\n\\r]", " ")).append("\t");
        }
      }
      System.out.println("=" + errors);
    }
  }
}
