import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { GranaryError } from "#services/errors/granary-error.ts";
import { messageTables } from "#services/errors/say.ts";
import { langs } from "#services/errors/sentences.ts";
import type { CommandSpec } from "./command.ts";
import { commands } from "./commands.ts";
import { runProgram } from "./program.ts";
import type { CliContext, CliServices, SettingFlag } from "./services.ts";
import { columnsOf, harmless, mark, padEnd, table, terminalColumns, wrap } from "./text.ts";

const settingFlags: readonly SettingFlag[] = [
  {
    key: "listen",
    flag: "--listen HOST:PORT",
    about: "address",
    initial: "127.0.0.1:8080",
    isList: false,
    group: "server",
  },
  { key: "store", flag: "--store DIR", about: "directory", initial: "", isList: false, group: "server" },
  { key: "sumdb", flag: "--sumdb VALUE", about: "databases", initial: "", isList: true, group: "trust" },
  { key: "tls.http2", flag: "--http2 on|off", about: "offer HTTP/2", initial: "on", isList: false, group: "tls" },
  { key: "lang", flag: "--lang LANG", about: "language", initial: "", isList: false, group: "server" },
];

/** Services that record their calls; whatever a test does not expect to be called fails it. */
function services(own: Partial<CliServices>): CliServices {
  return new Proxy(own, {
    get: (target, name) =>
      (Reflect.get(target, name) as unknown) ?? (() => Promise.reject(new Error(`unexpected ${String(name)}`))),
  }) as CliServices;
}

async function run(argv: readonly string[], own: Partial<CliServices> = {}, lang: "en" | "zh-CN" = "en") {
  const out = { code: -1, stdout: "", stderr: "" };
  const context: CliContext = {
    io: {
      stdout: (text) => (out.stdout += text),
      stderr: (text) => (out.stderr += text),
      lang,
      isTerminal: false,
      isUtf8: true,
      shell: "bash",
    },
    services: services(own),
    settingFlags,
    version: "1.2.3",
  };
  out.code = await runProgram(argv, context);
  return out;
}

