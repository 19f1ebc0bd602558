#!/usr/bin/env node
// The one door every npm script goes through: `node scripts/launch.cjs FILE [ARG ...]`.
//
// It runs on the old Node a machine may have (20 and newer), makes sure that what the lock file names is
// installed, finds a Node that can run TypeScript, runs FILE with it and passes signals on exactly once.
// CommonJS and free of dependencies on purpose: it must work before anything is installed.
"use strict";
const { spawn, spawnSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const root = path.resolve(__dirname, "..");
const modules = path.join(root, "node_modules");
const stampFile = path.join(modules, ".granary-stamp");
const onWindows = process.platform === "win32";

/** Hash of all that decides what npm would install here. */
function wantedStamp() {
  const hash = createHash("sha256");
  for (const name of ["package.json", "package-lock.json"]) hash.update(fs.readFileSync(path.join(root, name)));
  return hash.update(`${process.platform}-${process.arch}`).digest("hex");
}

function stamp() {
  try {
    return fs.readFileSync(stampFile, "utf8");
  } catch {
    return "";
  }
}

function npm(args) {
  // npm's own report goes to stderr: our stdout belongs to the program we start.
  const done = spawnSync(onWindows ? "npm.cmd" : "npm", args, {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: onWindows,
    env: { ...process.env, NODE_ENV: "" },
  });
  return done.status === 0;
}

/** Installs what the lock file names, unless a stamp says it was done. */
function install() {
  const want = wantedStamp();
  if (stamp() === want) return;
  process.stderr.write("granary: installing what package-lock.json names (once, and after each change of it)\n");
  const common = [
    "--include=dev",
    "--include=optional",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  const exact = npm(["ci", ...common]);
  if (!exact) process.stderr.write("granary: npm ci failed; trying npm install --no-save\n");
  if (!exact && !npm(["install", "--no-save", ...common])) {
    process.stderr.write("granary: npm could not install the dependencies; its message is above.\n");
    process.exit(3);
  }
  fs.mkdirSync(modules, { recursive: true });
  fs.writeFileSync(stampFile, want);
}

/** True when `node` runs TypeScript as it is (24.12 and newer). */
function runsTypeScript(node) {
  const asked = spawnSync(node, ["--version"], { encoding: "utf8", timeout: 20_000 });
  const found = asked.status === 0 ? /^v(\d+)\.(\d+)\./.exec(asked.stdout) : null;
  if (found === null) return false;
  const major = Number(found[1]);
  return major > 24 || (major === 24 && Number(found[2]) >= 12);
}

/** A Node that came with `npm install`, when it runs on this machine; one that does not run is taken off the PATH. */
function shippedNode() {
  const name = path.join(modules, ".bin", onWindows ? "node.exe" : "node");
  if (!fs.existsSync(name)) return undefined;
  if (runsTypeScript(name)) return name;
  // It would shadow `node` in every npm script (a musl or an arm machine, say).
  fs.rmSync(name, { force: true });
  return undefined;
}

function findNode() {
  const shipped = shippedNode();
  if (shipped !== undefined) return shipped;
  if (runsTypeScript(process.execPath)) return process.execPath;
  process.stderr.write(
    `granary: needs Node 24.12 or newer; this is ${process.version}, and npm ships none for ${process.platform}-${process.arch}.\n` +
      "  Install a current Node 24 or 26, or use the release bundle on one.\n",
  );
  process.exit(3);
}

function run(node, args) {
  const child = spawn(node, ["--disable-warning=ExperimentalWarning", ...args], {
    stdio: "inherit",
    cwd: process.cwd(),
  });
  // A terminal sends Ctrl-C to the whole group, and npm passes SIGTERM on as well: the child must hear each
  // request once, or a drain would become a stop at once.
  let asked = 0;
  const pass = (signal) => {
    const now = Date.now();
    if (now - asked < 300) return;
    asked = now;
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    child.kill(signal);
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => pass(signal));
  watchParent(() => pass("SIGTERM"));
  child.on("error", (error) => {
    process.stderr.write(`granary: cannot start ${node}: ${error.message}\n`);
    process.exit(3);
  });
  child.on("exit", (code, signal) =>
    process.exit(code ?? (signal === "SIGINT" ? 130 : signal === "SIGTERM" ? 143 : 1)),
  );
}

/**
 * npm runs scripts through a shell, and that shell passes no signal on: it dies and leaves us behind. Started by npm,
 * a new parent therefore means that we were asked to stop.
 */
function watchParent(orphaned) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    orphaned();
  }, 200);
  timer.unref();
}

install();
const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("granary: usage: node scripts/launch.cjs FILE [ARG ...]\n");
  process.exit(2);
}
run(findNode(), [path.resolve(root, file), ...args]);
