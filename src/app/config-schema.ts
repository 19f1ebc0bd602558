// Every setting, once: its kind, default, reason and danger. The YAML key is the name here; the variable is
// GRANARY_ and the same name in capitals (`log.level` → GRANARY_LOG_LEVEL); only everyday settings have a flag.

import { posix, win32 } from "node:path";
import { sumdbName } from "#protocol/official.ts";
import type { Lang } from "#services/errors/sentences.ts";
import {
  duration,
  hostPort,
  integer,
  isHostPort,
  listOf,
  onOff,
  oneOf,
  orEmptyList,
  orNothing,
  percent,
  size,
  text,
} from "./config-kinds.ts";
import { egressKind, hostsKind } from "./config-egress.ts";
import { lowWaterKind } from "./config-low-water.ts";
import { shared } from "./config-shared.ts";
import { maxWitnesses, witnessesKind } from "./config-witnesses.ts";
import {
  isCidr,
  isGoSumdb,
  isIndexUrl,
  isIntegrityFrom,
  isPatternList,
  isProxyList,
  isRewriteRule,
} from "./config-checks.ts";
import { readGoEnv, readGoProxy, userDataDir } from "./go-env.ts";
import type { Machine } from "./go-env.ts";
import { presetList } from "./presets.ts";
import { setting } from "./config-setting.ts";
import type { Setting } from "./config-setting.ts";

export { groups } from "./config-setting.ts";
export type { Group, Setting } from "./config-setting.ts";

const path = text({ en: "a path", "zh-CN": "路径" });
const minutes = 60_000;
const days = 86_400_000;

const server = {
  listen: setting({
    kind: hostPort,
    group: "server",
    flag: "--listen HOST:PORT",
    initial: "127.0.0.1:8080",
    about: { en: "address to listen on; port 0 takes any free one", "zh-CN": "监听地址；端口 0 表示任取一个空闲端口" },
    reason: "The loopback address serves one machine and exposes nothing.",
    danger: "Beyond loopback everyone who reaches the port can read public modules through this server.",
    restart: true,
  }),
  store: setting({
    kind: path,
    group: "server",
    flag: "--store DIR",
    initial: "granary",
    ambient: (machine) => {
      const path = machine.platform === "win32" ? win32 : posix;
      return Promise.resolve({ value: path.join(userDataDir(machine), "granary"), origin: "default" });
    },
    initialInDocs: "the platform's data directory, …/granary",
    about: { en: "directory that keeps modules and checksum records", "zh-CN": "保存模块和校验和记录的目录" },
    reason: "What is kept is worth keeping across restarts and upgrades.",
    danger: "One process writes a store. Do not put it on a file system without rename and fsync.",
    restart: true,
  }),
  workers: setting({
    kind: integer(0, 64),
    group: "server",
    flag: "--workers N",
    initial: "0",
    about: { en: "additional processes that serve kept files", "zh-CN": "额外的进程数，只提供已保存的文件" },
    reason: "One process serves some ten thousand small files a second; more only pay on busy machines.",
    restart: true,
  }),
  lang: setting({
    kind: oneOf("en", "zh-CN"),
    group: "server",
    flag: "--lang LANG",
    initial: "en",
    ambient: (machine) => Promise.resolve(localeOf(machine)),
    initialInDocs: "the locale's (LC_ALL, LC_MESSAGES, LANG)",
    about: { en: "language of messages: en or zh-CN", "zh-CN": "消息语言：en 或 zh-CN" },
    reason: "Error codes stay the same in every language.",
  }),
} as const;

/** How modules are built from their repositories; nothing of it applies until something is to be built so. */
const direct = {
  "direct.modules": setting({
    kind: orNothing(
      text({ en: "GOPRIVATE patterns with commas between", "zh-CN": "以逗号分隔的 GOPRIVATE 模式" }, isPatternList),
    ),
    group: "direct",
    flag: "--direct PATTERNS",
    initial: "",
    about: {
      en: "private modules that are built from their repositories; they need not stand in `private` as well",
      "zh-CN": "直接从仓库构建的私有模块；无需再写入 private",
    },
    reason: "One setting makes a private repository work: its host is asked, nobody else, and everything else stays.",
    danger: "Whoever may read them makes this machine run go and git against these hosts.",
    restart: true,
  }),
  "direct.cidrs": setting({
    kind: orEmptyList(text({ en: "networks such as 10.0.0.0/8", "zh-CN": "网段，如 10.0.0.0/8" }, isCidr)),
    group: "direct",
    initial: [],
    about: {
      en: "private networks that a repository of any name may be in",
      "zh-CN": "任意名称的仓库可以位于其中的私有网段",
    },
    reason: "Hosts named in direct.modules or repositories may be anywhere; a host that a page leads to may not.",
    danger: "A page of a foreign host can then lead to whatever listens on port 443 there.",
    restart: true,
  }),
  "direct.timeout": setting({
    kind: duration(1_000, 10 * minutes),
    group: "direct",
    initial: "2m",
    about: { en: "longest run of one go command", "zh-CN": "一次 go 命令的最长时间" },
    reason: "A large repository over a slow line; a hung one is killed with all it started.",
    restart: true,
  }),
  "direct.maxBytes": setting({
    kind: size(2 ** 20, 2 ** 40),
    group: "direct",
    initial: "2GiB",
    about: { en: "disk that one run may fill, and traffic it may cause", "zh-CN": "一次运行可用的磁盘和流量" },
    reason: "The largest zip Go allows, unpacked, twice; beyond it the run is killed.",
    restart: true,
  }),
  "direct.maxMemory": setting({
    kind: size(0, 2 ** 40),
    group: "direct",
    initial: "1GiB",
    about: {
      en: "memory of one run, go, git and all; 0 for no bound (Linux only)",
      "zh-CN": "一次运行（go、git 等）的内存；0 表示不限（仅 Linux）",
    },
    reason: "A pack can be made to need any amount of it.",
    restart: true,
  }),
  "direct.jobs": setting({
    kind: integer(1, 64),
    group: "direct",
    initial: "4",
    about: { en: "go commands at a time", "zh-CN": "同时运行的 go 命令数" },
    reason: "Each is a process with children; the others stand in line.",
    restart: true,
  }),
  "direct.keep": setting({
    kind: duration(1_000, 60 * minutes),
    group: "direct",
    initial: "10m",
    about: { en: "how long a download waits for who asks for its zip", "zh-CN": "下载内容等待 zip 请求的时间" },
    reason: "The .info, go.mod and zip of a version are one snapshot, made by one run.",
    restart: true,
  }),
  "direct.keepBytes": setting({
    kind: size(0, 2 ** 40),
    group: "direct",
    initial: "1GiB",
    about: { en: "disk for all such downloads together", "zh-CN": "所有此类下载共用的磁盘" },
    reason: "The oldest go first; a run makes them again.",
    restart: true,
  }),
  "direct.folder": setting({
    kind: orNothing(path),
    group: "direct",
    initial: "",
    initialInDocs: "the system's temporary directory",
    about: { en: "where runs have their folders", "zh-CN": "运行时文件夹的位置" },
    reason: "A temporary directory in memory may be too small.",
    restart: true,
  }),
} as const;