suite("the command line", () => {
  test("serve hands over what was typed, by setting, and exits as the server does", async () => {
    const argv = [
      "serve",
      "--listen",
      "127.0.0.1:0",
      "--sumdb",
      "a",
      "--sumdb=b",
      "--http2",
      "off",
      "--config",
      "/c.yaml",
      "--profile",
      "p",
      "--lang",
      "zh-CN",
    ];
    let seen: unknown;
    const { code } = await run(argv, {
      serve: (flags) => {
        seen = flags;
        return Promise.resolve(130);
      },
    });
    assert.equal(code, 130);
    const values = { listen: "127.0.0.1:0", sumdb: ["a", "b"], "tls.http2": "off", lang: "zh-CN" };
    assert.deepEqual(seen, { values, config: "/c.yaml", profile: "p" });
  });

  const usage = [
    [["sevre"], "GRANARY_UNKNOWN_COMMAND", "serve"],
    [["store", "stat"], "GRANARY_UNKNOWN_COMMAND", "stats"],
    [["serve", "--lisen", "x"], "GRANARY_UNKNOWN_FLAG", "--listen"],
    [["serve", "--listen"], "GRANARY_BAD_USAGE", "--listen"],
    [["serve", "extra"], "GRANARY_BAD_USAGE", "granary serve"],
    [["explain"], "GRANARY_BAD_USAGE", "ID|CODE"],
    [["store"], "GRANARY_BAD_USAGE", "stats"],
    [["config", "print", "--lang", "fr"], "GRANARY_BAD_FLAG", "zh-CN"],
    [["token", "add", "--scope", "all"], "GRANARY_BAD_FLAG", "read | write"],
    [["help", "sotre"], "GRANARY_UNKNOWN_COMMAND", "store"],
    [["explain", "GRANARY_NOSUCH"], "GRANARY_NO_SUCH_ID", "GRANARY_NOSUCH"],
  ] as const;
  for (const [argv, code, hint] of usage)
    test(`granary ${argv.join(" ")}: exit 2, ${code}, names ${hint}, nothing on stdout`, async () => {
      const out = await run(argv, { lookUp: () => Promise.resolve(undefined) });
      assert.equal(out.code, 2);
      assert.equal(out.stdout, "");
      assert.ok(out.stderr.startsWith("granary: "));
      assert.ok(out.stderr.includes(code), out.stderr);
      assert.ok(out.stderr.includes(hint), out.stderr);
    });

  test("a failure of a service is exit 3 with its sentence, of ours or not", async () => {
    const taken = new GranaryError("GRANARY_PORT_TAKEN", { host: "127.0.0.1", port: 8080 });
    const out = await run(["serve"], { serve: () => Promise.reject(taken) });
    assert.equal(out.code, 3);
    assert.ok(out.stderr.includes("GRANARY_PORT_TAKEN"));
    const bug = await run(["serve"], { serve: () => Promise.reject(new RangeError("x")) });
    assert.equal(bug.code, 3);
    assert.ok(bug.stderr.includes("GRANARY_INTERNAL"));
  });

  test("--version, help and --help go to stdout and exit 0", async () => {
    assert.deepEqual(await run(["--version"]), { code: 0, stdout: "1.2.3\n", stderr: "" });
    for (const argv of [[], ["--help"], ["help"], ["help", "store", "verify"], ["serve", "--help"]]) {
      const out = await run(argv);
      assert.equal(out.code, 0, argv.join(" "));
      assert.equal(out.stderr, "");
      assert.notEqual(out.stdout, "");
    }
    assert.equal((await run(["help", "serve"])).stdout, (await run(["serve", "--help"])).stdout);
  });

  const everyCommand = (specs: readonly CommandSpec[], path: readonly string[]): [readonly string[], CommandSpec][] =>
    specs.flatMap((spec) => [[[...path, spec.name], spec], ...everyCommand(spec.commands ?? [], [...path, spec.name])]);
  test("a command that opens a store takes a shared one", () => {
    const some = everyCommand(commands, []).filter(
      ([, { settings = [] }]) => settings !== "all" && settings.includes("store"),
    );
    assert.ok(some.length > 20);
    for (const [path, { settings = [] }] of some)
      for (const key of ["s3.bucket", "s3.endpoint"]) assert.ok(settings.includes(key), path.join(" "));
  });

  for (const [path, spec] of everyCommand(commands, []))
    for (const lang of langs)
      test(`granary ${path.join(" ")} --help in ${lang}: sentence, example, flags, within ${terminalColumns} columns`, async () => {
        const { stdout } = await run([...path, "--help"], {}, lang);
        const lines = stdout.split("\n");
        assert.equal(lines[0], messageTables[lang][spec.about]({}));
        assert.equal(lines[3], `  ${spec.example}`);
        for (const line of lines) assert.ok(columnsOf(line) <= terminalColumns, line);
        assert.match(spec.example, new RegExp(`^granary ${path.join(" ")}`));
      });

  test("config print shows values, and origins when asked; --json is JSON alone", async () => {
    const showConfig = () => Promise.resolve([{ key: "listen", value: "127.0.0.1:8080", origin: "default" }]);
    assert.equal((await run(["config", "print"], { showConfig })).stdout, "listen  127.0.0.1:8080\n");
    assert.equal(
      (await run(["config", "print", "--origin"], { showConfig })).stdout,
      "listen  default  127.0.0.1:8080\n",
    );
    const { stdout } = await run(["config", "print", "--json"], { showConfig });
    assert.deepEqual(JSON.parse(stdout), { schema: "granary.config/1", settings: await showConfig() });
  });

  test("explain takes a code in any case, and a request id with what happened then", async () => {
    assert.ok((await run(["explain", "granary_sumdb_mismatch"])).stdout.startsWith("GRANARY_SUMDB_MISMATCH\n"));
    const error = new GranaryError("GRANARY_STORE_FULL", { what: "example.com/m@v1.0.0" });
    const lookUp = () => Promise.resolve({ at: "2026-01-01T00:00:00Z", target: "/example.com/m/@v/v1.0.0.zip", error });
    const { stdout } = await run(["explain", "7f3c21"], { lookUp });
    assert.ok(stdout.includes("example.com/m@v1.0.0") && stdout.includes("GRANARY_STORE_FULL"));
  });

  test("store verify exits 1 when something is damaged, 0 when all is sound", async () => {
    const sound = { checked: 1204, bytes: 31_800_000, findings: [] };
    const out = await run(["store", "verify"], { storeVerify: () => Promise.resolve(sound) });
    assert.equal(out.code, 0);
    assert.ok(out.stdout.includes("1,204") && out.stdout.includes("31.8 MB"));
    const damaged = { ...sound, findings: [{ key: "modules/x\u001b[31m", problem: "block 3" }] };
    const found = await run(["store", "verify"], { storeVerify: () => Promise.resolve(damaged) });
    assert.equal(found.code, 1);
    assert.ok(!found.stdout.includes("\u001b"));
  });

  test("token add shows the token once and passes scope and note on", async () => {
    const seen: unknown[] = [];
    const info = { id: "1f2e3d4c", scope: "write", note: "ci", created: "2026-01-01T00:00:00Z" } as const;
    const tokenAdd: CliServices["tokenAdd"] = (token) => {
      seen.push(token);
      return Promise.resolve({ text: "grn_secret", info });
    };
    const { stdout } = await run(["token", "add", "--scope", "write", "--note", "ci"], { tokenAdd });
    assert.deepEqual(seen, [{ scope: "write", note: "ci" }]);
    assert.equal(stdout.split("grn_secret").length, 2);
  });
});

