// SPDX-License-Identifier: MIT
// Express, which reads forms by qs. Rows are written by the program sqlite3, because Debian's module needs Debian's node.
"use strict";
const { execFileSync } = require("child_process");
const { readFileSync } = require("fs");
const { join } = require("path");
const express = require("express");
const { isSigned } = require("../verify/penstock_signature.js");

const KEYS = [process.env.APP_KEY];
const USERS = new Map([["alice-cookie", "alice"]]);
const PAGE = readFileSync(join(__dirname, "../page.html"), "utf8");
const app = express();

const text = (value) => `CAST(x'${Buffer.from(String(value)).toString("hex")}' AS TEXT)`;
const sql = (...lines) => execFileSync("sqlite3", ["-bail", "-cmd", ".timeout 5000", process.env.APP_DB],
  { input: `BEGIN IMMEDIATE; ${lines.join("; ")}; COMMIT;`, timeout: 30000 }).toString().trim();
const session = (req) => /(?:^|;)\s*session=([^;]*)/.exec(req.get("Cookie") || "");
const userOf = (req) => USERS.get((session(req) || [])[1]);

app.use(express.urlencoded({ extended: true, limit: "1mb", parameterLimit: 5000, verify: (req, res, body) => { req.raw = body; } }));

const fromPenstock = (purpose) => (req, res, next) => {
  const id = req.get("X-Request-Id") || "";
  const signed = isSigned(KEYS, purpose, req.method, req.originalUrl, id, req.raw || Buffer.alloc(0), req.get("Penstock-Signature"));
  if (signed) next();
  else res.sendStatus(403);
};

app.post("/sign-in", (req, res) => {
  res.cookie("session", "alice-cookie", { httpOnly: true, sameSite: "strict" }).redirect(303, "/albums/7");
});

const escape = (value) => value.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
app.get("/albums/:album", (req, res) => {
  const rows = execFileSync("sqlite3", ["-json", process.env.APP_DB, "SELECT title, name FROM album JOIN photo USING (request) ORDER BY photo.rowid"]).toString();
  const text = JSON.parse(rows || "[]").map((row) => `<p><b>${escape(row.title)}</b> <i>${escape(row.name)}</i></p>`).join("");
  res.send(PAGE.replace("ROWS", () => text));
});

app.get("/uploads/authorize", fromPenstock("authorize"), (req, res) => {
  if (userOf(req)) res.set("Penstock-Grant-User", userOf(req)).status(204).end();
  else res.set("WWW-Authenticate", "Cookie").status(401).send("log in first");
});

app.post("/albums/:album", fromPenstock("form"), (req, res) => {
  const id = req.get("X-Request-Id"), { title } = req.body;
  if (title === "no") return res.status(422).send("that title is taken");
  const photos = [].concat(req.body.photo || []).map((photo) => JSON.parse(photo)); // qs reads photo[] so
  const stands = sql(`INSERT INTO album SELECT ${[id, userOf(req), title].map(text)} WHERE NOT EXISTS (SELECT 1 FROM void WHERE request = ${text(id)})`,
    `SELECT changes()`, ...photos.map((p) => `INSERT INTO photo VALUES (${text(id)}, 'photo[]', ${text(p.name)}, ${text(p.target)}, ${Number(p.size)})`));
  if (stands !== "1") return res.status(409).send("that form has failed"); // its photos belong to no album
  if (title === "die") process.kill(process.pid, "SIGKILL");
  return res.redirect(303, `/albums/${req.params.album}`);
});

app.post("/uploads/failed", fromPenstock("failed"), (req, res) => {
  const id = text(req.get("X-Request-Id"));
  sql(`DELETE FROM album WHERE request = ${id}`, `DELETE FROM photo WHERE request = ${id}`, `INSERT OR IGNORE INTO void VALUES (${id})`);
  res.sendStatus(204);
});

app.post("/uploads/resolve", fromPenstock("resolve"), (req, res) => {
  const id = text(req.get("X-Request-Id")); // what is not known never will be: the form may still be on its way to here
  const found = sql(`INSERT OR IGNORE INTO void SELECT ${id} WHERE NOT EXISTS (SELECT 1 FROM album WHERE request = ${id})`,
    `SELECT 1 FROM album WHERE request = ${id}`);
  res.sendStatus(found ? 204 : 404);
});

app.listen(Number(process.env.APP_PORT), "127.0.0.1");
