// Takes every address out of package-lock.json: where packages come from, and where their authors ask for money.
"use strict";
const fs = require("fs");
const path = require("path");

const file = path.join(__dirname, "..", "package-lock.json");
const lock = JSON.parse(fs.readFileSync(file, "utf8"));
for (const entry of Object.values(lock.packages)) {
  delete entry.resolved;
  delete entry.funding;
}
fs.writeFileSync(file, JSON.stringify(lock, null, 2) + "\n");
