// SPDX-License-Identifier: MIT
// What script adds to a form that works without it: dropping and removing files, the browser's own progress of the
// upload, cancel, and the answer as a table or as the problem that the server states.
"use strict";

const $ = (id) => document.getElementById(id);
const form = $("form"), input = $("file"), drop = $("drop"), chosen = $("chosen"), result = $("result");
const HASH_UP_TO = 64 * 1024 * 1024; // the browser reads a file whole to hash it
let sending = null;

document.documentElement.classList.add("script");

// An element with attributes and children; text is always text.
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let i = 0;
  for (; n >= 1024 && i < 3; i++) n /= 1024;
  return (i === 0 ? n : n.toFixed(1)) + " " + units[i];
}

// -- choosing ----------------------------------------------------------------------------------------

function setFiles(files) {
  const list = new DataTransfer();
  for (const file of files) list.items.add(file);
  input.files = list.files;
  showFiles();
}

function showFiles() {
  const files = [...input.files];
  chosen.hidden = files.length === 0;
  chosen.replaceChildren(...files.map((file, i) => {
    const remove = make("button", { type: "button", class: "remove", "aria-label": "Remove " + file.name }, "×");
    remove.addEventListener("click", () => {
      setFiles(files.filter((_, n) => n !== i));
      (chosen.querySelectorAll("button")[Math.min(i, files.length - 2)] || input).focus();
    });
    return make("li", {}, make("span", { class: "name" }, file.name), make("span", { class: "size" }, bytes(file.size)), remove);
  }));
}

input.addEventListener("change", showFiles);
let depth = 0;
drop.addEventListener("dragenter", () => { depth++; drop.classList.add("over"); });
drop.addEventListener("dragleave", () => { if (--depth === 0) drop.classList.remove("over"); });
// A file that misses the zone must not replace the page.
for (const type of ["dragover", "drop"]) window.addEventListener(type, (event) => event.preventDefault());
drop.addEventListener("drop", (event) => {
  depth = 0;
  drop.classList.remove("over");
  if (!sending) setFiles([...input.files, ...event.dataTransfer.files]);
});

// -- sending -----------------------------------------------------------------------------------------

function busy(on) {
  $("send").disabled = on;
  $("cancel").hidden = !on;
  $("meter").hidden = !on;
  form.setAttribute("aria-busy", on);
}

function tell(loaded, total) {
  const percent = total ? Math.floor(loaded * 100 / total) : 0;
  $("progress").value = percent;
  $("told").textContent = loaded < total ? `${percent} %: ${bytes(loaded)} of ${bytes(total)}` : "All sent. Waiting for the store…";
  // A screen reader hears quarters, not every event.
  const spoken = loaded < total ? `${percent - percent % 25} percent sent` : "All sent";
  if ($("spoken").textContent !== spoken) $("spoken").textContent = spoken;
}

function answerOf(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return { title: request.statusText || "No answer", status: request.status, detail: "The answer was not understood." };
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const request = sending = new XMLHttpRequest();
  const files = [...input.files];
  const end = (show) => {
    sending = null;
    busy(false);
    $("spoken").textContent = "";
    show();
  };
  request.open("POST", "/upload");
  request.setRequestHeader("Accept", "application/json, application/problem+json");
  request.upload.addEventListener("progress", (e) => tell(e.loaded, e.total));
  request.addEventListener("load", () => end(() => {
    const answer = answerOf(request);
    if (request.status >= 200 && request.status < 300) showStored(answer, files);
    else showProblem(answer);
  }));
  request.addEventListener("error", () => end(() => showProblem({
    title: "The connection was lost", detail: "Whether the form was stored is not known: look at what is stored." })));
  request.addEventListener("abort", () => end(() => showProblem({ title: "Cancelled", detail: "Nothing of the form was kept." })));
  result.hidden = true;
  busy(true);
  tell(0, 1);
  request.send(new FormData(form));
  $("cancel").focus();
});
$("cancel").addEventListener("click", () => sending && sending.abort());

// -- the answer --------------------------------------------------------------------------------------

function show(...children) {
  result.replaceChildren(...children);
  result.hidden = false;
  result.focus();
  result.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

function cell(label, className, ...children) {
  return make("td", { role: "cell", "data-label": label, class: className }, make("div", {}, ...children));
}

// Where an object is read back: the gateway shows the store's folder as /files.
function readBack(part) {
  const name = decodeURIComponent(part.target.replace(/.*\//, ""));
  return make("a", { href: "/files" + part.target, title: part.target }, name);
}

function rowOf(part) {
  const digest = cell("SHA-256", "digest", make("code", {}, part.sha256 || "none"));
  const where = part.destination ? [readBack(part), make("small", {}, `in ${part.destination}` +
    (part.upstream_status ? ` (${part.upstream_status})` : ""))] : ["nowhere"];
  const row = make("tr", { role: "row" },
    cell("Field", "", part.field),
    part.filename === null ? cell("File", "soft", "a value") : cell("File", "name-cell", part.filename),
    cell("Size", "number", bytes(part.size)), digest, cell("Where", "", ...where));
  return { row, digest: digest.firstChild };
}

// The file that was sent, hashed here, against what the server says it stored.
async function compare(file, part, where) {
  if (!window.crypto?.subtle || !file || !part.sha256 || file.size > HASH_UP_TO) return;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  const hex = [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  where.append(hex === part.sha256 ? make("small", { class: "good" }, "✓ same as your file")
    : make("small", { class: "bad" }, "✗ not the same as your file"));
}

function showStored(answer, files) {
  const head = ["Field", "File", "Size", "SHA-256", "Where"].map((text) =>
    make("th", { role: "columnheader", scope: "col", class: text === "Size" ? "number" : "" }, text));
  const body = make("tbody", { role: "rowgroup" });
  const sent = [...files], parts = answer.parts || [];
  for (const part of parts) {
    const { row, digest } = rowOf(part);
    body.append(row);
    if (part.field === "file") compare(sent.shift(), part, digest).catch(() => {});
  }
  const total = parts.reduce((sum, part) => sum + part.size, 0);
  const id = make("a", { href: "/stored/" + answer.request_id }, make("code", {}, answer.request_id));
  show(make("h2", { id: "result-title" }, "Stored"),
    make("div", { class: "note good" }, make("p", {}, `All ${parts.length} parts, ${bytes(total)}. Request `, id)),
    make("div", { class: "card" }, make("table", { role: "table", "aria-labelledby": "result-title" },
      make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...head)), body)));
  form.reset();
  showFiles();
  showForms();
}

// The list below, as the app has it now.
async function showForms() {
  const page = await (await fetch("/")).text();
  const list = new DOMParser().parseFromString(page, "text/html").getElementById("forms");
  if (list) $("forms").replaceChildren(...list.childNodes);
}

function showProblem(problem) {
  const facts = make("dl");
  for (const key of ["field", "limit", "offset", "route", "type", "request_id"])
    if (problem[key] !== undefined) facts.append(make("div", {}, make("dt", {}, key.replace("_", " ")), make("dd", {}, String(problem[key]))));
  const visible = (problem.parts || []).filter((part) => part.state === "committed" || part.state === "unknown");
  show(make("h2", { id: "result-title" }, "Not stored"),
    make("div", { class: "note bad", role: "alert" },
      make("p", {}, make("strong", {}, problem.title + (problem.status ? ` (${problem.status})` : ""))),
      make("p", {}, problem.detail || ""), facts,
      ...visible.map((part) => make("p", {}, `${part.target}: ${part.state}`))));
}
