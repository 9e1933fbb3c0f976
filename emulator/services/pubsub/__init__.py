"""Pub/Sub: topics, subscriptions, messages, push."""
