"""Groups of similar rows: how they are found, whether they are there, and what tells them apart."""