const upstreams = {
  upstream: setting({
    kind: text(
      {
        en: "a GOPROXY list: URLs (http, https, file), direct, off, with , or | between",
        "zh-CN": "GOPROXY 列表：URL（http、https、file）、direct、off，以 , 或 | 分隔",
      },
      isProxyList,
    ),
    group: "upstreams",
    flag: "--upstream LIST",
    initial: presetList,
    ambient: readGoProxy,
    initialInDocs: "the machine's GOPROXY, else the presets (official, goproxy.cn, aliyun)",
    about: { en: "upstream proxies, in GOPROXY syntax", "zh-CN": "上游代理，写法同 GOPROXY" },
    reason: "What the machine's own go command uses is the best guess at what is reachable from it.",
  }),
  mode: setting({
    kind: oneOf("resilient", "go"),
    group: "upstreams",
    flag: "--mode MODE",
    initial: "resilient",
    about: {
      en: "how the list is walked: resilient, or exactly as go does",
      "zh-CN": "遍历上游的方式：resilient，或与 go 完全一致",
    },
    reason: "In go a failing first upstream fails the build; resilient asks the next one.",
  }),
  private: setting({
    kind: orNothing(
      text({ en: "GOPRIVATE patterns with commas between", "zh-CN": "以逗号分隔的 GOPRIVATE 模式" }, isPatternList),
    ),
    group: "trust",
    flag: "--private PATTERNS",
    initial: "",
    ambient: (machine) => readGoEnv("GOPRIVATE", machine),
    initialInDocs: "the machine's GOPRIVATE",
    about: {
      en: "names never told to public upstreams or databases",
      "zh-CN": "绝不告知公共上游和公共校验和数据库的模块路径",
    },
    reason: "The name of a private module can be a secret of its own.",
    danger: "A pattern that is too narrow leaks names; one that is too wide hides public modules.",
  }),
  privateReaders: setting({
    kind: oneOf("tokens", "anyone"),
    group: "trust",
    flag: "--private-readers WHO",
    initial: "tokens",
    about: {
      en: "who reads private modules: token holders (and this machine), or anyone",
      "zh-CN": "谁可读取私有模块：持令牌者（及本机），或任何人",
    },
    reason: "A cache of private code must not be an open door to it.",
    danger: "With `anyone` the network is the only protection of private code.",
    restart: true,
  }),
  sumdb: setting({
    kind: listOf(
      text(
        {
          en: "NAME, NAME+HASH+KEY, either followed by a URL; or off",
          "zh-CN": "NAME 或 NAME+HASH+KEY，其后可加 URL；或 off",
        },
        isGoSumdb,
      ),
      ";",
    ),
    group: "trust",
    flag: "--sumdb VALUE",
    initial: [sumdbName],
    initialInDocs: "Go's own database",
    about: { en: "checksum databases, in GOSUMDB syntax", "zh-CN": "校验和数据库，写法同 GOSUMDB" },
    reason: "Every public version is proven against it before it is kept.",
    danger: "`off` serves whatever upstreams send, unproven; log, readyz and every answer say so.",
    restart: true,
  }),
  "sumdb.watch": setting({
    kind: duration(0, 24 * 60 * minutes),
    group: "trust",
    initial: "10m",
    about: {
      en: "how often every route to a database shows its newest head, to be held against ours; 0 for never",
      "zh-CN": "每隔多久向通往数据库的每条路径取最新树头，与本地历史对照；0 表示从不",
    },
    reason: "A mirror that shows two histories is seen before a client meets the second one.",
  }),
  "sumlog.key": setting({
    kind: orNothing(path),
    group: "trust",
    flag: "--sumlog-key FILE",
    initial: "",
    about: {
      en: "signer key of an own checksum database, made by `granary sumdb keygen`",
      "zh-CN": "自有校验和数据库的签名密钥，由 `granary sumdb keygen` 生成",
    },
    reason: "One database for private and public modules: `go` accepts only one. Without a key there is none.",
    danger: "Whoever reads the file can sign in the database's name. Never start a new log with a key that was used.",
    restart: true,
  }),
  "sumlog.listen": setting({
    kind: orNothing(text(hostPort.accepted, isHostPort)),
    group: "trust",
    flag: "--sumlog-listen HOST:PORT",
    initial: "",
    about: {
      en: "address that serves the own checksum database alone, at its root",
      "zh-CN": "只提供自有校验和数据库的监听地址，位于其根路径",
    },
    reason: "GOSUMDB can name a URL; this one holds nothing but the database. Certificates and readers as at `listen`.",
    danger: "Hashes and heads are shown to everybody who reaches the port; names of private modules to readers only.",
    restart: true,
  }),
  "sumlog.witnesses": setting({
    kind: witnessesKind,
    group: "trust",
    initial: [],
    about: {
      en: "witnesses that are asked to cosign the own database's checkpoints",
      "zh-CN": "为自有校验和数据库的检查点联署的见证者",
    },
    reason: "A witness signs one history only: whoever trusts it need not trust us. Nothing waits for it.",
    danger: "They learn the name and the size of the database, and when it grows. Records they do not see.",
    restart: true,
  }),
  "sumlog.quorum": setting({
    kind: integer(1, maxWitnesses),
    group: "trust",
    initial: "1",
    about: {
      en: "how many witnesses must have cosigned a checkpoint before it is shown",
      "zh-CN": "检查点至少须有多少个见证者联署才会公布",
    },
    reason: "Monitors that want so many cosignatures find them on every checkpoint.",
    danger:
      "While fewer witnesses answer, the checkpoint at `/tlog/NAME/checkpoint` stays an old one. `go` does not use it.",
    restart: true,
  }),
  "integrity.publish": setting({
    kind: orNothing(path),
    group: "trust",
    initial: "",
    about: {
      en: "signer key for /integrity.txt, the signed list of the hashes kept here; made by `granary sumdb keygen`",
      "zh-CN": "/integrity.txt（本机所存哈希的签名清单）的签名密钥，由 `granary sumdb keygen` 生成",
    },
    reason: "Other servers can go on while no checksum database can be reached. Without a key there is no list.",
    danger: "Everybody who reaches the server reads which public modules are kept here; private names are left out.",
    restart: true,
  }),
  "integrity.from": setting({
    kind: orNothing(
      text(
        { en: "URL NAME+HASH+KEY, the key that signs the list", "zh-CN": "URL NAME+HASH+KEY，即清单的签名公钥" },
        isIntegrityFrom,
      ),
    ),
    group: "trust",
    initial: "",
    about: {
      en: "signed list of hashes that is believed while every checksum database is unreachable",
      "zh-CN": "所有校验和数据库均无法访问时采信的哈希签名清单",
    },
    reason:
      "The last resort: never asked when a database answers. What it vouched for is marked, and proven by a database later.",
    danger: "Who holds the key can pass off any bytes as a module until a database answers again.",
    restart: true,
  }),
  regions: setting({
    kind: orEmptyList(
      text({ en: "region weights such as cn=3, global=1", "zh-CN": "区域权重，如 cn=3、global=1" }, (value) =>
        /^[\w-]{1,32}=\d{1,4}(\.\d{1,3})?$/.test(value),
      ),
    ),
    group: "upstreams",
    initial: [],
    about: { en: "weights of regions, for upstreams that name one", "zh-CN": "各区域的权重，用于标明了区域的上游" },
    reason: "Turns all mirrors of a region up or down without touching each.",
  }),
  "breaker.dynamic": setting({
    kind: onOff,
    group: "upstreams",
    initial: "off",
    about: {
      en: "fit the breaker's thresholds to each upstream's traffic and usual failures",
      "zh-CN": "按各上游的流量和平时的失败率调整熔断阈值",
    },
    reason: "Fixed numbers are easier to reason about; these suit very busy and very quiet servers better.",
    restart: true,
  }),
  "probe.every": setting({
    kind: duration(0, 60 * minutes),
    group: "upstreams",
    initial: "30s",
    about: {
      en: "how often an upstream in use gets a HEAD to see that it lives; 0 for never",
      "zh-CN": "每隔多久用 HEAD 探测使用中的上游；0 表示从不",
    },
    reason: "One that is back is used again at once. Those not asked for ten minutes are left in peace.",
  }),
  "sync.index": setting({
    kind: orNothing(
      text(
        {
          en: "an http(s) URL that speaks the index format, without credentials and query",
          "zh-CN": "提供索引格式的 http(s) URL，不含凭据和查询串",
        },
        isIndexUrl,
      ),
    ),
    group: "upstreams",
    initial: "",
    about: {
      en: "index of new versions to read, such as https://index.golang.org/index",
      "zh-CN": "要读取的新版本索引，如 https://index.golang.org/index",
    },
    reason: "Lists of modules that are known here are renewed when the index names them. Off: nobody is asked unasked.",
  }),
  "sync.every": setting({
    kind: duration(1_000, 24 * 60 * minutes),
    group: "upstreams",
    initial: "5m",
    about: { en: "how often the index is read", "zh-CN": "读取索引的间隔" },
    reason: "What must be quicker comes by webhook. An index that fails is asked more seldom, down to once an hour.",
  }),
  "sync.prefetch": setting({
    kind: onOff,
    group: "upstreams",
    initial: "off",
    about: {
      en: "also fetch the new versions that the index names of modules known here",
      "zh-CN": "同时获取索引中列出的、本地已知模块的新版本",
    },
    reason: "Most new versions are never asked for.",
  }),
  "validate.command": setting({
    kind: orEmptyList(text({ en: "a program and its arguments", "zh-CN": "程序及其参数" }), " "),
    group: "trust",
    initial: [],
    about: {
      en: "a command that may refuse a proven version before anything of it is kept: JSON on its standard input, exit 0 takes",
      "zh-CN": "在保存已证明的版本之前可拒绝它的命令：标准输入为 JSON，退出码 0 表示接受",
    },
    reason: "A policy that only you know: licences, signatures, age, a scanner's word.",
    danger:
      "It runs as this server's user. While it gives no verdict nothing new is kept, and go.mod files wait for their zips.",
  }),
  "validate.timeout": setting({
    kind: duration(1000, 10 * minutes),
    group: "trust",
    initial: "30s",
    about: { en: "time in which it must give its verdict", "zh-CN": "该命令作出判断的时限" },
    reason: "A scanner takes its time; one that hangs must not hold up every build.",
  }),
  "validate.env": setting({
    kind: orEmptyList(
      text({ en: "names of variables", "zh-CN": "变量名" }, (value) => /^[A-Za-z_]\w*$/.test(value)),
      ",",
    ),
    group: "trust",
    initial: [],
    about: {
      en: "variables that it sees beside PATH, HOME, LANG, LC_ALL, TZ and TMPDIR",
      "zh-CN": "除 PATH、HOME、LANG、LC_ALL、TZ、TMPDIR 外该命令可见的变量",
    },
    reason: "This server's own variables may be secrets.",
  }),
  rewrite: setting({
    kind: orEmptyList(
      text(
        { en: "rules such as old.corp/x/* => new.corp/x/*", "zh-CN": "规则，如 old.corp/x/* => new.corp/x/*" },
        isRewriteRule,
      ),
      ",",
    ),
    group: "upstreams",
    initial: [],
    about: {
      en: "modules that are found under another path; in YAML also as {match: …, to: …}",
      "zh-CN": "在另一路径下查找的模块；YAML 中也可写作 {match: …, to: …}",
    },
    reason: "Code that requires a module by a name that is gone builds on, as long as its go.mod bears that name.",
    danger: "Clients get the content of another path. Make the old names private: a public database knows none of it.",
  }),
  onMiss: setting({
    kind: oneOf("fetch", "redirect", "build-redirect"),
    group: "upstreams",
    initial: "fetch",
    about: {
      en: "what a client waits for that asks for a public version that is not kept: fetch, redirect, build-redirect",
      "zh-CN": "请求尚未保存的公开版本时：fetch（等待）、redirect（转到上游）、build-redirect（转到等待地址）",
    },
    reason: "build-redirect answers at once for gateways with short timeouts; redirect spares this server's line.",
    danger: "With redirect the first clients get bytes from the upstream that nobody here has verified.",
  }),
  prefetch: setting({
    kind: onOff,
    group: "upstreams",
    flag: "--prefetch on|off",
    initial: "on",
    about: {
      en: "fetch what a client's requests say it will ask next",
      "zh-CN": "根据客户端已发出的请求，预先获取它接下来要的文件",
    },
    reason:
      "go asks with as few connections as it has processors; a cold build through a far upstream waits most of its time.",
  }),
} as const;

