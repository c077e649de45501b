"""Voice notes: whatever a phone's recorder makes becomes one format every phone plays, AAC in MP4, mono.

The only module that knows av. Decoders of audio are large and old, so ours runs in a process of its own with a
ceiling on memory and time: a hostile file can cost seconds, never the web server. That process is this file
(`python -m app.capture.voice`): bytes in, one line of facts and the new bytes out.
"""

import json
import resource
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import CapacityLimiter, to_thread

from app.kit.errors import N_, DomainError

if TYPE_CHECKING:
    from av import AudioFrame, CodecContext

MAX_VOICE_BYTES = 8_000_000
MAX_SECONDS = 60
ONLY_THE_FIRST_MINUTE = N_("Only the first 60 seconds of the voice note were kept. Record a second note for the rest.")


class VoiceTooLarge(DomainError):
    code = "capture.voice_too_large"
    message = N_(
        "This voice note is too large (more than 8 MB; a minute needs less than one). "
        "Everything sent before it is safe. Record a shorter note in the app and send that."
    )
    status = 413


class VoiceUnreadable(DomainError):
    code = "capture.voice_unreadable"
    message = N_(
        "This file is not a voice note we can read. Everything sent before it is safe. "
        "Record the note again in the app, or write one line instead."
    )
    status = 422


@dataclass(frozen=True, slots=True)
class Voice:
    """A note as MP4 with AAC, mono, ready to play while it loads. `cut` when more than a minute was sent."""

    audio: bytes
    milliseconds: int
    cut: bool


async def transcode_voice(data: bytes) -> Voice:
    """`transcode` in a process of its own, two at a time; a note that takes too long or too much is unreadable."""
    return await to_thread.run_sync(_apart, data, limiter=_two_at_a_time)


def transcode(data: bytes) -> Voice:
    """Return the note as every phone plays it. The length is counted, not believed: browsers leave it out.

    Raises:
        VoiceTooLarge: more than 8 MB.
        VoiceUnreadable: no Opus or AAC in WebM, Ogg or MP4, or nothing in it that can be heard.
    """
    if len(data) > MAX_VOICE_BYTES:
        raise VoiceTooLarge
    frames = _heard(data)
    samples = sum(frame.samples for frame in frames)
    if samples < _SHORTEST:
        raise VoiceUnreadable
    cut = samples > _LONGEST
    if cut:
        frames = frames[: MAX_SECONDS * _RATE // _FRAME]
        samples = len(frames) * _FRAME
    return Voice(_mp4(frames), samples * 1000 // _RATE, cut)


_RATE = 48_000
_BIT_RATE = 64_000
_CODER = {"aac_coder": "fast"}  # a quarter of the CPU of the usual one, and closer to the original for speech
_FRAME = 1024  # samples in one frame of AAC
_SHORTEST = _RATE // 10
_LONGEST = (MAX_SECONDS + 1) * _RATE  # recorders stop a little late
_CONTAINERS = {b"\x1a\x45\xdf\xa3": "matroska", b"OggS": "ogg"}
_CODECS = {"opus", "libopus", "aac"}
_MAX_PACKETS = 40_000  # a minute of the shortest Opus frames, with room
_MAX_MEMORY = 1 << 29
_MAX_CPU_SECONDS = 20
_REFUSED = 3
_ROOT = Path(__file__).parents[2]
_two_at_a_time = CapacityLimiter(2)


def _apart(data: bytes) -> Voice:
    if len(data) > MAX_VOICE_BYTES:
        raise VoiceTooLarge
    try:
        done = subprocess.run(  # noqa: S603  (our own interpreter, our own module; the note goes in by stdin)
            [sys.executable, "-m", __name__],
            input=data,
            capture_output=True,
            check=True,
            cwd=_ROOT,
            timeout=2 * _MAX_CPU_SECONDS,
        )
    except subprocess.SubprocessError as reason:
        raise VoiceUnreadable from reason
    facts, _, audio = done.stdout.partition(b"\n")
    return Voice(audio=audio, **json.loads(facts))


def _heard(data: bytes) -> "list[AudioFrame]":
    """Return what can be heard, a little over a minute at most. A damaged second is no damaged note."""
    import av  # here and below: it weighs 20 MB, which only the process of its own shall carry
    from av.error import FFmpegError, InvalidDataError

    frames: list[AudioFrame] = []
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=_RATE, frame_size=_FRAME)
    try:
        with av.open(BytesIO(data), "r", format=_container(data)) as source:
            stream = next((one for one in source.streams.audio if _known(one.codec_context)), None)
            if stream is None:
                raise VoiceUnreadable
            for packet in islice(source.demux(stream), _MAX_PACKETS):
                with suppress(InvalidDataError):
                    for frame in packet.decode():
                        frame.pts = None
                        frames += resampler.resample(frame)
                if len(frames) * _FRAME > _LONGEST:
                    break
            return frames + resampler.resample(None)
    except (FFmpegError, ValueError) as reason:
        raise VoiceUnreadable from reason


def _known(codec: "CodecContext | None") -> bool:
    return codec is not None and codec.name in _CODECS


def _container(data: bytes) -> str:
    """Name the container by its first bytes, so that no other of FFmpeg's hundred readers is ever tried."""
    if data[4:8] == b"ftyp":
        return "mp4"
    for magic, name in _CONTAINERS.items():
        if data.startswith(magic):
            return name
    raise VoiceUnreadable


def _mp4(frames: "list[AudioFrame]") -> bytes:
    import av

    out = BytesIO()
    # The table of contents goes first, so that a phone plays while it loads: keep it its place, four bytes a frame.
    with av.open(out, "w", format="mp4", options={"moov_size": str(1200 + 4 * len(frames))}) as sink:
        stream = sink.add_stream("aac", rate=_RATE, layout="mono", bit_rate=_BIT_RATE, options=_CODER)
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number * _FRAME, Fraction(1, _RATE)
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode(None))
    return out.getvalue()


def _main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_MAX_CPU_SECONDS, _MAX_CPU_SECONDS))
    try:
        voice = transcode(sys.stdin.buffer.read())
    except VoiceUnreadable as refused:
        sys.stderr.write(f"{refused} {refused.__cause__!r}")
        return _REFUSED
    facts = json.dumps({"milliseconds": voice.milliseconds, "cut": voice.cut})
    sys.stdout.buffer.write(facts.encode() + b"\n" + voice.audio)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
