"""`python -m artreg` is the command line."""

import sys

from artreg.cli.main import main

sys.exit(main())
