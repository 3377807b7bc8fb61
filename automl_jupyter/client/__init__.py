"""The typed client of the REST interface: what notebooks, the command line and scripts use.

>>> from automl_jupyter.client import Client
>>> client = Client()                                    # finds the running Jupyter server
>>> flights = client.upload("flights.csv")
>>> job = client.wait(client.train(flights, "late", time_budget=60))
>>> client.predict(job.model, [{"carrier": "UA", "month": 7}])
"""

from automl_jupyter.client.api import Client
from automl_jupyter.client.discovery import Server, find_server
from automl_jupyter.client.transport import TookTooLong

__all__ = ["Client", "Server", "TookTooLong", "find_server"]
