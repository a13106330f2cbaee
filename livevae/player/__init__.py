"""The player: the process that owns time. It never imports torch and never waits."""
