"""`python -m infra.cli`, where the script is not installed."""

from infra.cli import main

main()
