"""Voice notes as browsers record them, made with the same encoders, and what is none."""

import os
import resource
import struct
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from itertools import pairwise

import av
import pytest

from app.capture import voice
from app.capture.voice import VoiceTooLarge, VoiceUnreadable, transcode, transcode_voice


class Pipe:
    """A recorder writes on and never goes back: that is why its WebM has no duration."""

    def __init__(self) -> None:
        self.written = bytearray()

    def write(self, data: bytes) -> int:
        self.written += data
        return len(data)


def recorded(
    container: str, codec: str, seconds: float, *, rate: int = 48_000, layout: str = "mono", **options: str
) -> bytes:
    """Return `seconds` of a 480 Hz tone as a browser's MediaRecorder would send it."""
    pipe, samples = Pipe(), 960
    wave = struct.pack(f"<{samples}h", *(8000 * (-1) ** (i // 50) for i in range(samples)))
    with av.open(pipe, "w", format=container, options=options) as sink:
        stream = sink.add_stream(codec, rate=rate, layout=layout)
        resampler = av.AudioResampler(stream.format.name, layout, rate, stream.codec_context.frame_size or samples)
        for number in range(int(seconds * rate / samples)):
            frame = av.AudioFrame("s16", "mono", samples)
            frame.planes[0].update(wave)
            frame.sample_rate, frame.pts, frame.time_base = rate, number * samples, Fraction(1, rate)
            for ready in resampler.resample(frame):
                sink.mux(stream.encode(ready))
        sink.mux(stream.encode(None))
    return bytes(pipe.written)


FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}
BROWSERS: dict[str, Callable[[float], bytes]] = {
    "Chrome webm/opus": lambda seconds: recorded("webm", "libopus", seconds),
    "Chrome mp4/opus": lambda seconds: recorded("mp4", "libopus", seconds, **FRAGMENTS),
    "Firefox ogg/opus": lambda seconds: recorded("ogg", "libopus", seconds, layout="stereo"),
    "Safari mp4/aac": lambda seconds: recorded("mp4", "aac", seconds, rate=44_100, layout="stereo", **FRAGMENTS),
}


@pytest.mark.parametrize("browser", BROWSERS)
def test_what_every_browser_records_becomes_one_format_every_phone_plays(browser):
    note = transcode(BROWSERS[browser](3))

    assert note.milliseconds == pytest.approx(3000, abs=60)
    assert not note.cut
    with av.open(BytesIO(note.audio)) as played:
        stream = played.streams.audio[0]
        assert (stream.codec_context.name, stream.layout.name, stream.rate) == ("aac", "mono", 48_000)
        frames = list(played.decode(stream))
    assert sum(frame.samples for frame in frames) / 48 == pytest.approx(note.milliseconds, abs=50)
    assert crossings(frames) == pytest.approx(2 * 480 * 3 * (44_100 / 48_000 if "aac" in browser else 1), rel=0.05)


def crossings(frames: list[av.AudioFrame]) -> int:
    """Count how often the wave crosses zero: twice for each swing of the tone."""
    raw = b"".join(bytes(frame.planes[0])[: 4 * frame.samples] for frame in frames)
    loud = [level > 0 for level in struct.unpack(f"<{len(raw) // 4}f", raw) if abs(level) > 0.02]
    return sum(here != there for here, there in pairwise(loud))


def test_chromes_webm_says_no_length_so_it_is_counted():
    sent = BROWSERS["Chrome webm/opus"](2)
    with av.open(BytesIO(sent)) as source:
        assert source.duration is None

    assert transcode(sent).milliseconds == pytest.approx(2000, abs=10)


def test_it_plays_while_it_loads():
    audio = transcode(BROWSERS["Chrome webm/opus"](5)).audio

    assert audio.index(b"moov") < audio.index(b"mdat")


def test_a_long_note_keeps_its_first_minute_and_says_so():
    note = transcode(recorded("webm", "libopus", 64))

    assert note.cut
    assert note.milliseconds == pytest.approx(60_000, abs=30)


def test_a_recorder_that_stops_a_little_late_is_not_called_long():
    note = transcode(recorded("webm", "libopus", 60.4))

    assert not note.cut
    assert note.milliseconds == pytest.approx(60_400, abs=40)


@pytest.mark.parametrize("browser", ["Chrome webm/opus", "Firefox ogg/opus", "Safari mp4/aac"])
def test_of_a_note_that_broke_off_the_beginning_is_kept(browser):
    sent = BROWSERS[browser](4)

    assert 1000 < transcode(sent[: len(sent) * 6 // 10]).milliseconds < 3500


SILLY = {
    "nothing": b"",
    "words": b"press seven leaks oil" * 100,
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "an address list": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\nfile:///etc/passwd\n",
    "only the magic of WebM": b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 40,
    "only the magic of Ogg": b"OggS" + bytes(range(256)) * 40,
    "only the magic of MP4": b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40,
    "a WAV": b"RIFF\x24\0\0\0WAVEfmt " + bytes(500),
    "a blink": recorded("webm", "libopus", 0.04),
    "another codec": recorded("mp4", "libmp3lame", 1, **FRAGMENTS),
}


@pytest.mark.parametrize("what", SILLY)
def test_what_is_no_voice_note_is_refused(what):
    with pytest.raises(VoiceUnreadable):
        transcode(SILLY[what])


async def test_thirty_megabytes_are_refused_without_a_look():
    with pytest.raises(VoiceTooLarge):
        await transcode_voice(BROWSERS["Chrome webm/opus"](1) + bytes(30_000_000))


async def test_the_work_is_done_in_a_process_of_its_own():
    sent = BROWSERS["Chrome webm/opus"](20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime

    note = await transcode_voice(sent)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 0.1
    assert note == transcode(sent)


async def test_a_refusal_there_is_a_refusal_here():
    with pytest.raises(VoiceUnreadable):
        await transcode_voice(SILLY["words"])


def test_a_small_file_that_asks_for_all_the_memory_meets_the_ceiling(tmp_path):
    bomb = bytearray(transcode(BROWSERS["Chrome webm/opus"](1)).audio)
    sizes, chunks = bomb.index(b"stsz"), bomb.index(b"stsc")
    struct.pack_into(">II", bomb, sizes + 8, 1, 0x1000000)  # sixteen million samples of one byte: 620 MB unchecked
    struct.pack_into(">I", bomb, chunks + 16, 0x7FFFFFFF)
    (tmp_path / "bomb").write_bytes(bomb)

    with (tmp_path / "bomb").open("rb") as note:
        reader = subprocess.Popen([sys.executable, "-m", "app.capture.voice"], stdin=note, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(reader.pid, 0)
        reader.returncode = os.waitstatus_to_exitcode(status)

    assert reader.returncode != 0
    assert used.ru_maxrss < 540_000


async def test_what_takes_too_long_is_stopped(monkeypatch):
    monkeypatch.setattr(voice, "_MAX_CPU_SECONDS", 0)

    with pytest.raises(VoiceUnreadable):
        await transcode_voice(BROWSERS["Chrome webm/opus"](1))


def test_the_web_server_never_loads_the_decoders():
    program = "import sys, app.capture.voice; sys.exit('av' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
