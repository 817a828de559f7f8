"""Live recognition: frames come in, faces are followed, each is asked about once, and names stand over the boxes."""