const logs = {
  "log.format": setting({
    kind: oneOf("text", "json"),
    group: "logs",
    flag: "--log-format FORMAT",
    initial: "text",
    about: {
      en: "log lines for people (text) or programs (json)",
      "zh-CN": "日志格式：text 供人阅读，json 供程序读取",
    },
    reason: "Collectors want JSON; a terminal does not.",
    restart: true,
  }),
  "log.level": setting({
    kind: oneOf("debug", "info", "warn", "error", "silent"),
    group: "logs",
    flag: "--log-level LEVEL",
    initial: "info",
    about: { en: "least severe level that is logged", "zh-CN": "记录的最低日志级别" },
    reason: "info tells what is fetched and kept; answers from the store are counted, not logged.",
    restart: true,
  }),
} as const;

const operations = {
  logdir: setting({
    kind: orNothing(path),
    group: "logs",
    flag: "--logdir DIR",
    initial: "",
    about: {
      en: "directory for the operation log: one JSON line per request, a file per day",
      "zh-CN": "操作日志目录：每个请求一行 JSON，每天一个文件",
    },
    reason: "Audits want to know who asked for what. Without a directory requests are counted, not written down.",
    danger: "Paths name private modules: the files are readable for the server's user and group only.",
    restart: true,
  }),
} as const;

