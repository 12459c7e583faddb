"""Dashboards for Grafana: generated from typed code, provisioned as files, pushed as a second way."""
