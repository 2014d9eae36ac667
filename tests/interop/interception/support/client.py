"""Asks each URL and prints what it got. It knows of no proxy."""

import sys
import urllib.request

for url in sys.argv[1:]:
    with urllib.request.urlopen(url, timeout=10) as response:
        print(response.status, response.read().decode().strip())
