"""Moves: feeds, Kafka, Faust, SQL, the desk. What is decided is decided in `detectors`."""
