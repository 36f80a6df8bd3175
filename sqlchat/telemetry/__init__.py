"""Shows an operator the service at work: counts for Prometheus, and spans for OpenTelemetry.

Only `metrics` imports `prometheus_client`, and only `spans` imports `opentelemetry`, if it is installed. `folder`
makes the folder of the files in which all web processes count. Imports nothing of ours.
"""
