# SPDX-License-Identifier: MIT
"""with_aiohttp.py URL FOLDER"""
import asyncio
import sys

import aiohttp

import form_file


async def main(url, folder):
    values, files = form_file.read(folder)
    # Its other way writes file names with %-escapes all over, and fails at a field name beyond ASCII.
    form = aiohttp.FormData(quote_fields=False)
    for name, value in values:
        form.add_field(name, value)
    for name, path, filename, type in files:
        form.add_field(name, open(path, "rb"), filename=filename, content_type=type)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(240)) as session:
        async with session.post(url, data=form) as answer:
            print(answer.status)
            print(await answer.text())

asyncio.run(main(*sys.argv[1:]))
