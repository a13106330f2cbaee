"""The reference that has no model of the clock."""

from livevae.bench.plain_follower import PlainFollower


class Out:
    """Collects what is sent."""

    def __init__(self) -> None:
        self.sent: list[list[int]] = []

    def send_message(self, message: list[int]) -> None:
        self.sent.append(message)


def test_a_note_leaves_with_every_sixth_tick_from_start_on() -> None:
    out = Out()
    follower = PlainFollower(out, 76)
    when = []
    for message in [0xF8] * 3 + [0xFA] + [0xF8] * 13:
        before = len(out.sent)
        follower.receive(([message], 0.0))
        when.append(len(out.sent) - before)
    assert when == [1, 0, 0, 0] + [1, 0, 0, 0, 0, 0] * 2 + [1]
    assert out.sent[0] == [0x99, 76, 100]
