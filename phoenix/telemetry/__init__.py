"""Telemetry: logs on standard error, spans and measures to OpenTelemetry.

Must never cost a command anything while it is off: OpenTelemetry is imported only if a variable asks for it.
"""
