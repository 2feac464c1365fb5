#!/usr/bin/env node
// solc 0.8.30 (the npm build of the compiler) behind the command line that ape, forge, slither and halmos expect:
// `--version`, and `--standard-json` on stdin with imports read from below --base-path and --include-path.
//
// With --per-file each source of the input is compiled by itself, as many at a time as there are processors, and the
// answer is kept by the hash of all it came from. A contract's bytecode then depends on nothing but its own imports,
// and a change recompiles only what it touches.
"use strict";
const { spawn } = require("child_process");
const crypto = require("crypto");
const fs = require("fs");
const os = require("os");
const path = require("path");

const SOLC = path.join(__dirname, "..", "node_modules", "solc");
const CACHE = path.join(__dirname, "..", ".tools", "cache");
const VALUED = ["--base-path", "--include-path", "--allow-paths"];
const IMPORT = /^\s*import\s+(?:[^"';]*?from\s+)?["']([^"']+)["']/gm;
const CODE = /^\s*(?:abstract\s+)?(?:contract|library)\s/m;

function parseArguments(argv) {
  const options = { roots: [], mode: null, perFile: false, passed: [] };
  for (let i = 0; i < argv.length; i++) {
    const [name, inline] = argv[i].split(/=(.*)/s);
    if (name === "--version" || name === "--standard-json") options.mode = name;
    else if (name === "--per-file") options.perFile = true;
    else if (name === "-") continue;
    else if (VALUED.includes(name)) {
      const value = inline === undefined ? argv[++i] : inline;
      options.passed.push(name, value);
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

function print(text) {
  // A pipe takes 64 KiB at a time: write synchronously, so that nothing is lost at exit.
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(fs.writeSync(1, rest));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

function compileWhole(input, roots) {
  return require(SOLC).compile(input, { import: (name) => readImport(roots, name) });
}

// ---- one source at a time ----

function textOf(input, roots, name) {
  const source = input.sources[name];
  if (source && source.content !== undefined) return source.content;
  return readImport(roots, source && source.urls ? source.urls[0] : name).contents;
}

function resolveImport(from, target, remappings) {
  if (target.startsWith(".")) return path.posix.join(path.posix.dirname(from), target);
  const hit = remappings
    .map((line) => line.split(/=(.*)/s))
    .filter(([prefix]) => target.startsWith(prefix))
    .sort((a, b) => b[0].length - a[0].length)[0];
  return hit ? hit[1] + target.slice(hit[0].length) : target;
}

// Every text that `name` is compiled from; undefined if one is not found, which the compiler then explains.
function closureOf(input, roots, name) {
  const texts = new Map();
  const open = [name];
  while (open.length > 0) {
    const next = open.pop();
    if (texts.has(next)) continue;
    const text = textOf(input, roots, next);
    texts.set(next, text === undefined ? "" : text);
    for (const [, target] of (text || "").matchAll(IMPORT)) {
      open.push(resolveImport(next, target, input.settings.remappings || []));
    }
  }
  return [...texts].sort(([a], [b]) => (a < b ? -1 : 1));
}

function partOf(input, roots, names) {
  const selection = input.settings.outputSelection || {};
  const sources = {};
  const outputSelection = {};
  for (const name of names) {
    sources[name] = { content: textOf(input, roots, name) };
    outputSelection[name] = selection[name] || selection["*"] || {};
  }
  return { language: input.language, sources, settings: { ...input.settings, outputSelection } };
}

function runChild(input, passed) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [__filename, "--standard-json", ...passed], { stdio: ["pipe", "pipe", "inherit"] });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(Buffer.concat(chunks).toString("utf8")) : reject(new Error(`the compiler ended with ${code}`)),
    );
    child.stdin.end(JSON.stringify(input));
  });
}

function keptAt(input, options, name) {
  const hash = crypto.createHash("sha256");
  hash.update(fs.readFileSync(path.join(SOLC, "package.json")));
  hash.update(JSON.stringify([partOf(input, options.roots, [name]).settings, closureOf(input, options.roots, name)]));
  return path.join(CACHE, `${hash.digest("hex")}.json`);
}

function keep(file, output) {
  fs.mkdirSync(CACHE, { recursive: true });
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, JSON.stringify(output));
  fs.renameSync(draft, file);
}

// Sources that hold no code (interfaces, mostly) go through the compiler together: there is nothing to generate.
function groupsOf(input, roots, names) {
  const bare = names.filter((name) => !CODE.test(textOf(input, roots, name) || ""));
  const groups = names.filter((name) => !bare.includes(name)).map((name) => [name]);
  return bare.length > 0 ? [...groups, bare] : groups;
}

async function compilePerFile(text, options) {
  const input = JSON.parse(text);
  const names = Object.keys(input.sources);
  const merged = { errors: [], contracts: {}, sources: {} };
  const seen = new Set();
  const take = ({ errors = [], contracts = {}, sources = {} }, wanted) => {
    for (const error of errors) {
      if (!seen.has(error.formattedMessage)) merged.errors.push(error);
      seen.add(error.formattedMessage);
    }
    for (const name of wanted) {
      if (contracts[name]) merged.contracts[name] = contracts[name];
      if (sources[name]) merged.sources[name] = sources[name];
    }
  };
  const kept = new Map(names.map((name) => [name, keptAt(input, options, name)]));
  const missing = names.filter((name) => !fs.existsSync(kept.get(name)));
  for (const name of names) {
    if (!missing.includes(name)) take(JSON.parse(fs.readFileSync(kept.get(name), "utf8")), [name]);
  }
  const open = groupsOf(input, options.roots, missing);
  const worker = async () => {
    while (open.length > 0) {
      const group = open.shift();
      const output = JSON.parse(await runChild(partOf(input, options.roots, group), options.passed));
      take(output, group);
      if ((output.errors || []).some((error) => error.severity === "error")) continue;
      for (const name of group) {
        const { contracts = {}, sources = {} } = output;
        const one = { errors: output.errors, contracts: {}, sources: {} };
        if (contracts[name]) one.contracts[name] = contracts[name];
        if (sources[name]) one.sources[name] = sources[name];
        keep(kept.get(name), one);
      }
    }
  };
  await Promise.all(Array.from({ length: os.cpus().length }, worker));
  return JSON.stringify(merged);
}

async function main() {
  const options = parseArguments(process.argv.slice(2));
  if (options.mode === "--version") {
    const version = require(SOLC).version().replace("Emscripten.clang", "Linux.g++");
    print(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
  } else if (options.mode === "--standard-json") {
    const text = fs.readFileSync(0, "utf8");
    print((options.perFile ? await compilePerFile(text, options) : compileWhole(text, options.roots)) + "\n");
  } else fail("expected --version or --standard-json");
}

main().catch((error) => fail(error.message));
