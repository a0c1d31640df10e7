"""What makes one image unusable, while the run goes on."""


class Fault(Exception):
    """One image cannot be used; the message becomes the reason in the table of rejects."""