suite("text on a terminal", () => {
  test("wrap() keeps Chinese marks after Latin words", () => {
    assert.deepEqual(wrap("（DoH、DoT），用 Pi-hole。", 80), ["（DoH、DoT），用 Pi-hole。"]);
    assert.equal(
      wrap("改用 DoH、DoT 或 AdGuard Home、公司过滤。", 12).join("").replaceAll(" ", ""),
      "改用DoH、DoT或AdGuardHome、公司过滤。",
    );
  });
  test("Chinese characters take two columns", () => {
    assert.equal(columnsOf("常平仓 ok"), 9);
    assert.equal(padEnd("模块", 6), "模块  ");
    assert.equal(
      table([
        ["模块", "x"],
        ["id", "y"],
      ]),
      "模块  x\nid    y\n",
    );
  });

  test("wrap() breaks at spaces and between Chinese characters, never over the width, and loses nothing", () => {
    const texts = [
      "The store keeps modules 存储保存模块和校验和记录，断网时照常服务。 and more words follow",
      "遇到 5xx、403 或超时。",
      "GOMODCACHE（…/cache/x），GOCACHE=off 与“代理/sumdb”无关；《配置》「一」（、）",
    ];
    for (const text of texts) {
      const lines = wrap(text, 20);
      for (const line of lines) {
        assert.ok(columnsOf(line) <= 20, line);
        assert.doesNotMatch(line, /^[，。、；：）》」”]|[（《「“]$/u);
      }
      assert.equal(lines.join("").replace(/\s/g, ""), text.replace(/\s/g, ""));
    }
  });

  test("marks say their meaning without colour or UTF-8, and foreign text cannot steer the terminal", () => {
    assert.deepEqual([mark("fail", true), mark("fail", false)], ["✗", "FAIL"]);
    assert.equal(harmless("a\u001b[2Jb\u202ec\n"), "a?[2Jb?c?");
  });
});
