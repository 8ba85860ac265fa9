"""The demo: the main job from end to end, on a real Kafka, shown on the screen."""
