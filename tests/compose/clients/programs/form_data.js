// SPDX-License-Identifier: MIT
// form_data.js URL FOLDER - the package form-data, which most programs for Node used before fetch.
"use strict";
const fs = require("fs");
const FormData = require("form-data");
const [url, folder] = process.argv.slice(2);

const form = new FormData();
for (const line of fs.readFileSync(`${folder}/form.tsv`, "utf8").trimEnd().split("\n")) {
  const [kind, name, path, filename, contentType] = line.split("\t");
  // It puts names into the head as they are.
  const quoted = (text) => text.replace(/"/g, "%22");
  if (kind === "value") form.append(quoted(name), fs.readFileSync(path, "utf8"));
  else form.append(quoted(name), fs.createReadStream(path), { filename: quoted(filename), contentType });
}
form.submit(url, (error, answer) => {
  if (error) throw error;
  console.log(answer.statusCode);
  answer.pipe(process.stdout);
});
