"""Money: double entry in minor units. It moves in ``ledger`` and nowhere else."""
