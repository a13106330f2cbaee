"""The drum pattern: its type, how it is rendered, how it is measured."""
