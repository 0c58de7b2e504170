from __future__ import annotations

from cmdb_agent.observation import Transcript
from cmdb_agent.transports.capture import Capture


def test_output_is_kept_whole_and_of_errors_the_end() -> None:
    capture = Capture(100_000)
    capture.output(b"one ")
    capture.error(b"x" * 10_000 + b" last")
    capture.output(b"two")
    transcript = capture.transcript(3, "", "10.0.0.1", "SHA256:k")
    assert (transcript.text, transcript.code, transcript.address) == ("one two", 3, "10.0.0.1")
    assert len(transcript.errors) == 4096
    assert transcript.errors.endswith("x last")


def test_both_streams_count_and_nothing_beyond_the_limit_is_kept() -> None:
    capture = Capture(10)
    capture.error(b"1234")
    assert not capture.full
    capture.output(b"56789abcdef")
    assert capture.full
    capture.output(b"more")
    assert capture.transcript(-1, "too-large").text == "56789a"


def test_a_character_cut_in_two_by_a_chunk_is_whole() -> None:
    capture = Capture(100)
    for byte in "né".encode():
        capture.output(bytes([byte]))
    assert capture.transcript(0, "") == Transcript("né")
