// `npm run demo`: Granary on a free port with a temporary store; a real build's modules through it, then the same for
// a second, cold client with every upstream cut. Everything is written below one temporary directory and removed.

import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { goDefaultProxyList, officialProxyURL, sumdbName } from "../src/protocol/official.ts";

/** A command-line program of ordinary size. `go 1.16` makes `go mod download` fetch its whole graph. */
const goMod = `module example.com/demo

go 1.16

require github.com/spf13/cobra v1.8.1
`;
/** What is asked when there is no go command: one version's three files and its record, each. */
const plain = ["rsc.io/quote/@v/v1.5.2", "rsc.io/sampler/@v/v1.3.0", "golang.org/x/text/@v/v0.9.0"];

const startLimitMs = 60_000;
const downloadLimitMs = 5 * 60_000;
const chinese = /^zh/i.test(process.env["LC_ALL"] ?? process.env["LANG"] ?? "");
const root = mkdtempSync(join(tmpdir(), "granary-demo-"));
const hasGo = spawnSync("go", ["version"]).status === 0;

type Server = { readonly url: string; readonly child: ChildProcess };
type Result = { readonly modules: number; readonly seconds: number; readonly bytes: number; readonly records: number };

async function start(args: readonly string[]): Promise<Server> {
  const program = resolve(import.meta.dirname, "../bin/granary.ts");
  const flags = ["serve", "--listen", "127.0.0.1:0", "--store", join(root, "store"), "--log-level", "error", ...args];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program, ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  return await new Promise((resolveServer, reject) => {
    const timer = setTimeout(() => reject(new Error("Granary did not start in time")), startLimitMs);
    child.once("exit", () => reject(new Error(`Granary ended before it listened:\n${said}`)));
    child.stdout.on("data", (chunk: Buffer) => {
      const url = /listening on (\S+)/.exec(chunk.toString())?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      child.removeAllListeners("exit");
      resolveServer({ url, child });
    });
  });
}

async function stop({ child }: Server): Promise<void> {
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  await ended;
}

/** A client that has nothing: its own HOME, module cache and checksum state. */
async function download(url: string, name: string): Promise<{ readonly modules: number; readonly seconds: number }> {
  const home = join(root, name);
  mkdirSync(home);
  writeFileSync(join(home, "go.mod"), goMod);
  const began = performance.now();
  const modules = hasGo ? await downloadWithGo(url, home) : await downloadPlain(url);
  return { modules, seconds: (performance.now() - began) / 1000 };
}

async function downloadWithGo(url: string, home: string): Promise<number> {
  const env: NodeJS.ProcessEnv = {
    PATH: process.env["PATH"],
    HOME: home,
    GOPATH: join(home, "go"),
    GOENV: "off",
    GOPROXY: url,
    GOSUMDB: sumdbName,
    GOFLAGS: "-mod=mod",
    GOTOOLCHAIN: "local",
  };
  const go = spawn("go", ["mod", "download", "-json"], { cwd: home, env, stdio: ["ignore", "pipe", "pipe"] });
  const timer = setTimeout(() => go.kill(), downloadLimitMs);
  let [out, problems] = ["", ""];
  go.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  go.stderr.on("data", (chunk: Buffer) => (problems += chunk.toString()));
  const code = await new Promise((done) => go.once("close", done));
  clearTimeout(timer);
  if (code !== 0) throw new Error(`go mod download failed:\n${problems}${/"Error": .*/.exec(out)?.[0] ?? ""}`);
  return out.split("\n").filter((line) => line.startsWith("{")).length;
}

async function downloadPlain(url: string): Promise<number> {
  for (const stem of plain) {
    const [path = "", version = ""] = stem.split("/@v/");
    const files = [`${stem}.info`, `${stem}.mod`, `${stem}.zip`, `sumdb/${sumdbName}/lookup/${path}@${version}`];
    for (const file of files) {
      const answer = await fetch(`${url}/${file}`, { signal: AbortSignal.timeout(downloadLimitMs) });
      if (!answer.ok) throw new Error(`${file}: ${await answer.text()}`);
      await answer.arrayBuffer();
    }
  }
  return plain.length;
}

async function measure(server: Server, name: string): Promise<Result> {
  const { modules, seconds } = await download(server.url, name);
  const metrics = await (await fetch(`${server.url}/-/metrics`)).text();
  const sum = (name: string, labels: RegExp) =>
    metrics
      .split("\n")
      .filter((line) => line.startsWith(`${name}{`) && labels.test(line))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  return {
    modules,
    seconds,
    bytes: sum("granary_upstream_bytes_total", /./),
    records: sum("granary_upstream_requests_total", /kind="sumdb lookup",outcome="200"/),
  };
}

function row(title: string, cells: readonly string[]): string {
  const columns = [12, 26, 8, 20];
  const wide = (text: string) => text.match(/[\u2e80-\uffff]/g)?.length ?? 0;
  const padded = cells.map((cell, at) => cell.padStart((columns[at] ?? 0) - wide(cell)));
  return `${title.padEnd(28 - wide(title))} ${padded.join(" ")}\n`;
}

function megabytes(bytes: number): string {
  return bytes === 0 ? "0 B" : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The module cache is read-only on purpose; it must not outlive the demo. */
function remove(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    chmodSync(join(folder, entry.name), 0o755);
    remove(join(folder, entry.name));
  }
}

try {
  if (!hasGo)
    process.stdout.write(
      chinese
        ? "此机器上没有 go 命令：由演示程序直接按协议请求。\n"
        : "No go command here: the demo speaks the protocol itself.\n",
    );
  const ambient = process.env["GOPROXY"] ?? "";
  const upstream = ambient === "" || ambient === goDefaultProxyList ? [] : ["--upstream", ambient];
  const first = await start(upstream);
  const cold = await measure(first, "cold").finally(() => stop(first));
  const second = await start(["--upstream", "off"]);
  const cut = await measure(second, "cut").finally(() => stop(second));
  const say = chinese
    ? {
        cold: "经由 Granary 冷构建",
        cut: "同样的构建，上游已断开",
        modules: "个模块",
        from: "来自上游",
        proven: "条记录已证明",
        on: "GOSUMDB 保持开启",
      }
    : {
        cold: "Cold build through Granary",
        cut: "Same build, upstream cut",
        modules: "modules",
        from: "from upstream",
        proven: "records proven",
        on: "GOSUMDB on",
      };
  const cells = (result: Result, last: string) => [
    `${result.modules} ${say.modules}`,
    `${megabytes(result.bytes)} ${say.from}`,
    `${result.seconds.toFixed(1)} s`,
    last,
  ];
  process.stdout.write(row(say.cold, cells(cold, `${cold.records} ${say.proven}`)));
  process.stdout.write(row(say.cut, cells(cut, say.on)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.stderr.write(`The demo needs a reachable upstream (GOPROXY, or ${officialProxyURL}).\n`);
  process.exitCode = 3;
} finally {
  remove(root);
  rmSync(root, { recursive: true, force: true });
  process.stdout.write(
    chinese ? `所有文件都写在 ${root} 下，已删除。\n` : `Nothing was written outside ${root}; removed.\n`,
  );
}
