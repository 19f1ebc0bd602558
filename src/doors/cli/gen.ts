// `granary gen nginx`: configuration for the programs around Granary. What a person typed becomes typed values here, or
// is refused: the text is made of these alone (services/generate).

import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { http2DirectiveSince, nginxConfig } from "#services/generate/nginx.ts";
import type { NginxOptions, NginxTls } from "#services/generate/nginx.ts";
import {
  parseListen,
  parseNginxVersion,
  parseNode,
  parsePathText,
  parseServerName,
  parseSize,
} from "#services/generate/nginx-values.ts";
import type { NodeAddress } from "#services/generate/nginx-values.ts";
import { textOption } from "./command.ts";
import type { Call, CommandSpec } from "./command.ts";
import type { CliContext, GenTools } from "./services.ts";
import { exit } from "./services.ts";
import { harmless } from "./text.ts";

const nginx: CommandSpec = {
  name: "nginx",
  about: "command.gen.nginx",
  example: "granary gen nginx --node 10.0.0.1:8080 --node 10.0.0.2:8080 --test",
  flags: [
    { flag: "--node HOST:PORT", about: "flag.gen-node", isList: true },
    { flag: "--nodes FILE", about: "flag.gen-nodes" },
    { flag: "--node-ca FILE", about: "flag.gen-node-ca" },
    { flag: "--node-name NAME", about: "flag.gen-node-name" },
    { flag: "--server-name NAME", about: "flag.gen-server-name" },
    { flag: "--listen [HOST:]PORT", about: "flag.gen-listen" },
    { flag: "--tls-cert FILE", about: "flag.gen-tls-cert" },
    { flag: "--tls-key FILE", about: "flag.gen-tls-key" },
    { flag: "--tls PROFILE", about: "flag.gen-tls" },
    { flag: "--no-http2", about: "flag.gen-no-http2" },
    { flag: "--nginx VERSION", about: "flag.gen-nginx" },
    { flag: "--cache DIR", about: "flag.gen-cache" },
    { flag: "--cache-size SIZE", about: "flag.gen-cache-size" },
    { flag: "--cache-zone SIZE", about: "flag.gen-cache-zone" },
    { flag: "--out FILE", about: "flag.gen-out" },
    { flag: "--test", about: "flag.gen-test" },
  ],
  run: async (call, context) => {
    const tools = await context.services.gen();
    return await runNginx(call, context, tools);
  },
};

async function runNginx(call: Call, { io }: CliContext, tools: GenTools): Promise<number> {
  const options = await nginxOptions(call, io.lang, tools);
  let code: number = exit.ok;
  if (call.options["test"] === true) {
    const verdict = await tools.testNginx(options);
    if (verdict === undefined) {
      io.stderr(`${say(io.lang, "gen.untested")}\n`);
      code = exit.failed;
    } else if (!verdict.isGood) {
      io.stderr(`${say(io.lang, "gen.refused", verdict)}\n${verdict.said.split("\n").map(harmless).join("\n")}\n`);
      return exit.findings;
    } else io.stderr(`${say(io.lang, "gen.tested", verdict)}\n`);
  }
  const text = nginxConfig(options);
  const file = textOption(call, "out");
  if (file === undefined) io.stdout(text);
  else {
    await tools.write(file, text);
    io.stderr(`${say(io.lang, "gen.written", { file: harmless(file) })}\n`);
  }
  if (options.tls === undefined) io.stderr(`${say(io.lang, "gen.plain")}\n`);
  return code;
}

