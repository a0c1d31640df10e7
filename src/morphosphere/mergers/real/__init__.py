"""Real images of mergers, brought into the frame that the measurement expects."""
