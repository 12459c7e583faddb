"""The desk: alerts, ladders, deliveries, answers, audit, and the pages where people do all that."""
