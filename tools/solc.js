#!/usr/bin/env node
// solc 0.8.30 (the npm build of the compiler) behind the command line that ape, forge, slither and halmos expect:
// `--version`, and `--standard-json` on stdin with imports read from below --base-path and --include-path.
"use strict";
const fs = require("fs");
const path = require("path");

const solc = require(path.join(__dirname, "..", "node_modules", "solc"));

const VALUED = ["--base-path", "--include-path", "--allow-paths"];

function parseArguments(argv) {
  const options = { roots: [], mode: null };
  for (let i = 0; i < argv.length; i++) {
    const [name, inline] = argv[i].split(/=(.*)/s);
    if (name === "--version" || name === "--standard-json") options.mode = name;
    else if (name === "-") continue;
    else if (VALUED.includes(name)) {
      const value = inline === undefined ? argv[++i] : inline;
      if (name !== "--allow-paths") options.roots.push(value);
    } else fail(`unsupported argument ${argv[i]}`);
  }
  return options;
}

function fail(message) {
  process.stderr.write(`solc: ${message}\n`);
  process.exit(1);
}

function readImport(roots, name) {
  for (const root of ["", ...roots]) {
    const candidate = path.join(root, name);
    if (fs.existsSync(candidate)) return { contents: fs.readFileSync(candidate, "utf8") };
  }
  return { error: `${name} was not found below ${roots.join(", ") || "the working directory"}` };
}

const options = parseArguments(process.argv.slice(2));
if (options.mode === "--version") {
  const version = solc.version().replace("Emscripten.clang", "Linux.g++");
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else if (options.mode === "--standard-json") {
  const input = fs.readFileSync(0, "utf8");
  const output = solc.compile(input, { import: (name) => readImport(options.roots, name) });
  // A pipe takes 64 KiB at a time: write synchronously, so that nothing is lost at exit.
  let rest = Buffer.from(output + "\n");
  while (rest.length > 0) {
    try {
      rest = rest.subarray(fs.writeSync(1, rest));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
} else fail("expected --version or --standard-json");
