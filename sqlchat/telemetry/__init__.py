"""Shows an operator the service at work: counts for Prometheus, and spans for OpenTelemetry.

`metrics` is the one file that imports `prometheus_client`, `spans` the one that imports `opentelemetry`, if it is
installed; `folder` holds the files that all web processes count in. Imports nothing of ours.
"""
