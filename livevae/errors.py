"""The two ways a command can fail, each one sentence that says what to do."""


class LiveVAEError(Exception):
    """Base of every error shown to the user as one sentence, without a traceback."""

    exit_code = 1


class WorkError(LiveVAEError):
    """The work failed through no fault of the command line: exit code 1."""


class UsageError(LiveVAEError):
    """A wrong key, value, file or port name: exit code 2."""

    exit_code = 2
