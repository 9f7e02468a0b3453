"""phoenix rotates the instances of AWS Auto Scaling groups to a new image, and back again in seconds.

Must stay free of imports: every command, `--help` included, pays for what is loaded here.
"""

__version__ = "0.1.0"