const tls = {
  "tls.cert": setting({
    kind: orNothing(path),
    group: "tls",
    flag: "--tls-cert FILE",
    initial: "",
    about: { en: "PEM certificate chain; read again when it changes", "zh-CN": "PEM 证书链；文件变化后自动重新读取" },
    reason: "Without TLS the go command sends no credentials.",
    restart: true,
  }),
  "tls.key": setting({
    kind: orNothing(path),
    group: "tls",
    flag: "--tls-key FILE",
    initial: "",
    about: { en: "PEM private key of the certificate", "zh-CN": "证书的 PEM 私钥" },
    reason: "Belongs to tls.cert; both or none.",
    danger: "Readable for the server's user only.",
    restart: true,
  }),
  "tls.clientCa": setting({
    kind: orNothing(path),
    group: "tls",
    flag: "--client-ca FILE",
    initial: "",
    about: {
      en: "PEM certificates of the authorities whose clients are answered; read again when it changes",
      "zh-CN": "客户端证书颁发机构的 PEM 证书，只回答其签发的客户端；文件变化后自动重新读取",
    },
    reason: "Everybody without a certificate of theirs is refused, whatever is asked. See docs/sumweb.md.",
    danger:
      "With a bundle of public authorities everybody who has any certificate gets in. `go` has none: docs/agent.md.",
    restart: true,
  }),
  "tls.clientAuth": setting({
    kind: oneOf("answer", "strict"),
    group: "tls",
    flag: "--client-auth MODE",
    initial: "answer",
    about: {
      en: "without a good client certificate: 403 with the reason (answer), or no handshake (strict)",
      "zh-CN": "没有合格的客户端证书时：answer 回答 403 并说明原因，strict 拒绝握手",
    },
    reason: "Who gets an answer knows what to do. A refused handshake tells strangers nothing, and colleagues neither.",
    restart: true,
  }),
  "tls.profile": setting({
    kind: oneOf("compat", "hardened"),
    group: "tls",
    flag: "--tls-profile PROFILE",
    initial: "compat",
    about: {
      en: "TLS 1.2 and 1.3 (compat), or 1.3 only (hardened)",
      "zh-CN": "compat 为 TLS 1.2 与 1.3，hardened 仅 1.3",
    },
    reason: "Every Go since 1.13 speaks 1.3; load balancers in between may not.",
    restart: true,
  }),
  "tls.http2": setting({
    kind: onOff,
    group: "tls",
    flag: "--http2 on|off",
    initial: "on",
    about: { en: "offer HTTP/2 to TLS clients", "zh-CN": "向 TLS 客户端提供 HTTP/2" },
    reason: "One connection carries all of go's parallel requests.",
    restart: true,
  }),
} as const;

