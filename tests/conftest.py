"""For all tests."""

import signal

# A shell that starts the tests in the background has them ignore an interrupt, and so would what
# they start: the tests of interrupts would wait in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)
