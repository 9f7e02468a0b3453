"""Pages for a browser: the report of a rotation, the picture of its time, and the pages that `phoenix ui` serves.

Values in, text out: must never ask AWS, a store or a clock. Every value is escaped by the templates; no page asks
another host for anything, and no text in a template comes from outside.
"""
