"""`livevae capture` beside a recorder on a real JACK graph."""

from __future__ import annotations

import time
from pathlib import Path

import mido
import numpy as np
import pytest

from tests.jack.peers import RATE, daemon, eventually, recorder
from tests.jack.test_commands import livevae, one_sentence

pytestmark = pytest.mark.jack


def test_the_captured_bars_are_what_the_recorder_heard(tmp_path: Path) -> None:
    """To a fraction of a millisecond; a folder that is not there is refused."""
    with (
        recorder() as recording,
        daemon(
            *("--clock", "internal", "--bpm", "240", "--set", "density=0.7"),
            *("--set", f'midi.outputs=["{recording.port}"]'),
        ) as running,
    ):
        eventually(lambda: running.status().player.beats > 5 * 4 + 0.5, within_s=60)
        out = tmp_path / "out.mid"
        result = livevae(running.folder, "capture", "last", "4", str(out))
        assert result.returncode == 0, result.stderr
        assert "4 bars written" in result.stderr
        refused = livevae(running.folder, "capture", "last", "4", str(tmp_path / "no" / "a.mid"))
        assert "there is no folder" in one_sentence(refused)
        time.sleep(0.1)
        heard = [(frame / RATE, m) for frame, m in recording.events if m[0] & 0xF0 == 0x90]
        assert running.status().player.bars["missed"] == 0
    file = mido.MidiFile(out)
    now_s, written = 0.0, []
    for message in file:
        now_s += message.time
        if message.type == "note_on":
            written.append((now_s, bytes(message.bytes())))
    assert file.length == pytest.approx(4.0, abs=1e-3)
    messages = [message for _, message in heard]
    wanted = [message for _, message in written]
    # Where in what was heard the captured bars lie: they fit in one place, and there in time.
    fits = [
        at for at in range(len(heard)) if messages[at : at + len(wanted)] == wanted and len(wanted)
    ]
    assert fits
    apart = [
        np.ptp([heard[at + n][0] - written[n][0] for n in range(1, len(wanted))]) for at in fits
    ]
    assert min(apart) < 0.0002


def test_a_scene_is_saved_and_recalled_and_refused_on_another_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And playing goes on."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with daemon(
        *("--clock", "internal", "--bpm", "200", "--model", "groove-2bar"),
        config='[scenes]\nlist = ["verse"]\n',
    ) as running:
        eventually(lambda: running.status().player.notes > 5)
        running.set("x", 0.9)
        saved = livevae(running.folder, "scene", "save", "verse")
        assert saved.returncode == 0, saved.stderr
        for ways in (("scene", "recall", "verse"), ("set", "scene", "1"), ("set", "undo", "on")):
            running.set("x", 0.1)
            assert livevae(running.folder, *ways).returncode == 0
            eventually(lambda: running.status().player.values["x"] == 0.9)
        assert livevae(running.folder, "scene", "list").stdout == "verse\n"
        assert "there are: verse" in one_sentence(livevae(running.folder, "scene", "recall", "x"))
        running.set("model", "groove-4bar")
        (tmp_path / "livevae/presets/groove-2bar").rename(tmp_path / "livevae/presets/groove-4bar")
        running.set("x", 0.5)
        refused = livevae(running.folder, "scene", "recall", "verse")
        assert refused.returncode == 2
        assert "kept on the model groove-2bar" in one_sentence(refused)
        player = running.status().player
        assert player.values["x"] == 0.5
        assert player.playing
        assert player.bars["missed"] == 0
