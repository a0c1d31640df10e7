"""Learn: networks, the trainer and the ModelBundle it writes."""
