# SPDX-License-Identifier: MIT
"""with_toolbelt.py URL FOLDER - requests with a body that is made while it is sent."""
import os
import sys

import requests
from requests_toolbelt import MultipartEncoder

import form_file

url, folder = sys.argv[1:]
values, files = form_file.read(folder)
body = MultipartEncoder(values + [(name, (filename, open(path, "rb"), type)) for name, path, filename, type in files])
answer = requests.post(url, data=body, headers={"Content-Type": body.content_type}, verify=os.environ["CA"], timeout=240)
print(answer.status_code)
print(answer.text)
