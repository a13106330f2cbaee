"""``python -m livevae.player``: the player process."""

from livevae.player.process import main

main()
