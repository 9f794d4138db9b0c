"""The changes of a VCD, scanned in compiled code: from bytes to records, in the file's order.

IEEE 1800-2017, 21.7.2, describes the format: tokens between white space, several of which may be on
a line.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.jit import numba
from spikewatt.energy.activity.bytewise import load, trailing_zeros

__all__ = [
    "DIRECT",
    "HELD",
    "NOBODY",
    "SHORT",
    "Codes",
    "Fault",
    "Found",
    "State",
    "decode",
    "hash_place",
    "place_of",
    "scan",
    "sort",
]

NOBODY, HELD = -1, -2
"""In place of a signal: of a code that is not declared, and of one whose changes nobody wants."""
SHORT = 3
"""Characters of codes that have a table of their own, by their number of base 96."""
DIRECT = 96**SHORT
_PRIME = np.uint64(1099511628211)  # of the hash FNV-1, of 64 bits
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # Knuth, TAOCP 6.4: multiplicative hashing
_SHIFT, _DOUBT, _HIGH = 2, 2, 1
"""A record is the number of its time, and two bits: whether a bit is unknown, and a scalar's."""

_EACH = np.uint64(0x0101010101010101)
_SIGNS = _EACH * np.uint64(128)
_ZEROS = _EACH * np.uint64(48)
_ABOVE = _EACH * np.uint64(254)
_COLLECT = np.uint64(0x8040201008040201)
"""Times the lowest bits of eight bytes it has them in its highest byte, the first one highest."""
_LOW, _ONE, _VAGUE = 1, 2, 3
_LOGIC = np.zeros(256, np.uint8)
for _digits, _meaning in ((b"0lL", _LOW), (b"1hH", _ONE), (b"xXzZuUwW-", _VAGUE)):
    _LOGIC[list(_digits)] = _meaning
_COMMENT, _END = np.frombuffer(b"$comment", np.uint8), np.frombuffer(b"$end", np.uint8)
_MARKS = tuple(
    np.frombuffer(mark, np.uint8)
    for mark in (b"$dumpvars", b"$dumpall", b"$dumpon", b"$dumpoff", b"$end")
)
_PASSED = tuple(
    np.frombuffer(mark, np.uint8)
    for mark in (b"$comment", b"$date", b"$version", b"$timescale", b"$vcdclose")
)


class Fault(IntEnum):
    """Why a scan ended before its bytes did."""

    NONE = 0
    FULL = 1
    """No more room for records: sort those that there are, and go on."""
    TIME = 2
    TOO_LATE = 3
    BACKWARDS = 4
    UNDECLARED = 5
    TOO_WIDE = 6
    NO_LOGIC = 7
    COMMAND = 8
    PORTS = 9
    TOKEN = 10
    TOO_MANY_TIMES = 11


class State(IntEnum):
    """Places of what lasts from one block of bytes to the next, in int64[len(State)]."""

    NOW = 0
    FIRST = 1
    """First time that the file names, -1 before."""
    LAST = 2
    STAMPS = 3
    """Times with changes so far."""
    BASE = 10
    """Those of them that are in earlier records."""
    STAMPED = 4
    """Whether the present time is one of them."""
    PASSING = 5
    """Whether within ``$comment``."""
    FAULT = 6
    PLACE = 7
    """Byte of the fault."""
    RECORDS = 8
    WORDS = 9


class Codes(NamedTuple):
    """Signals by their codes: those of up to three characters by number, others by hash.

    Parameters
    ----------
    direct:
        int32[DIRECT], signal of each short code.
    keys, signals:
        uint64[2ᵏ] and int32[2ᵏ], the others by open hashing; 0 is no key.
    widths:
        int64[signals].
    """

    direct: NDArray[np.int32]
    keys: NDArray[np.uint64]
    signals: NDArray[np.int32]
    widths: NDArray[np.int64]


class Found(NamedTuple):
    """Room for the records of some bytes.

    Parameters
    ----------
    signal:
        int32[n].
    record:
        uint32[n].
    words:
        uint64[m]: of a vector's record the value, and the unknown bits if there are any.
    stamps:
        int64[n], the times with changes.
    counts, vague:
        int64[signals], records of each signal, and those of them with unknown bits.
    """

    signal: NDArray[np.int32]
    record: NDArray[np.uint32]
    words: NDArray[np.uint64]
    stamps: NDArray[np.int64]
    counts: NDArray[np.int64]
    vague: NDArray[np.int64]


