"""What a person or a script sees: screens, live progress, JSON documents.

Views render model values and ask nobody: no AWS, no store, no clock. Every name that comes from outside is escaped.
"""
