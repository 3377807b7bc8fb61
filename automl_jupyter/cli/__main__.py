"""Run the command line as ``python -m automl_jupyter.cli``."""

import sys

from automl_jupyter.cli import main

sys.exit(main())
