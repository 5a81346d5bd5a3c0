"""``haihe check``: asks every database whether what must be true is true, and names the ids where it is not."""
