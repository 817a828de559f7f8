"""Real attacks on the protections, and a campaign that runs them for every leak.

``records`` opens negative databases, ``inversion`` turns protected values back into embeddings, ``constant`` makes
probes that suit everybody, ``oracle`` climbs by yes and no, ``campaign`` runs them all and counts.
"""