def place_of(code: bytes) -> int:
    """The number of a code, or the hash of one of more than three characters, which is odd."""
    if len(code) <= SHORT:
        return sum((byte - 32) * 96**k for k, byte in enumerate(code))
    place = 0
    for byte in code:
        place = (place * int(_PRIME) + byte) & (1 << 64) - 1
    return (place << 1 | 1) & (1 << 64) - 1


@numba.njit(cache=True)
def hash_place(place, mask):
    """Where the search for a long code begins."""
    return np.int64((place * _GOLDEN) >> np.uint64(32)) & mask


@numba.njit(cache=True)
def _look_up(place, codes):
    """The signal of a long code."""
    mask = codes.keys.shape[0] - 1
    at = hash_place(place, mask)
    while codes.keys[at] != np.uint64(0):
        if codes.keys[at] == place:
            return codes.signals[at]
        at = (at + 1) & mask
    return np.int32(NOBODY)


@numba.njit(cache=True)
def _signal(body, at, codes):
    """The signal of the code from ``at`` on, and where the code ends."""
    word = load(body, at)
    # The sign bit of each byte below 33, exact up to the first one.
    white = (word - _EACH * np.uint64(33)) & ~word & _SIGNS
    length = trailing_zeros(white) >> np.uint64(3)
    if length <= np.uint64(3):
        mask = (np.uint64(1) << (length << np.uint64(3))) - np.uint64(1)
        if word & mask & _SIGNS:
            return np.int32(NOBODY), at
        digits = (word & mask) - (_EACH * np.uint64(32) & mask)
        low, middle = digits & np.uint64(255), (digits >> np.uint64(8)) & np.uint64(255)
        place = low + np.uint64(96) * middle + np.uint64(9216) * (digits >> np.uint64(16))
        return codes.direct[place], at + np.int64(length)
    place = np.uint64(0)
    while body[at] > 32:
        place = place * _PRIME + np.uint64(body[at])
        at += 1
    return _look_up((place << np.uint64(1)) | np.uint64(1), codes), at


@numba.njit(cache=True)
def _after(body, at):
    """Where the token from ``at`` on ends."""
    while body[at] > 32:
        at += 1
    return at


@numba.njit(cache=True)
def _gap(body, at, limit):
    """Where the next token begins."""
    while at < limit and body[at] <= 32:
        at += 1
    return at


@numba.njit(cache=True)
def _is(body, at, stop, word):
    if stop - at != word.shape[0]:
        return False
    for k in range(word.shape[0]):  # noqa: SIM110  # numba has no all() of a generator
        if body[at + k] != word[k]:
            return False
    return True


@numba.njit(cache=True)
def _is_one_of(body, at, stop, words):
    for word in words:  # noqa: SIM110  # numba has no any() of a generator
        if _is(body, at, stop, word):
            return True
    return False


@numba.njit(cache=True)
def _binary(body, at):
    """Up to eight digits from ``at`` on that are 0 or 1: their bits, and how many there are."""
    word = load(body, at)
    other = (word ^ _ZEROS) & _ABOVE
    count = trailing_zeros(other) >> np.uint64(3)
    bits = ((word & _EACH) * _COLLECT) >> np.uint64(56)
    return bits >> (np.uint64(8) - count), count


@numba.njit(cache=True)
def _set_binary(body, start, stop, size, words, at):
    """Digits 0 and 1 as words; whether there are no others."""
    for word in range(size):
        high = stop - 64 * word
        place = max(start, high - 64)
        value = np.uint64(0)
        while place < high:
            bits, count = _binary(body, place)
            need = min(8, high - place)
            if np.int64(count) < need:
                return False
            # What follows the digits may look like some.
            value = (value << np.uint64(need)) | (bits >> (count - np.uint64(need)))
            place += need
        words[at + word] = value
    return True


@numba.njit(cache=True)
def _set_value(body, start, stop, width, words, at):
    """Digits as words, the most significant first: the words used, 0 if they are no value.

    A value may be written shorter than it is wide: unknown digits go on to the left, others do not.
    """
    size = (width + 63) >> 6
    if stop - start > 2 and body[start] == 48 and body[start + 1] == 98:  # "0b", as PyMTL 3 has it
        start += 2
    while stop - start > width and body[start] == 48:
        start += 1
    if stop - start > width:
        return -1
    if _set_binary(body, start, stop, size, words, at):
        for k in range(size, 2 * size):
            words[at + k] = np.uint64(0)
        return size
    for k in range(2 * size):
        words[at + k] = np.uint64(0)
    vague = False
    last = stop - 1
    for k in range(stop - start):
        meaning = _LOGIC[body[last - k]]
        if meaning == 0:
            return 0
        bit = np.uint64(1) << np.uint64(k & 63)
        if meaning == _ONE:
            words[at + (k >> 6)] |= bit
        elif meaning == _VAGUE:
            words[at + size + (k >> 6)] |= bit
            vague = True
    if _LOGIC[body[start]] == _VAGUE:
        for k in range(stop - start, width):
            words[at + size + (k >> 6)] |= np.uint64(1) << np.uint64(k & 63)
    return 2 * size if vague else size


