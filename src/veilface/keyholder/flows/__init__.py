"""What the key holder does, verb by verb: plain functions over an :class:`~veilface.keyholder.office.Office`."""
