# SPDX-License-Identifier: MIT
"""with_httpx.py URL FOLDER sync|async [h2]"""
import asyncio
import os
import ssl
import sys

import httpx

import form_file

url, folder, kind, *more = sys.argv[1:]
values, files = form_file.read(folder)
how = {"verify": ssl.create_default_context(cafile=os.environ["CA"]), "timeout": 240, "http2": "h2" in more}
parts = [(name, (filename, open(path, "rb"), type)) for name, path, filename, type in files]
form = {"data": dict(values), "files": parts}


async def send():
    async with httpx.AsyncClient(**how) as client:
        return await client.post(url, **form)

if kind == "async":
    answer = asyncio.run(send())
else:
    with httpx.Client(**how) as client:
        answer = client.post(url, **form)
print(answer.status_code)
print(answer.text)
