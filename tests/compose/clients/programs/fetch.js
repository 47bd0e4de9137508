// SPDX-License-Identifier: MIT
// fetch.js URL FOLDER [undici] - the fetch of Node, or that of the package undici.
"use strict";
const fs = require("fs");
const [url, folder, which] = process.argv.slice(2);
const { fetch, FormData, File } = which === "undici" ? require("undici") : globalThis;
const FileClass = File || require("buffer").File;

async function fileOf(path, filename, type) {
  // Blobs over files came with Node 20; before, a file had to be read whole.
  const data = fs.openAsBlob ? await fs.openAsBlob(path) : fs.readFileSync(path);
  return new FileClass([data], filename, { type });
}

(async () => {
  const form = new FormData();
  for (const line of fs.readFileSync(`${folder}/form.tsv`, "utf8").trimEnd().split("\n")) {
    const [kind, name, path, filename, type] = line.split("\t");
    if (kind === "value") form.append(name, fs.readFileSync(path, "utf8"));
    else form.append(name, await fileOf(path, filename, type));
  }
  const answer = await fetch(url, { method: "POST", body: form });
  console.log(answer.status);
  console.log(await answer.text());
})();