const cache = {
  "cache.enabled": setting({
    kind: onOff,
    group: "cache",
    initial: "on",
    about: { en: "keep ready-made answers in memory", "zh-CN": "在内存中保留现成的回答" },
    reason: "Off for machines whose memory is scarcer than their time; the store still answers.",
    restart: true,
  }),
  "cache.bytes": setting({
    kind: size(0, 64 * 2 ** 30),
    group: "cache",
    initial: "128MiB",
    about: { en: "memory for ready-made answers, per process", "zh-CN": "每个进程用于现成回答的内存" },
    reason: "Holds all small files of a large project and its hot zips.",
    danger: "It comes on top of some 100 MB that each process uses anyway.",
    restart: true,
  }),
  "cache.entryBytes": setting({
    kind: size(0, 2 ** 30),
    group: "cache",
    initial: "1MiB",
    about: { en: "largest file kept in memory", "zh-CN": "放入内存的最大文件" },
    reason: "Larger zips are read from the disk in large pieces, which costs little.",
    restart: true,
  }),
  "freshness.info": setting({
    kind: duration(0, 365 * days),
    group: "cache",
    initial: "5m",
    about: { en: "max-age of .info and .mod for other caches", "zh-CN": "其他缓存保存 .info 和 .mod 的 max-age" },
    reason: "Short, so that a withdrawn version disappears from caches in front of us.",
  }),
  "freshness.swr": setting({
    kind: duration(0, 365 * days),
    group: "cache",
    initial: "1d",
    about: { en: "stale-while-revalidate of .info and .mod", "zh-CN": ".info 和 .mod 的 stale-while-revalidate" },
    reason: "A cache in front of us may answer at once and ask again in the background.",
  }),
  "freshness.zipSmall": setting({
    kind: duration(0, 365 * days),
    group: "cache",
    initial: "1d",
    about: { en: "max-age of zips below freshness.largeFrom", "zh-CN": "小于 freshness.largeFrom 的 zip 的 max-age" },
    reason: "The bytes never change; the lifetime only bounds how long a withdrawn version is seen.",
  }),
  "freshness.zipLarge": setting({
    kind: duration(0, 365 * days),
    group: "cache",
    initial: "7d",
    about: { en: "max-age of zips from freshness.largeFrom on", "zh-CN": "达到 freshness.largeFrom 的 zip 的 max-age" },
    reason: "Large files are worth keeping longer.",
  }),
  "freshness.largeFrom": setting({
    kind: size(0, 2 ** 40),
    group: "cache",
    initial: "10MB",
    about: { en: "size from which a zip counts as large", "zh-CN": "zip 视为大文件的起点" },
    reason: "Separates the two lifetimes above.",
  }),
  "freshness.list": setting({
    kind: duration(1000, days),
    group: "cache",
    initial: "1m",
    about: {
      en: "how long list, @latest and branch answers are good",
      "zh-CN": "list、@latest 和分支查询结果的有效期",
    },
    reason: "New versions become visible after this; upstreams are asked at most so often per module.",
  }),
  "freshness.negative": setting({
    kind: duration(0, days),
    group: "cache",
    initial: "1m",
    about: { en: "how long an absence is believed", "zh-CN": "“不存在”的有效期" },
    reason: "go asks for every prefix of a package path; most of these answers are absences.",
    danger: "A freshly published version may be denied for this long.",
    restart: true,
  }),
} as const;

const tending = {
  "gc.policy": setting({
    kind: oneOf("checksum", "lru-ttl"),
    group: "cache",
    initial: "checksum",
    about: {
      en: "what leaves the store by itself: checksum: nothing, what was proven stays; lru-ttl: what was unused for gc.olderThan, and beyond gc.maxSize",
      "zh-CN":
        "哪些内容会自动离开存储：checksum：没有，已证明的一直保留；lru-ttl：超过 gc.olderThan 未使用的，以及超出 gc.maxSize 的",
    },
    reason:
      "Bytes that were proven once stay right for ever, and disks are cheaper than an afternoon without an upstream.",
    danger: "With lru-ttl a version that was unused for a week must be fetched again, if its upstream still has it.",
  }),
  "gc.maxSize": setting({
    kind: size(0, 2 ** 50),
    group: "cache",
    initial: "0",
    about: {
      en: "what kept versions may take with lru-ttl; 0 for any amount",
      "zh-CN": "lru-ttl 下已保存版本可占用的空间；0 表示不限",
    },
    reason: "The space of .info, go.mod and zip files; manifests and checksum records come on top.",
  }),
  "gc.olderThan": setting({
    kind: duration(0, 3650 * days),
    group: "cache",
    initial: "168h",
    about: {
      en: "how long a version may be unused with lru-ttl; 0 for ever",
      "zh-CN": "lru-ttl 下版本可以闲置多久；0 表示永久",
    },
    reason: "Seven days: builds that run at least weekly keep all they need.",
  }),
  "gc.order": setting({
    kind: oneOf("lru", "s3-fifo"),
    group: "cache",
    initial: "s3-fifo",
    about: {
      en: "who leaves first when there is too much: lru: the longest unused; s3-fifo: newcomers nobody asked for twice",
      "zh-CN": "空间不足时谁先离开：lru：闲置最久的；s3-fifo：没有被再次请求的新来者",
    },
    reason: "One audit or one scan fetches thousands of versions once; they must not push out what builds need daily.",
  }),
  "gc.every": setting({
    kind: duration(minutes, 24 * 60 * minutes),
    group: "cache",
    initial: "1h",
    about: { en: "how often it is looked at what may leave", "zh-CN": "每隔多久检查可以离开的内容" },
    reason: "A look costs a few queries.",
  }),
  "scrub.every": setting({
    kind: duration(0, 3650 * days),
    group: "cache",
    initial: "720h",
    about: {
      en: "each kept byte is read and checked once in this time; 0 for never",
      "zh-CN": "每个已保存字节在此时间内读出并核对一次；0 表示从不",
    },
    reason: "Thirty days: damage is found while upstreams still have the bytes.",
  }),
  "scrub.rate": setting({
    kind: size(0, 2 ** 40),
    group: "cache",
    initial: "8MiB",
    about: { en: "bytes a second that are read for it; 0 for no limit", "zh-CN": "核对时每秒读取的字节数；0 表示不限" },
    reason: "A tenth of what a slow disk reads; 20 TB a month.",
  }),
} as const;

