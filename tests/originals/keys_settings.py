"""The deployment of `project`, with the cache that ORACLE_CACHE describes (JSON, as in Django's CACHES)."""

import json
import os

from project.settings import *

CACHES = {"default": json.loads(os.environ["ORACLE_CACHE"])}