@numba.njit(cache=True, nogil=True)
def scan(body, at, limit, codes, state, found):
    """Go through whole items up to ``limit``, a byte of white space; where the next one begins.

    ``state`` says how far it came, and what ended it.
    """
    widths = codes.widths
    signals, records, words = found.signal, found.record, found.words
    counts, doubts, stamps = found.counts, found.vague, found.stamps
    now, stamp, stamped = state[State.NOW], state[State.STAMPS], state[State.STAMPED] != 0
    base = state[State.BASE]
    count, used = state[State.RECORDS], state[State.WORDS]
    room, wide = records.shape[0], words.shape[0]
    fault, passing = 0, state[State.PASSING] != 0
    start = at
    while at < limit:
        kind = body[at]
        if kind <= 32:
            at += 1
            continue
        start = at
        if passing:
            at = _after(body, at)
            passing = not _is(body, start, at, _END)
            continue
        at += 1
        if kind == 35:  # "#": a time
            time = np.int64(0)
            first = at
            while 48 <= body[at] <= 57:
                digit = np.int64(body[at] - 48)
                # 2^63 - 1 is 9223372036854775807.
                if time > 922337203685477580 or (time == 922337203685477580 and digit > 7):
                    fault = Fault.TOO_LATE
                    break
                time = time * 10 + digit
                at += 1
            if fault != 0:
                break
            if at == first or body[at] > 32:
                fault = Fault.TIME
                break
            if time < now:
                fault = Fault.BACKWARDS
                break
            if time > now:
                now, stamped = time, False
            if state[State.FIRST] < 0:
                state[State.FIRST] = time
            state[State.LAST] = time
            continue
        if 48 <= kind <= 49 or (_LOGIC[kind] != 0):
            first, stop, plain = start, at, False
            value = np.uint64(kind & 1)
            if body[at] <= 32:  # white space before the code, which is not as it should be
                at = _gap(body, at, limit)
                if at >= limit:
                    break
        elif kind == 98 or kind == 66:  # "b"
            first = at
            value, plain = np.uint64(0), True
            while at - first < 64:
                bits, length = _binary(body, at)
                value = (value << length) | bits
                at += np.int64(length)
                if length < np.uint64(8):
                    break
            if body[at] > 32:
                at, plain = _after(body, at), False
            stop = at
            at = _gap(body, at, limit)
            if at >= limit:
                break
            if stop == first:
                fault = Fault.NO_LOGIC
                break
        elif kind == 36:  # "$"
            at = _after(body, at)
            if _is_one_of(body, start, at, _MARKS):
                continue
            if _is_one_of(body, start, at, _PASSED):
                passing = True
                continue
            fault = Fault.COMMAND
            break
        elif kind == 114 or kind == 82 or kind == 115 or kind == 83:  # "r", "s"
            at = _gap(body, _after(body, at), limit)
            if at >= limit:
                break
            signal, at = _signal(body, at, codes)
            if signal >= 0:
                fault = Fault.NO_LOGIC
                break
            if signal == NOBODY:
                if kind == 114 or kind == 82:
                    fault = Fault.UNDECLARED
                    break
                while at < limit and body[at] != 10:  # a string with white space in it
                    at += 1
            continue
        elif kind == 112:  # "p"
            fault = Fault.PORTS
            break
        else:
            fault = Fault.TOKEN
            break
        signal, at = _signal(body, at, codes)
        if signal < 0:
            if signal == NOBODY:
                fault = Fault.UNDECLARED
                break
            continue
        width = widths[signal]
        if count >= room or used + 2 * ((width + 63) >> 6) > wide:
            fault = Fault.FULL
            break
        if not stamped:
            if stamp >= 1 << 30:
                fault = Fault.TOO_MANY_TIMES
                break
            stamps[stamp - base] = now
            stamp += 1
            stamped = True
        record = np.uint32((stamp - 1) << _SHIFT)
        if width == 1 and 48 <= kind <= 49:
            record |= np.uint32(value)
        elif width == 1 and stop - first == 1:
            meaning = _LOGIC[body[first]]
            if meaning == 0:
                fault = Fault.NO_LOGIC
                break
            record |= np.uint32(1) if meaning == _ONE else np.uint32(0)
            record |= np.uint32(2) if meaning == _VAGUE else np.uint32(0)
        elif plain and width > 1 and stop - first <= width:
            words[used] = value
            for k in range(1, (width + 63) >> 6):
                words[used + k] = np.uint64(0)
            used += (width + 63) >> 6
        else:
            taken = _set_value(body, first, stop, width, words, used)
            if taken <= 0:
                fault = Fault.NO_LOGIC if taken == 0 else Fault.TOO_WIDE
                break
            if width == 1:
                record |= np.uint32(words[used]) | (np.uint32(words[used + 1]) << np.uint32(1))
            else:
                if taken > (width + 63) >> 6:
                    record |= np.uint32(_DOUBT)
                    doubts[signal] += 1
                used += taken
        signals[count] = signal
        records[count] = record
        counts[signal] += 1
        count += 1
        at += 1  # the white space behind it
        start = at
    else:
        start = at
    state[State.NOW], state[State.STAMPS], state[State.STAMPED] = now, stamp, np.int64(stamped)
    state[State.RECORDS], state[State.WORDS] = count, used
    state[State.PASSING] = np.int64(passing)
    state[State.FAULT], state[State.PLACE] = fault, start
    return start


