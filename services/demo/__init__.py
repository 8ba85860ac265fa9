"""The demo: the main job from end to end, on a real Kafka, told on the screen."""
