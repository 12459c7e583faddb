"""Dashboards for Grafana: generated from typed code, provisioned as files, pushed as a second way."""
from warnings import filterwarnings

# The SDK prefers v2 dashboards; Grafana 13's file provisioning and POST /dashboards/db take v1 only (grafana.md 2.1, 2.5).
filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
