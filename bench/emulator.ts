// An upstream of the bench's own, as a program:
//
//   node bench/emulator.ts --root FOLDER [--latency 100] [--bandwidth 5MB] [--faults 0.2 --seed 7] [--kinds stall,flip]
//
// FOLDER is in GOPROXY layout, checksum databases below sumdb/. Says `{"url":…,"pid":…}` when it listens.
// GET /-/counts and /-/faults tell what it was asked and how it misbehaved; POST /-/reset starts counting anew,
// POST /-/settings changes everything but the files while it runs.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { faultKinds } from "./emulator-faults.ts";
import type { FaultKind } from "./emulator-faults.ts";
import { EmulatorServer } from "./emulator-server.ts";
import type { EmulatorOptions, Settings } from "./emulator-server.ts";

const { values } = parseArgs({
  options: {
    root: { type: "string" },
    listen: { type: "string", default: "127.0.0.1:0" },
    latency: { type: "string", default: "0" },
    bandwidth: { type: "string", default: "0" },
    faults: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    kinds: { type: "string", default: "" },
    "stall-ms": { type: "string", default: "60000" },
    "drip-ms": { type: "string", default: "10000" },
    /** Base URL of a real proxy for what the folder lacks. */
    live: { type: "string" },
    /** `all`: keep everything that was fetched from there; default the checksum databases. */
    keep: { type: "string", default: "sumdb" },
    tag: { type: "string", default: "" },
    "no-ranges": { type: "boolean", default: false },
    "tls-cert": { type: "string" },
    "tls-key": { type: "string" },
    "tls-database": { type: "string" },
  },
});

const { root } = values;
if (root === undefined) throw new Error("--root FOLDER is needed");
const [, host = "127.0.0.1", port = "0"] = /^(.+):(\d+)$/.exec(values.listen) ?? [];
const server = await new EmulatorServer({
  root,
  live: values.live,
  keep: values.keep === "all" ? "all" : "sumdb",
  settings: settings(),
  tagPrefix: values.tag,
  ranges: !values["no-ranges"],
  ...tls(),
}).open({ host, port: Number(port) });
process.stdout.write(`${JSON.stringify({ url: server.url, tlsUrl: server.tlsUrl, pid: process.pid })}\n`);
process.once("SIGTERM", () => process.exit(0));

function settings(): Partial<Settings> {
  return {
    latencyMs: number(values.latency),
    bytesPerSecond: parseBandwidth(values.bandwidth),
    faults: number(values.faults),
    seed: number(values.seed),
    kinds: values.kinds.split(",").filter(Boolean).map(parseKind),
    stallMs: number(values["stall-ms"]),
    dripMs: number(values["drip-ms"]),
  };
}

function tls(): Pick<EmulatorOptions, "tls"> {
  const { "tls-cert": cert, "tls-key": key, "tls-database": database } = values;
  if (cert === undefined || key === undefined || database === undefined) return {};
  return { tls: { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8"), database } };
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) throw new Error(`not a number: ${text}`);
  return value;
}

/** `5MB`, `800kB`, `0`: bytes per second. */
function parseBandwidth(text: string): number {
  const [, digits = "", unit = ""] = /^([\d.]+)\s*(k|M)?B?(?:\/s)?$/i.exec(text) ?? [];
  const factor = unit === "" ? 1 : unit.toLowerCase() === "k" ? 1e3 : 1e6;
  return number(digits) * factor;
}

function parseKind(text: string): FaultKind {
  const kind = faultKinds.find((known) => known === text);
  if (kind === undefined) throw new Error(`no fault ${text}; there are ${faultKinds.join(" ")}`);
  return kind;
}
