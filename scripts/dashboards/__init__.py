"""Grafana dashboards as code: what each panel asks and shows, written as JSON for Grafana."""