@numba.njit(cache=True, nogil=True)
def sort(found, count, widths, starts, records, words):
    """Bring the records of each signal together, in their order.

    ``starts`` int32[2, signals + 1] comes to be where the records and words of each one begin.
    """
    signals = found.counts.shape[0]
    for k in range(signals):
        size = (widths[k] + 63) >> 6 if widths[k] > 1 else 0
        starts[0, k + 1] = starts[0, k] + found.counts[k]
        starts[1, k + 1] = starts[1, k] + size * (found.counts[k] + found.vague[k])
    at, to = starts[0, :signals].astype(np.int64), starts[1, :signals].astype(np.int64)
    source = 0
    for k in range(count):
        signal, record = found.signal[k], found.record[k]
        records[at[signal]] = record
        at[signal] += 1
        width = widths[signal]
        if width > 1:
            size = (width + 63) >> 6
            taken = 2 * size if record & np.uint32(_DOUBT) else size
            for word in range(taken):
                words[to[signal] + word] = found.words[source + word]
            to[signal] += taken
            source += taken


def decode(
    records: NDArray[np.uint32],
    words: NDArray[np.uint64],
    width: int,
    seen: int,
    stamps: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint64] | None]:
    """Times, values and unknown bits of the lowest ``seen`` bits of a signal.

    Of several changes at one time the last one counts. Unknown bits are 0 in the values.
    """
    vague = bool((records & np.uint32(_DOUBT)).any())
    times = np.empty(len(records), np.int64)
    values = np.empty((len(records), (seen + 63) // 64), np.uint64)
    unknown = np.empty_like(values) if vague else values[:0]
    kept = _decode(records, words, (width, seen), stamps, times, values, unknown)
    unknown = unknown[:kept]
    return times[:kept], values[:kept], unknown if vague and unknown.any() else None


@numba.njit(cache=True)
def _decode(records, words, widths, stamps, times, values, unknown):
    """Fill in what `decode` returns; the number of times."""
    width, seen = widths
    size, shown = (width + 63) >> 6, values.shape[1]
    mask = np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 * shown - seen)
    kept, at, before = -1, 0, np.int64(-1)
    for k in range(records.shape[0]):
        record = records[k]
        stamp = np.int64(record >> np.uint32(_SHIFT))
        vague = record & np.uint32(_DOUBT) != 0
        if stamp != before:
            before = stamp
            kept += 1
            times[kept] = stamps[stamp]
        if width == 1:
            values[kept, 0] = np.uint64(record & np.uint32(1))
            if unknown.shape[0]:
                unknown[kept, 0] = np.uint64(vague)
            continue
        for word in range(shown):
            values[kept, word] = words[at + word]
        values[kept, shown - 1] &= mask
        at += size
        if unknown.shape[0]:
            for word in range(shown):
                unknown[kept, word] = words[at + word] if vague else np.uint64(0)
            unknown[kept, shown - 1] &= mask
        at += size if vague else 0
    return kept + 1
