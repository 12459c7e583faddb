"""How readings come in: a transport brings bytes, a decoder says what they mean, blocks carry them to Kafka."""
