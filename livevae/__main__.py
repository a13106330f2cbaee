"""``python -m livevae``: the command line."""

from livevae.cli import main

main()
