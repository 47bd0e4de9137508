// Whether a request to an application comes from penstock: the header Penstock-Signature.
"use strict";
const crypto = require("crypto");

const same = (a, b) => a.length === b.length && crypto.timingSafeEqual(a, b);

// keys: strings or buffers, one or more. target: the path with its query as it was sent. body: a buffer, before anybody has
// parsed it. header: Penstock-Signature, or undefined. It holds for `within` seconds.
exports.isSigned = (keys, purpose, method, target, requestId, body, header, within = 300) => {
  const fields = (header || "").split(",").map((field) => field.split(/=(.*)/s));
  const said = new Map(fields);
  const t = said.get("t") || "";
  if (said.get("p") !== purpose || !/^[0-9]+$/.test(t) || Math.abs(Date.now() / 1000 - Number(t)) > within) return false;
  const sum = crypto.createHash("sha256").update(body).digest("hex");
  const text = [purpose, t, method, target, requestId, sum].join("\n");
  const sent = fields.filter(([name]) => name === "v1").map(([, value]) => Buffer.from(value || ""));
  return keys.some((key) => {
    const mine = Buffer.from(crypto.createHmac("sha256", key).update(text).digest("hex"));
    return sent.some((signature) => same(mine, signature));
  });
};
