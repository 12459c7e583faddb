"""The relay of foreign topics, in parts: fetching record batches, cutting them into messages, reading messages into columns."""