async function nginxOptions(call: Call, lang: CliContext["io"]["lang"], tools: GenTools): Promise<NginxOptions> {
  const typed = (call.options["node"] as readonly string[] | undefined) ?? [];
  const file = textOption(call, "nodes");
  const listed = file === undefined ? [] : await tools.readNodes(file);
  const nodes = [
    ...typed.map((text) => value("--node", text, { parse: parseNode, accepted: acceptedNodes })),
    ...listed.map((text) => value("--nodes", text, { parse: parseNode, accepted: acceptedNodes })),
  ];
  if (nodes.length === 0) throw usage(say(lang, "gen.no-nodes"));
  const serverName = option(call, "server-name", { parse: parseServerName, accepted: "go.example.com" }) ?? "localhost";
  const tls = tlsOptions(call, lang);
  const listen = option(call, "listen", { parse: parseListen, accepted: "443, 127.0.0.1:8443" });
  const port = tls === undefined ? 80 : 443;
  const dir = option(call, "cache", { parse: parsePathText, accepted: acceptedPaths });
  const sizes = { parse: parseSize, accepted: "512m, 10g" };
  const [size, zone] = [option(call, "cache-size", sizes), option(call, "cache-zone", sizes)];
  return {
    nodes,
    nodeTrust: nodeTrust(call, { lang, nodes, serverName }),
    serverName,
    listen: listen?.host === undefined ? String(listen?.port ?? port) : `${listen.host}:${listen.port}`,
    tls,
    cache: dir === undefined ? undefined : { dir, size: size ?? "10g", zone: zone ?? "10m" },
  };
}

function tlsOptions(call: Call, lang: CliContext["io"]["lang"]): NginxTls | undefined {
  const paths = { parse: parsePathText, accepted: acceptedPaths };
  const [cert, key] = [option(call, "tls-cert", paths), option(call, "tls-key", paths)];
  const profile = option(call, "tls", {
    parse: (text) => (text === "hardened" || text === "compat" ? text : undefined),
    accepted: "hardened, compat",
  });
  const version = option(call, "nginx", { parse: parseNginxVersion, accepted: "1.22, 1.28.0" });
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw usage(say(lang, "gen.tls-pair"));
  const isNew = version !== undefined && compare(version, http2DirectiveSince) >= 0;
  const http2 = call.options["http2"] === false ? "off" : isNew ? "directive" : "listen";
  return { cert, key, profile: profile ?? "hardened", http2 };
}

function nodeTrust(
  call: Call,
  use: {
    readonly lang: CliContext["io"]["lang"];
    readonly nodes: readonly NodeAddress[];
    readonly serverName: string;
  },
): NginxOptions["nodeTrust"] {
  const { lang, nodes, serverName } = use;
  const ca = option(call, "node-ca", { parse: parsePathText, accepted: acceptedPaths });
  const name = option(call, "node-name", { parse: parseServerName, accepted: "go.example.com" });
  const encrypted = nodes.filter(({ isTls }) => isTls).length;
  if (encrypted !== (ca === undefined ? 0 : nodes.length)) throw usage(say(lang, "gen.mixed-nodes"));
  return ca === undefined ? undefined : { ca, name: name ?? serverName };
}

const acceptedNodes = "10.0.0.1:8080, node1:8080, https://node1:8443";
const acceptedPaths = "/absolute/path (letters, digits, . _ - + @ = , ~)";

type Kind<T> = { readonly parse: (text: string) => T | undefined; readonly accepted: string };

/** A flag's value by its name on the command line. Throws GRANARY_BAD_FLAG. */
function option<T>(call: Call, name: string, kind: Kind<T>): T | undefined {
  const text = textOption(
    call,
    name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  );
  return text === undefined ? undefined : value(`--${name}`, text, kind);
}

function value<T>(flag: string, text: string, { parse, accepted }: Kind<T>): T {
  const parsed = parse(text);
  if (parsed === undefined) throw new GranaryError("GRANARY_BAD_FLAG", { flag, value: text, accepted });
  return parsed;
}

function usage(reason: string): GranaryError {
  return new GranaryError("GRANARY_BAD_USAGE", { reason, usage: "granary gen nginx --node HOST:PORT" });
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((part, index) => part !== other[index]);
  return at < 0 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}

export const genCommand: CommandSpec = {
  name: "gen",
  about: "command.gen",
  example: "granary gen nginx --node 127.0.0.1:8080",
  commands: [nginx],
};
