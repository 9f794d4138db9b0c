"""Errors that are the user's to mend: one line that names the thing and the remedy."""

__all__ = [
    "CapacityError",
    "DataError",
    "LibraryError",
    "NetlistError",
    "NetworkError",
    "ParameterError",
    "SimulationError",
    "SpikewattError",
    "TimingError",
    "ToolError",
    "WaveformError",
]


class SpikewattError(Exception):
    """Base of every error whose message is meant for a user rather than a developer."""


class ParameterError(SpikewattError, ValueError):
    """A hardware parameter out of its range."""


class NetworkError(SpikewattError, ValueError):
    """A network, or its file, that cannot be used."""


class CapacityError(NetworkError):
    """A network that does not fit the core it is mapped onto."""


class DataError(SpikewattError, ValueError):
    """Input data of the wrong shape, type or range."""


class ToolError(SpikewattError):
    """A tool that is missing or failed; the message says how to get it or where its log is."""


class SimulationError(SpikewattError):
    """A simulation that did not come to its end."""


class TimingError(SpikewattError):
    """A design that is slower than it was asked to be."""


class LibraryError(SpikewattError, ValueError):
    """A Liberty file that cannot be used; the message names its line."""


class NetlistError(SpikewattError, ValueError):
    """A gate netlist that cannot be used, or that is not the waveform's."""


class WaveformError(SpikewattError, ValueError):
    """A waveform that cannot be read, or does not hold what is needed."""
