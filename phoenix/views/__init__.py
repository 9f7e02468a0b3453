"""Screens, live progress and JSON documents, for people and scripts.

Must never ask AWS, a store or a clock: views render model values. Must never print a name from outside unescaped.
"""
