"""Explorer: a static web page on the finished map."""