const disk = {
  "store.lowWater": setting({
    kind: lowWaterKind,
    group: "limits",
    initial: "1GiB,5%",
    about: {
      en: "free space below which nothing new is taken; what is kept is served all the same",
      "zh-CN": "可用空间低于此值时不再接收新内容；已保存的内容照常提供",
    },
    reason:
      "Stops before the disk is full: records, heads, pins and tokens are still written. Up again a tenth above the mark. See docs/bad-disks.md.",
    danger: "0 leaves it to the disk to say no, in the middle of whatever is being written.",
  }),
  "alarms.heap": setting({
    kind: percent,
    group: "limits",
    initial: "85%",
    about: {
      en: "used share of the JavaScript heap's limit beyond which an alarm is raised; 100% for never",
      "zh-CN": "JavaScript 堆已用比例超过此值时告警；100% 表示从不",
    },
    reason: "Beyond it the process collects garbage instead of serving, and may end.",
  }),
  "alarms.diskAwait": setting({
    kind: duration(0, 10 * minutes),
    group: "limits",
    initial: "280ms",
    about: {
      en: "mean time of small durable writes over 30 s beyond which an alarm is raised; 0 for never",
      "zh-CN": "30 秒内小文件持久写入的平均耗时超过此值时告警；0 表示从不",
    },
    reason: "A healthy disk takes a few milliseconds; one that needs this long is failing, or shared with too many.",
  }),
} as const;

const limits = {
  "proxy.timeout.read": setting({
    kind: duration(1000, 60 * minutes),
    group: "limits",
    initial: "30s",
    about: { en: "a client must have sent its whole request by then", "zh-CN": "客户端须在此时间内发完整个请求" },
    reason: "Closes clients that send one byte at a time (slow loris).",
    restart: true,
  }),
  "limits.headersTimeout": setting({
    kind: duration(100, 60 * minutes),
    group: "limits",
    initial: "5s",
    about: { en: "a client must have sent its request header by then", "zh-CN": "客户端须在此时间内发完请求头" },
    reason: "go sends its header in one piece.",
    restart: true,
  }),
  "limits.keepAlive": setting({
    kind: duration(0, 60 * minutes),
    group: "limits",
    initial: "75s",
    about: { en: "idle client connections are closed after this", "zh-CN": "客户端连接空闲多久后关闭" },
    reason: "Longer than common load balancers' 60 s, so that they close first.",
    restart: true,
  }),
  "limits.connections": setting({
    kind: integer(1, 1_000_000),
    group: "limits",
    initial: "10000",
    about: { en: "open client connections", "zh-CN": "客户端连接数上限" },
    reason: "Each costs a file descriptor and some kilobytes.",
    danger: "Keep it below the process's limit of open files (ulimit -n).",
    restart: true,
  }),
  "limits.connectionsPerIp": setting({
    kind: integer(1, 1_000_000),
    group: "limits",
    initial: "1000",
    about: { en: "open connections of one client address", "zh-CN": "单个客户端地址的连接数上限" },
    reason: "One client cannot take all places.",
    danger: "Everybody behind one NAT or load balancer shares it.",
    restart: true,
  }),
  "limits.headerBytes": setting({
    kind: size(1024, 2 ** 20),
    group: "limits",
    initial: "16KiB",
    about: { en: "size of a request header", "zh-CN": "请求头大小上限" },
    reason: "go sends some 200 bytes; proxies add a few hundred.",
    restart: true,
  }),
  "limits.requestLine": setting({
    kind: size(256, 2 ** 16),
    group: "limits",
    initial: "4096",
    about: { en: "length of a request target", "zh-CN": "请求目标长度上限" },
    reason: "The longest escaped path and version fit several times.",
  }),
  "limits.ingests": setting({
    kind: integer(1, 1024),
    group: "limits",
    initial: "16",
    about: { en: "module versions fetched and verified at once", "zh-CN": "同时获取并校验的版本数" },
    reason: "Bounds sockets, temporary space and verification work.",
    restart: true,
  }),
  "limits.uploads": setting({
    kind: integer(1, 256),
    group: "limits",
    initial: "4",
    about: { en: "versions published at once", "zh-CN": "同时发布的版本数" },
    reason: "Bounds temporary space and verification work; as many again may wait.",
    restart: true,
  }),
  "limits.waiting": setting({
    kind: integer(0, 1_000_000),
    group: "limits",
    initial: "4096",
    about: { en: "fetches that may wait for a place", "zh-CN": "可排队等待的获取数" },
    reason: "Beyond it clients hear at once that they should come back.",
    restart: true,
  }),
  "limits.prefetchMods": setting({
    kind: integer(1, 1024),
    group: "limits",
    initial: "32",
    about: { en: "go.mod files fetched ahead at once", "zh-CN": "同时预取的 go.mod 数" },
    reason: "They are small: what counts is how many round trips overlap.",
    restart: true,
  }),
  "limits.prefetchZips": setting({
    kind: integer(1, 256),
    group: "limits",
    initial: "12",
    about: { en: "zips fetched ahead at once", "zh-CN": "同时预取的 zip 数" },
    reason: "Each gets the bandwidth of one connection, and verifying them takes the processor from clients.",
    restart: true,
  }),
  "limits.prefetchBytes": setting({
    kind: size(0, 2 ** 40),
    group: "limits",
    initial: "1GiB",
    about: {
      en: "zips fetched ahead that nobody has asked for yet",
      "zh-CN": "已预取但尚未被请求的 zip 总大小",
    },
    reason: "A client that stops half-way wastes no more than this.",
  }),
  "limits.tempBytes": setting({
    kind: size(2 ** 20, 2 ** 50),
    group: "limits",
    initial: "8GiB",
    about: { en: "temporary space of all fetches together", "zh-CN": "所有获取共用的临时空间" },
    reason: "Sixteen zips of the largest size Go allows (500 MB).",
    restart: true,
  }),
  "limits.negativeEntries": setting({
    kind: integer(0, 1_000_000),
    group: "limits",
    initial: "16384",
    about: { en: "absences remembered", "zh-CN": "记住的“不存在”条数" },
    reason: "Fixed in size: a flood of unknown paths costs the flooder, some 11 MiB at worst here.",
    restart: true,
  }),
  "limits.leave": setting({
    kind: duration(0, 10 * minutes),
    group: "limits",
    initial: "0s",
    about: {
      en: "after SIGTERM, time in which new connections are still taken while /-/readyz says 503",
      "zh-CN": "收到 SIGTERM 后，在 /-/readyz 已返回 503 时仍接受新连接的时长",
    },
    reason:
      "A balancer that asks for readiness has to have asked before the port closes: more than its interval, 0 for nginx.",
    restart: true,
  }),
  "limits.drain": setting({
    kind: duration(0, 60 * minutes),
    group: "limits",
    initial: "30s",
    about: { en: "after SIGTERM, time for running requests", "zh-CN": "收到 SIGTERM 后留给进行中请求的时间" },
    reason: "Orchestrators usually kill after 30 s.",
    restart: true,
  }),
} as const;

