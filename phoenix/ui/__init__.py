"""Pages in a browser, live: one board that watches the store for all viewers, and a small server in front of it.

Must never change anything: it takes no lease, writes no record, and answers GET only.
"""
