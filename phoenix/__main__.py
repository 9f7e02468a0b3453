"""`python -m phoenix`: the command line, for places where scripts are not on the path.

Must hold nothing of its own, so that both ways in behave alike.
"""

import sys

from phoenix.cli import main

if __name__ == "__main__":
    sys.exit(main())
