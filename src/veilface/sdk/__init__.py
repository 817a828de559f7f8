"""Face login from a Python program.

::

from pathlib import Path
from veilface.sdk import Device

device = Device.register(
    Path("device"), server="http://localhost:8000", username="myself", password=password, accept_terms=True
)
device.enrol(Path("enrol.jpg"), scheme="ranking")
print(device.verify(Path("today.jpg")).accepted)
"""

from veilface.sdk.client import Client
from veilface.sdk.device import SCHEMES, Device, Enrolment, Verification
from veilface.sdk.errors import Alarm, SdkError

__all__ = ["SCHEMES", "Alarm", "Client", "Device", "Enrolment", "SdkError", "Verification"]
