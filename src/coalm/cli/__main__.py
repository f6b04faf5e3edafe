"""`python -m coalm.cli`: the command `coalm`, for launchers that start modules."""

from coalm.cli import main

main()
