"""Traces and metrics for a collector that speaks OTLP; an extra."""
