import com.google.api.gax.core.NoCredentialsProvider;
import com.google.api.gax.grpc.GrpcTransportChannel;
import com.google.api.gax.rpc.FixedTransportChannelProvider;
import com.google.api.gax.rpc.TransportChannelProvider;
import com.google.cloud.pubsub.v1.Publisher;
import com.google.cloud.pubsub.v1.Subscriber;
import com.google.cloud.pubsub.v1.SubscriptionAdminClient;
import com.google.cloud.pubsub.v1.SubscriptionAdminSettings;
import com.google.cloud.pubsub.v1.TopicAdminClient;
import com.google.cloud.pubsub.v1.TopicAdminSettings;
import com.google.gson.Gson;
import com.google.protobuf.ByteString;
import com.google.pubsub.v1.PubsubMessage;
import com.google.pubsub.v1.PushConfig;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Publishes to a topic and receives by streaming pull, with Google's Java client.
 *
 * <p>The Java client does not read PUBSUB_EMULATOR_HOST itself: its channel is made from it here.
 * Arguments: a project, and the texts of messages. Prints what it received, as JSON.
 */
public class Messages {
  public static void main(String[] arguments) throws Exception {
    String project = "projects/" + arguments[0];
    List<String> texts = List.of(arguments).subList(1, arguments.length);
    ManagedChannel channel =
        ManagedChannelBuilder.forTarget(System.getenv("PUBSUB_EMULATOR_HOST")).usePlaintext().build();
    TransportChannelProvider provider =
        FixedTransportChannelProvider.create(GrpcTransportChannel.create(channel));
    NoCredentialsProvider none = NoCredentialsProvider.create();
    String topic = project + "/topics/java-events";
    String subscription = project + "/subscriptions/java-watch";

    List<String> topics = new ArrayList<>();
    try (TopicAdminClient client =
        TopicAdminClient.create(
            TopicAdminSettings.newBuilder()
                .setTransportChannelProvider(provider)
                .setCredentialsProvider(none)
                .build())) {
      client.createTopic(topic);
      client.listTopics(project).iterateAll().forEach(each -> topics.add(each.getName()));
    }
    try (SubscriptionAdminClient client =
        SubscriptionAdminClient.create(
            SubscriptionAdminSettings.newBuilder()
                .setTransportChannelProvider(provider)
                .setCredentialsProvider(none)
                .build())) {
      client.createSubscription(subscription, topic, PushConfig.getDefaultInstance(), 10);
    }

    LinkedBlockingQueue<Map<String, String>> messages = new LinkedBlockingQueue<>();
    Subscriber subscriber =
        Subscriber.newBuilder(
                subscription,
                (PubsubMessage message, com.google.cloud.pubsub.v1.AckReplyConsumer consumer) -> {
                  String language = message.getAttributesOrThrow("language");
                  messages.add(
                      Map.of("text", message.getData().toStringUtf8(), "language", language));
                  consumer.ack();
                })
            .setChannelProvider(provider)
            .setCredentialsProvider(none)
            .build();
    subscriber.startAsync().awaitRunning();
    Publisher publisher =
        Publisher.newBuilder(topic)
            .setChannelProvider(provider)
            .setCredentialsProvider(none)
            .build();
    for (String text : texts) {
      publisher
          .publish(
              PubsubMessage.newBuilder()
                  .setData(ByteString.copyFromUtf8(text))
                  .putAttributes("language", "java")
                  .build())
          .get();
    }
    List<Map<String, String>> received = new ArrayList<>();
    while (received.size() < texts.size()) {
      Map<String, String> message = messages.poll(60, TimeUnit.SECONDS);
      if (message == null) {
        throw new IllegalStateException("no more than " + received.size() + " messages in 60 s");
      }
      received.add(message);
    }
    subscriber.stopAsync().awaitTerminated();
    publisher.shutdown();
    channel.shutdownNow();
    System.out.println(new Gson().toJson(Map.of("received", received, "topics", topics)));
  }
}