const limiter = {
  "limiter.profile": setting({
    kind: oneOf("none", "official", "gocenter", "custom"),
    group: "limits",
    initial: "none",
    about: {
      en: "requests one client may send within a second: 5 (official), 10 (gocenter), limiter.perSecond (custom)",
      "zh-CN": "单个客户端一秒内的请求数：5（official）、10（gocenter）、limiter.perSecond（custom）",
    },
    reason: "A team's own server has no reason to; one that is open to strangers has. See docs/limits.md.",
    danger: "go sends dozens of requests at once: with official or gocenter a cold build of some size fails.",
  }),
  "limiter.by": setting({
    kind: oneOf("ip", "token"),
    group: "limits",
    initial: "ip",
    about: {
      en: "what a client is: an address (IPv6: a /64), or the holder of a token wherever it is",
      "zh-CN": "客户端的划分：按地址（IPv6 按 /64），或按令牌（不论来自哪里）",
    },
    reason: "Behind a NAT everybody has one address; tokens tell them apart.",
    danger: "Behind a reverse proxy all clients are one address: forwarded-for headers are not believed.",
  }),
  "limiter.perSecond": setting({
    kind: integer(1, 500),
    group: "limits",
    initial: "100",
    about: {
      en: "requests one client may send within a second (custom)",
      "zh-CN": "单个客户端一秒内的请求数（custom）",
    },
    reason: "One go command on a fast machine sends some hundred a second at its peak.",
  }),
  "limiter.coolDown": setting({
    kind: duration(1000, 60 * minutes),
    group: "limits",
    initial: "60s",
    about: {
      en: "how long a client that sent more is refused (custom)",
      "zh-CN": "超出后拒绝该客户端多久（custom）",
    },
    reason: "Long enough that a loop gives up, short enough that a person waits.",
  }),
} as const;

