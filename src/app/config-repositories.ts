// The `repositories:` section: what the operator says of the hosts and places that `direct` reads.
//
//   repositories:
//     git.corp.example:
//       password: file:/run/secrets/git-token
//       ca: /etc/granary/corp-ca.pem

import { isIP } from "node:net";
import { z } from "zod";
import type { Place } from "#adapters/upstream/direct-places.ts";
import { parsePath } from "#protocol/path.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { findNetrc, maxNetrcBytes, parseNetrc } from "#protocol/netrc.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { onOff, text } from "./config-kinds.ts";
import type { Kind } from "./config-kinds.ts";
import type { FileEntry } from "./config-file.ts";
import { field, unknownField } from "./config-sections.ts";
import type { Field } from "./config-sections.ts";
import { readSecret } from "./config-secrets.ts";
import type { Machine } from "./go-env.ts";

/** Quotes and backslashes would need care in the files that git and ssh read. */
const path = text({ en: "an absolute path without quotes", "zh-CN": "不含引号的绝对路径" }, (value) =>
  /^(\/|[A-Za-z]:\\)[^"'\\]*$/.test(value),
);

/** What go has built in is a setting of its own here, or of no use to a server. */
const builtIn = new Set(["off", "netrc", "git"]);

/** A list, or a line without quotes that is split at its spaces. No shell sees it. */
const goAuthCommand: Kind<readonly string[]> = {
  schema: z.union([z.string(), z.array(z.string()).readonly()]).transform((value, context) => {
    const argv = typeof value === "string" ? value.split(/ +/).filter((word) => word !== "") : value;
    const isPlain = typeof value !== "string" || !/["'\\]/.test(value);
    const [program = ""] = argv;
    if (isPlain && program !== "" && !builtIn.has(program) && !argv.some((word) => /\p{Cc}/u.test(word))) return argv;
    context.addIssue({ code: "custom", message: "not of the accepted form" });
    return z.NEVER;
  }),
  accepted: {
    en: "a program and its arguments, as a list or as a line without quotes; not netrc, git or off",
    "zh-CN": "程序及其参数：列表，或不含引号的一行；不能是 netrc、git 或 off",
  },
  format: (argv) => argv.join(" "),
};

export const repositoryFields: Readonly<Record<Exclude<keyof Place, "prefix"> | "netrc", Field>> = {
  user: field({
    kind: text({ en: "a name without spaces and colons", "zh-CN": "不含空格和冒号的名称" }, (value) =>
      /^[\w.@+-]{1,128}$/.test(value),
    ),
    about: {
      en: "who we are there; `granary`, or `git` over SSH, without it",
      "zh-CN": "登录名；默认 granary，SSH 下为 git",
    },
    reason: "Hosts that take tokens take them with any name; some want the account's.",
  }),
  password: field({
    kind: text({ en: "file:/path or env:NAME", "zh-CN": "file:/path 或 env:NAME" }),
    about: { en: "password or token, sent over TLS to this place only", "zh-CN": "口令或令牌，只经 TLS 发给此处" },
    reason: "A secret: file:/path or env:NAME.",
  }),
  netrc: field({
    kind: path,
    about: { en: "netrc file with user and password of the host", "zh-CN": "含该主机登录名和口令的 netrc 文件" },
    reason: "What git, curl and go read already. Instead of `user` and `password`; its `default` is not used.",
  }),
  goauth: field({
    kind: goAuthCommand,
    about: {
      en: "a command that says the headers for this place's URLs, as `go help goauth` has it",
      "zh-CN": "给出此处 URL 请求头的命令，协议见 `go help goauth`",
    },
    reason: "Tokens that live for an hour. Instead of `user` and `password`; asked again when the host refuses.",
  }),
  ca: field({
    kind: path,
    about: { en: "PEM file of certificates trusted for the host", "zh-CN": "为该主机信任的证书（PEM 文件）" },
    reason: "A company's own certificate authority.",
  }),
  address: field({
    kind: text({ en: "IP or IP:PORT", "zh-CN": "IP 或 IP:端口" }, isAddress),
    about: { en: "where the host is, instead of DNS and the usual port", "zh-CN": "主机所在地址，取代 DNS 和默认端口" },
    reason: "A module path cannot carry a port; a git server inside may have one.",
  }),
  url: field({
    kind: text({ en: "an https, http or ssh URL", "zh-CN": "https、http 或 ssh URL" }, isRepositoryUrl),
    about: {
      en: "the repository of the module of this name and those below: nobody is asked where it is",
      "zh-CN": "该名称及其下模块的仓库：不再询问其位置",
    },
    reason: "For servers that show no go-import tag.",
  }),
  sshKey: field({
    kind: path,
    about: { en: "private key: this place is read over SSH", "zh-CN": "私钥：此处经 SSH 读取" },
    reason: "Deploy keys. Where the repository is, is still asked over https, unless `url` says it.",
  }),
  sshAddress: field({
    kind: text({ en: "HOST, IP, or either with :PORT", "zh-CN": "主机名或 IP，可带 :端口" }, isSshAddress),
    about: {
      en: "where SSH is, instead of the host (or `address`) and port 22",
      "zh-CN": "SSH 所在地址，取代主机（或 address）和 22 端口",
    },
    reason: "A git server's SSH often has a port of its own. `knownHosts` goes by the host's name all the same.",
  }),
  knownHosts: field({
    kind: path,
    about: { en: "the host keys that are right, as ssh keeps them", "zh-CN": "正确的主机密钥，known_hosts 格式" },
    reason: "Belongs to sshKey: a host whose key is not in it is not spoken with.",
  }),
  http: field({
    kind: onOff,
    about: {
      en: "plain HTTP is spoken with the host; passwords are not sent over it",
      "zh-CN": "与该主机使用明文 HTTP；不在其上发送口令",
    },
    reason: "For a host without TLS on a network that is trusted.",
  }),
};

/** Reads the section. Throws GranaryError on unknown keys and bad values. */
export async function readRepositories(
  entries: readonly FileEntry[],
  machine: Machine,
  lang: Lang,
): Promise<{
  readonly repositories: readonly Place[];
  readonly warnings: { readonly key: string; readonly origin: string }[];
}> {
  const named = new Map<string, Record<string, unknown>>();
  const warnings: { key: string; origin: string }[] = [];
  for (const entry of entries) {
    const [, prefix = "", key = ""] = entry.path;
    if (!isPlace(prefix)) throw bad(entry, prefix, placeAccepted[lang]);
    const place = named.get(prefix) ?? { prefix };
    named.set(prefix, place);
    const value = readField(key, entry, lang);
    if (key === "netrc") Object.assign(place, await readNetrc(prefix, entry, { machine, lang }));
    else place[key] = value;
    if (key !== "password" || typeof entry.value !== "string") continue;
    const secret = await readSecret({ ...entry, value: entry.value }, machine);
    if (/\p{Cc}/u.test(secret.value)) throw bad(entry, "…", repositoryFields.password.kind.accepted[lang]);
    if (secret.isPlain) warnings.push({ key: entry.key, origin: entry.origin });
    place[key] = secret.value;
  }
  for (const [prefix, place] of named) {
    checkPair(prefix, place, { entries, lang });
    checkOneWay(prefix, place, { entries, lang });
  }
  return { repositories: [...named.values()] as Place[], warnings };
}

/** User and password from a netrc file. Throws GRANARY_BAD_CONFIG when it has none for the host; no secret is in it. */
async function readNetrc(
  prefix: string,
  entry: FileEntry,
  { machine, lang }: { readonly machine: Machine; readonly lang: Lang },
): Promise<Pick<Place, "user" | "password">> {
  const [host = ""] = prefix.split("/");
  const file = String(entry.value);
  const text = await machine.readFile(file);
  const found = text === undefined ? undefined : findNetrc(parseNetrc(text.slice(0, maxNetrcBytes)), host);
  if (found === undefined) throw bad(entry, file, netrcAccepted(host)[lang]);
  const isClean = /^[\w.@+-]{1,128}$/.test(found.login) && !/\p{Cc}/u.test(found.password);
  if (!isClean) throw bad(entry, file, repositoryFields.user.kind.accepted[lang]);
  return { user: found.login, password: found.password };
}

const netrcAccepted = (host: string) => ({
  en: `a file with a line: machine ${host} login NAME password SECRET`,
  "zh-CN": `含有如下一行的文件：machine ${host} login NAME password SECRET`,
});

/** A key without the host keys it may be used with would be a connection to anybody. */
function checkPair(
  prefix: string,
  place: Record<string, unknown>,
  at: { readonly entries: readonly FileEntry[]; readonly lang: Lang },
): void {
  if ((place["sshKey"] === undefined) === (place["knownHosts"] === undefined)) return;
  const missing = place["sshKey"] === undefined ? "sshKey" : "knownHosts";
  const origin = at.entries.find((entry) => entry.path[1] === prefix)?.origin ?? "";
  throw bad({ origin, key: `repositories.${prefix}.${missing}` }, "", repositoryFields[missing].kind.accepted[at.lang]);
}

/** Two ways to say who we are would leave open which of them is meant. */
function checkOneWay(
  prefix: string,
  place: Record<string, unknown>,
  at: { readonly entries: readonly FileEntry[]; readonly lang: Lang },
): void {
  if (place["goauth"] === undefined || place["password"] === undefined) return;
  const entry = at.entries.find(({ path }) => path[1] === prefix && path[2] === "goauth");
  const accepted = { en: "goauth, or a password", "zh-CN": "goauth 或口令，二者取一" }[at.lang];
  throw bad({ origin: entry?.origin ?? "", key: `repositories.${prefix}.goauth` }, "…", accepted);
}

const placeAccepted = {
  en: "a host, or a host and a path, as module paths begin: git.corp.example/team",
  "zh-CN": "主机，或主机加路径，即模块路径的开头：git.corp.example/team",
} as const;

function isPlace(text: string): boolean {
  try {
    parsePath(text);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

function readField(key: string, entry: FileEntry, lang: Lang): unknown {
  if (entry.path.length !== 3 || !Object.hasOwn(repositoryFields, key))
    throw unknownField(key, Object.keys(repositoryFields), entry);
  const { kind } = repositoryFields[key as keyof typeof repositoryFields];
  const read = kind.schema.safeParse(entry.value);
  if (!read.success) throw bad(entry, isSecret(key) ? "…" : String(entry.value), kind.accepted[lang]);
  return read.data;
}

/** A command may have a token among its arguments. */
function isSecret(key: string): boolean {
  return key === "password" || key === "goauth";
}

function bad({ origin, key }: Pick<FileEntry, "origin" | "key">, value: string, accepted: string): GranaryError {
  return new GranaryError("GRANARY_BAD_CONFIG", { origin, key, value, accepted });
}

function isAddress(value: string): boolean {
  const [, six, four, port] = /^(?:\[([\da-f:.]+)\]|([\d.]+|[\da-f:]+:[\da-f:]*))(?::(\d{1,5}))?$/i.exec(value) ?? [];
  if (isIP(value) !== 0) return true;
  return isIP(six ?? four ?? "") !== 0 && (port === undefined || Number(port) <= 65_535);
}

function isSshAddress(value: string): boolean {
  const [, host, port] = /^([a-z\d][a-z\d.-]*)(?::(\d{1,5}))?$/i.exec(value) ?? [];
  return isAddress(value) || (host !== undefined && (port === undefined || Number(port) <= 65_535));
}

/** No credentials in it, no query, and nothing that a program could take for an option. */
function isRepositoryUrl(value: string): boolean {
  if (!/^(https?|ssh):\/\/([\w.-]+@)?[a-z\d][a-z\d.-]*(:\d{1,5})?\/[\w.~%+/-]+$/i.test(value) || !URL.canParse(value))
    return false;
  const { protocol, username, pathname } = new URL(value);
  return (username === "" || protocol === "ssh:") && !/\/-|\/\.\.?(\/|$)/.test(pathname);
}
