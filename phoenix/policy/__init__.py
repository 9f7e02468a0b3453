"""Policies: the owner's wishes for a group, read from YAML, checked, and translated for the core.

Must never ask AWS: `policy validate` works on a train. Must stay fast to import, and free of boto3.
"""
