// Publishes to a topic and receives by streaming pull, with Google's Go client as it comes:
// PUBSUB_EMULATOR_HOST points it at the emulator.
//
// Arguments: a project, and the texts of messages. Prints what it received, as JSON.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"sync"
	"time"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/api/iterator"
)

type message struct {
	Text     string `json:"text"`
	Language string `json:"language"`
}

func main() {
	project, texts := os.Args[1], os.Args[2:]
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := pubsub.NewClient(ctx, project)
	check(err)
	defer client.Close()
	topic := "projects/" + project + "/topics/go-events"
	_, err = client.TopicAdminClient.CreateTopic(ctx, &pubsubpb.Topic{Name: topic})
	check(err)
	subscription := "projects/" + project + "/subscriptions/go-watch"
	_, err = client.SubscriptionAdminClient.CreateSubscription(ctx, &pubsubpb.Subscription{
		Name: subscription, Topic: topic, AckDeadlineSeconds: 10,
	})
	check(err)

	publisher := client.Publisher(topic)
	for _, text := range texts {
		_, err := publisher.Publish(ctx, &pubsub.Message{
			Data: []byte(text), Attributes: map[string]string{"language": "go"},
		}).Get(ctx)
		check(err)
	}
	publisher.Stop()

	encoded, err := json.Marshal(map[string]any{
		"received": receive(ctx, client.Subscriber(subscription), len(texts)),
		"topics":   topics(ctx, client, project),
	})
	check(err)
	_, err = os.Stdout.Write(encoded)
	check(err)
}

func receive(ctx context.Context, subscriber *pubsub.Subscriber, count int) []message {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	var lock sync.Mutex
	var received []message
	check(subscriber.Receive(inner, func(_ context.Context, each *pubsub.Message) {
		each.Ack()
		lock.Lock()
		defer lock.Unlock()
		received = append(received, message{string(each.Data), each.Attributes["language"]})
		if len(received) == count {
			cancel()
		}
	}))
	return received
}

func topics(ctx context.Context, client *pubsub.Client, project string) []string {
	var names []string
	listed := client.TopicAdminClient.ListTopics(ctx, &pubsubpb.ListTopicsRequest{
		Project: "projects/" + project,
	})
	for {
		topic, err := listed.Next()
		if err == iterator.Done {
			return names
		}
		check(err)
		names = append(names, topic.Name)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
