"""The desk over HTTP: pages, deeds, JSON, the stream. GET never changes anything."""