const client = {
  "upstreamClient.silence": setting({
    kind: duration(100, 10 * minutes),
    group: "client",
    initial: "10s",
    about: {
      en: "after this the next upstream is asked as well (mode resilient); a late good answer still counts",
      "zh-CN": "静默超过此时长就同时询问下一个上游（resilient 模式）；迟到的有效回答仍然算数",
    },
    reason: "A hung upstream holds up nobody; longer than a proxy needs to fetch a small version itself.",
  }),
  "upstreamClient.hedge": setting({
    kind: onOff,
    group: "client",
    initial: "on",
    about: {
      en: "ask a second time when a small answer is later than 95 % of that upstream's",
      "zh-CN": "小文件的回答晚于该上游 95% 的回答时再问一次",
    },
    reason: "One slow answer among hundreds decides how long a build waits. At most 20 % of requests.",
  }),
  "upstreamClient.retryTime": setting({
    kind: duration(0, 10 * minutes),
    group: "client",
    initial: "25s",
    about: {
      en: "time in which a failed request is tried again; a download that gets on has it anew",
      "zh-CN": "失败请求的重试时限；有进展的下载重新计时",
    },
    reason: "go never tries again. Longer than this, CI jobs without output are ended by others.",
  }),
  egress: setting({
    kind: egressKind,
    group: "client",
    initial: "env",
    about: {
      en: "how connections to upstreams leave: direct, env (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), or through a proxy",
      "zh-CN": "到上游的连接如何出站：direct 直连，env 按 HTTP_PROXY、HTTPS_PROXY、NO_PROXY，或经指定代理",
    },
    reason:
      "env does what the machine's own go command does. A URL with credentials is a secret: file:/path or env:NAME.",
    danger: "Through a proxy it is the proxy that resolves names, so it must guard what redirects may reach.",
    restart: true,
  }),
  egressStrict: setting({
    kind: onOff,
    group: "client",
    initial: "off",
    about: { en: "refuse to start while egress is not set", "zh-CN": "未设置 egress 时拒绝启动" },
    reason: "Where every way out is audited, a way that nobody chose must not exist.",
    restart: true,
  }),
  egressAudit: setting({
    kind: onOff,
    group: "client",
    initial: "off",
    about: {
      en: "an event for every request to an upstream, not only for every connection",
      "zh-CN": "对上游的每个请求都记录事件，而不仅是每个连接",
    },
    reason: "Connections are few and always told; a cold build makes thousands of requests.",
    restart: true,
  }),
  hosts: setting({
    kind: hostsKind,
    group: "client",
    initial: [],
    about: {
      en: "addresses of host names, asked before DNS, like /etc/hosts",
      "zh-CN": "主机名到地址的映射，优先于 DNS，类似 /etc/hosts",
    },
    reason: "An upstream behind split DNS, or one to be tried at another address. Redirects are guarded all the same.",
    restart: true,
  }),
  "upstreamClient.idleConnTimeout": setting({
    kind: duration(0, 60 * minutes),
    group: "client",
    initial: "90s",
    about: { en: "idle upstream connections are closed after this", "zh-CN": "上游连接空闲多久后关闭" },
    reason: "IdleConnTimeout of Go's net/http, with its value.",
    restart: true,
  }),
  "upstreamClient.maxIdleConns": setting({
    kind: integer(0, 100_000),
    group: "client",
    initial: "100",
    about: { en: "idle connections kept, all upstream hosts together", "zh-CN": "保留的空闲连接数，所有上游主机合计" },
    reason: "MaxIdleConns; beyond it the one that has been idle for longest is closed.",
    restart: true,
  }),
  "upstreamClient.maxIdleConnsPerHost": setting({
    kind: integer(1, 10_000),
    group: "client",
    initial: "100",
    about: { en: "connections per upstream host", "zh-CN": "每个上游主机的连接数" },
    reason: "MaxIdleConnsPerHost. Every connection belongs to the pool: beyond it requests wait for one.",
    restart: true,
  }),
  "upstreamClient.connectTimeout": setting({
    kind: duration(100, 10 * minutes),
    group: "client",
    initial: "3s",
    about: { en: "TCP connection to one address of an upstream", "zh-CN": "与上游单个地址建立 TCP 连接的时限" },
    reason: "The next address is tried beside it after 250 ms, or as soon as one fails.",
    restart: true,
  }),
  "upstreamClient.tlsHandshakeTimeout": setting({
    kind: duration(100, 10 * minutes),
    group: "client",
    initial: "10s",
    about: {
      en: "TLS handshake with an upstream, and the answer of an egress proxy to CONNECT",
      "zh-CN": "与上游的 TLS 握手时限，也是出站代理应答 CONNECT 的时限",
    },
    reason: "TLSHandshakeTimeout of Go's net/http. Longer only delays asking the next upstream.",
    restart: true,
  }),
  "upstreamClient.responseHeaderTimeout": setting({
    kind: duration(100, 60 * minutes),
    group: "client",
    initial: "30s",
    about: { en: "wait for an upstream's response header", "zh-CN": "等待上游响应头的时限" },
    reason: "ResponseHeaderTimeout. A proxy that fetches a version for the first time may need that long.",
    restart: true,
  }),
  "upstreamClient.bodyIdleTimeout": setting({
    kind: duration(100, 60 * minutes),
    group: "client",
    initial: "30s",
    about: { en: "longest silence within an upstream's body", "zh-CN": "上游响应体的最长停顿" },
    reason: "A slow download may take long; a silent one is dead.",
    restart: true,
  }),
} as const;

/** All settings by their YAML key. */
export const settings = {
  ...server,
  ...upstreams,
  ...direct,
  ...shared,
  ...logs,
  ...operations,
  ...tls,
  ...cache,
  ...tending,
  ...disk,
  ...limits,
  ...limiter,
  ...client,
};

export type Settings = typeof settings;
export type SettingKey = keyof Settings;
export type Values = { readonly [K in SettingKey]: Settings[K] extends Setting<infer T> ? T : never };

export const settingKeys: readonly SettingKey[] = Object.keys(settings) as SettingKey[];

/** The setting without its own type, for code that treats all alike. */
export function settingOf(key: SettingKey): Setting<unknown> {
  return settings[key] as unknown as Setting<unknown>;
}

/** `log.level` → `GRANARY_LOG_LEVEL`, `cache.entryBytes` → `GRANARY_CACHE_ENTRY_BYTES` */
export function variableOf(key: SettingKey): string {
  return `GRANARY_${key.replace(/[A-Z]/g, "_$&").replaceAll(".", "_").toUpperCase()}`;
}

/** `--log-level` of `--log-level LEVEL`; undefined when the setting has no flag. */
export function flagOf(key: SettingKey): string | undefined {
  return settingOf(key).flag?.split(" ")[0];
}

/** The language of the machine's locale (POSIX: LC_ALL, then LC_MESSAGES, then LANG). */
export function localeOf({ env }: Pick<Machine, "env">): { readonly value: Lang; readonly origin: string } | undefined {
  for (const name of ["LC_ALL", "LC_MESSAGES", "LANG"]) {
    const locale = env[name] ?? "";
    if (locale === "") continue;
    return { value: /^zh([_.-]|$)/i.test(locale) ? "zh-CN" : "en", origin: `${name} (environment)` };
  }
  return undefined;
}

export function isSettingKey(text: string): text is SettingKey {
  return Object.hasOwn(settings, text);
}
