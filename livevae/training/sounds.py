"""What the styles of the Groove MIDI Dataset and of the grammar sound like, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PLAYED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "afrobeat": ("tight afrobeat", "A broken kick, answering snares, steady hats."),
        "afrocuban/bembe": (
            "bembe bell with toms",
            "The bembe bell on the ride, toms in its gaps.",
        ),
        "afrocuban/calypso": (
            "calypso on the floor",
            "Kick on every beat, hats between, a dancing snare.",
        ),
        "afrocuban/rhumba": ("rumba on the closed hat", "A rolling hat over next to nothing."),
        "blues/shuffle": ("slow blues shuffle", "Loping hats, a soft kick, a backbeat."),
        "country": ("country train beat", "Accents in rolling snare 16ths, kick on every beat."),
        "dance/breakbeat": (
            "fast live breakbeat",
            "A drummer's break at 170, its second snare early.",
        ),
        "dance/disco": ("disco on the floor", "Kick on every beat, backbeat, 16ths on the hats."),
        "funk": ("ghosted funk", "Ghost notes around the backbeat, a kick that pushes."),
        "funk/latin": ("latin funk", "A syncopated kick under a straight backbeat."),
        "hiphop": ("head-nodding hip-hop", "Kicks in 16ths around a hard backbeat, busy hats."),
        "jazz": ("medium jazz ride", "Ride time, hats on two and four, a feathered kick."),
        "jazz/fast": ("up-tempo jazz", "A fast swung ride, hats on two and four, snare comments."),
        "jazz/linear": ("ride and scattered toms", "A busy ride, snare and toms one at a time."),
        "jazz/march": ("street march", "Rolling snare 16ths, kick and hats on the beat."),
        "jazz/swing": ("swung backbeat", "A backbeat with swung 16ths."),
        "latin": ("latin off the beat", "Kick and snare answer one another off the beat."),
        "latin/bounce": ("bouncing toms", "Kick on every beat, toms and off-beat hats."),
        "latin/brazilian-baiao": (
            "rolling baiao",
            "A dotted kick under snare 16ths.",
        ),
        "latin/brazilian-bossa": ("soft bossa nova", "Quiet ride eighths, hats on two and four."),
        "latin/brazilian-ijexa": (
            "ijexa bell",
            "A bell on the ride, off-beat kicks, one snare a bar.",
        ),
        "latin/brazilian-maracatu": (
            "maracatu snare",
            "Rolling snare 16ths, hats between the beats.",
        ),
        "latin/brazilian-samba": ("samba with a surdo", "Snare 16ths, a low tom on two and four."),
        "latin/brazilian-songo": (
            "busy songo",
            "Tumbling snares over a dotted kick, with the ride.",
        ),
        "latin/dominican-merengue": (
            "merengue with tom rolls",
            "Kick on every beat, toms run into one.",
        ),
        "neworleans/funk": (
            "new orleans street funk",
            "A snare in threes over a kick on every beat.",
        ),
        "neworleans/secondline": (
            "second line parade",
            "Accented snare rolls, kick on every beat.",
        ),
        "pop": ("light pop backbeat", "Straight eighths, a soft kick, a clean backbeat."),
        "punk": ("double-time punk", "A snare between all the beats."),
        "reggae": ("reggae steppers", "A soft kick on every beat, snares off it, far ahead."),
        "rock": ("straight rock backbeat", "Kick on one and three, snare on two and four."),
        "rock/folk": (
            "folk rock with a rolling snare",
            "Soft snare 16ths with accents, hats on the beat.",
        ),
        "rock/halftime": ("half-time rock", "One snare a bar, on three, under the ride."),
        "rock/indie": (
            "indie rock with a displaced backbeat",
            "The first snare comes a 16th late.",
        ),
        "rock/prog": ("tom-driven prog rock", "Toms run through an even backbeat."),
        "rock/rockabilly": ("fast rockabilly", "A backbeat at 200 with skipping hats."),
        "rock/shuffle": ("brushed shuffle", "Soft snare 16ths, dragged, as if with brushes."),
        "soul": ("quiet soul backbeat", "A backbeat with room around it, gentle hats."),
    }
)
"""Of each style of Groove MIDI that has a scene: its name, and what is heard."""

PROGRAMMED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "afrobeats": "rolling afrobeats",
        "amapiano": "amapiano with a 16th shaker",
        "boom-bap": "boom-bap head nod",
        "breakbeat": "chopped breakbeat",
        "drill": "half-time drill",
        "drum-and-bass": "two-step drum and bass",
        "dub": "deep dub, snare on three",
        "dubstep": "half-time dubstep",
        "electro": "syncopated electro",
        "footwork": "skittering footwork",
        "garage": "two-step garage",
        "house": "four on the floor house",
        "jersey-club": "bouncing jersey club",
        "lo-fi": "slow lo-fi beat",
        "reggaeton": "reggaeton dembow",
        "synthwave": "synthwave backbeat",
        "techno": "driving techno",
        "trap": "half-time trap",
    }
)
"""Of each style of the grammar: its scene's name; what is heard, the style says itself."""
