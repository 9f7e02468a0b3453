"""Make decisions happen: observe, decide, record, act; and the commands that start, drive and turn a rotation.

Everything here talks to the outside through ports only, and never decides what AWS should look like: core does.
"""
