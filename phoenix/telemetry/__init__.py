"""What phoenix tells machines about itself: logs on standard error, spans and measures to OpenTelemetry.

Must never cost a command anything while nobody listens: OpenTelemetry is imported only when a variable asks for it.
"""
