"""``python -m livevae.decoder``: the decoder process."""

from livevae.decoder.process import main

main()
