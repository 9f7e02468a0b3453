"""Policies: what the owner of a group wants, read from YAML, checked, and turned into what the core understands.

Nothing here may ask AWS: `policy validate` works on a train. Importing this must stay fast, and free of boto3.
"""
