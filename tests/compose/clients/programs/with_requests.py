# SPDX-License-Identifier: MIT
"""with_requests.py URL FOLDER"""
import os
import sys

import requests

import form_file

url, folder = sys.argv[1:]
values, files = form_file.read(folder)
answer = requests.post(url, data=values, files=[(name, (filename, open(path, "rb"), type)) for name, path, filename, type in files],
                       verify=os.environ["CA"], timeout=240)
print(answer.status_code)
print(answer.text)
