"""Protected templates: challenges, enrolment, settling with the key holder, deletion."""
