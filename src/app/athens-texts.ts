// Why a key of Athens is ignored, refused, or means something else here. One sentence or two for the person who moves.

import type { Lang } from "#services/errors/sentences.ts";

type Sentence = Readonly<Record<Lang, string>>;

export const reasons = {
  empty: { en: "empty", "zh-CN": "为空" },
  goEnv: { en: "there is one way to run, the one for production", "zh-CN": "只有一种运行方式，即生产方式" },
  forceSsl: {
    en: "whatever ends TLS in front redirects; tokens are never taken in the clear",
    "zh-CN": "由前面终止 TLS 的一方重定向；明文连接上从不接受令牌",
  },
  pages: { en: "the page at / is Granary's own", "zh-CN": "/ 处的页面是 Granary 自己的" },
  robots: { en: "there is no /robots.txt", "zh-CN": "没有 /robots.txt" },
  protocolWorkers: {
    en: "answers need no workers; connections are bounded by limits.connections",
    "zh-CN": "应答不需要工作线程池；连接数由 limits.connections 限制",
  },
  pprof: { en: "there is no profiler of Go; see /metrics", "zh-CN": "没有 Go 的性能分析器；请看 /metrics" },
  traces: { en: "traces are not exported; see /metrics and the log", "zh-CN": "不导出追踪；请看 /metrics 和日志" },
  stats: { en: "/metrics always speaks Prometheus", "zh-CN": "/metrics 总是 Prometheus 格式" },
  goBinary: {
    en: "the go command is the first on PATH, and runs for private modules only",
    "zh-CN": "使用 PATH 中的第一个 go 命令，且仅用于私有模块",
  },
  timeout: {
    en: "each kind of wait has a setting of its own: upstreamClient.…, s3.timeout, direct.timeout",
    "zh-CN": "每种等待各有设置：upstreamClient.…、s3.timeout、direct.timeout",
  },
  mercurial: { en: "only git repositories are read", "zh-CN": "只读取 git 仓库" },
  globalEndpoint: {
    en: "it only matters to lines D of a FilterFile",
    "zh-CN": "它只对 FilterFile 中的 D 行有意义",
  },
  unread: { en: "Athens does not read it either", "zh-CN": "Athens 自己也不读取它" },
  index: {
    en: "there is no /index; Granary keeps an index of its own in the store (postgres.url: one for all nodes)",
    "zh-CN": "没有 /index；Granary 在存储中有自己的索引（postgres.url：所有节点共用一份）",
  },
  kubernetes: {
    en: "Kubernetes sets it for a Service called athens; it is no setting",
    "zh-CN": "Kubernetes 因名为 athens 的 Service 而设置，并非配置",
  },
  shadowedPort: { en: "another variable says the port and comes first", "zh-CN": "另一变量设置了端口，以它为准" },
  halfAuth: {
    en: "Athens asks for a password only when user and password are set",
    "zh-CN": "Athens 仅在用户名与密码都设置时才要求密码",
  },
  otherStorage: { en: "another StorageType is chosen", "zh-CN": "选用了其他 StorageType" },
  otherLock: { en: "another SingleFlightType is chosen", "zh-CN": "选用了其他 SingleFlightType" },
  locks: {
    en: "a turn is a lease of 30 s that is renewed (cluster.lease); nobody waits beyond it",
    "zh-CN": "轮次是会续期的 30 秒租约（cluster.lease）；不会等得更久",
  },
  memoryLock: { en: "one fetch per version needs no setting", "zh-CN": "每个版本只获取一次，无需设置" },
  noSuchLock: {
    en: "nodes take turns through Redis (redis.url); without it each fetches for itself, and nothing is overwritten",
    "zh-CN": "节点通过 Redis 协调（redis.url）；没有它时各自获取，且不会互相覆盖",
  },
  connectionString: {
    en: "ATHENS_REDIS_CONNECTION_STRING is set and comes first",
    "zh-CN": "已设置 ATHENS_REDIS_CONNECTION_STRING，以它为准",
  },
  strict: {
    en: "lists are what upstreams say and what is kept; while they are silent, the last list is served",
    "zh-CN": "列表由上游所说与本地所存组成；上游无响应时提供最近一次的列表",
  },
  sdkKeys: {
    en: "the AWS SDK finds it itself, in the environment",
    "zh-CN": "AWS SDK 自行从环境变量中读取",
  },
  noSumdbs: {
    en: "the checksum database is still served, and what is fetched is proven against it",
    "zh-CN": "仍然提供校验和数据库，获取的内容仍按它校验",
  },
  goproxyDirect: {
    en: "public modules come from proxies, with the same hashes and without git; GRANARY_UPSTREAM=direct if you must",
    "zh-CN": "公共模块来自代理，哈希相同且无需 git；确有必要时设 GRANARY_UPSTREAM=direct",
  },
  gosumdbOff: {
    en: "what is fetched is proven all the same",
    "zh-CN": "获取的内容照样校验",
  },
  insecure: {
    en: "nothing is taken from hosts that cannot prove who they are; repositories.HOST.http or .ca if you must",
    "zh-CN": "不从无法证明身份的主机获取；确有必要时用 repositories.主机.http 或 .ca",
  },
  goVariable: {
    en: "the go command here runs in a sandbox and sees no variable of yours",
    "zh-CN": "此处的 go 命令在沙箱中运行，看不到该变量",
  },
  noProxy: {
    en: "egress takes one proxy for all; with egress env NO_PROXY of this process counts",
    "zh-CN": "egress 对所有连接使用同一代理；egress 为 env 时以本进程的 NO_PROXY 为准",
  },
  offlineChain: { en: "no upstream is asked at all", "zh-CN": "不询问任何上游" },
  unusedUrl: { en: "DownloadMode redirects nobody", "zh-CN": "DownloadMode 不做重定向" },
  otherFormat: { en: "LogFormat decides", "zh-CN": "以 LogFormat 为准" },
  cloudFormat: { en: "CloudRuntime decides", "zh-CN": "以 CloudRuntime 为准" },
  noNetrcHosts: { en: "it names no host with login and password", "zh-CN": "其中没有带 login 和 password 的主机" },
  // ---- notes on what is mapped ----
  ownFolder: {
    en: "a folder of its own beside Athens' files; bring those in: granary store import DIR",
    "zh-CN": "在 Athens 的文件旁使用单独的目录；导入它们：granary store import 目录",
  },
  ownPrefix: {
    en: "a prefix of its own beside Athens' objects, which are not read",
    "zh-CN": "在 Athens 的对象旁使用单独的前缀；不读取那些对象",
  },
  temporary: {
    en: "a temporary folder that is removed at the end; StorageType=disk keeps what was fetched",
    "zh-CN": "临时目录，结束时删除；StorageType=disk 可保留获取的内容",
  },
  redisStorage: {
    en: "Athens has no such storage: Redis for what nodes tell each other, disk for files; without Redis all goes on",
    "zh-CN": "Athens 并无此存储：Redis 用于节点间协调，文件存于磁盘；没有 Redis 也能继续",
  },
  guideName: {
    en: "Athens has no such name; taken as the guides mean it",
    "zh-CN": "Athens 没有此名称；按教程的本意处理",
  },
  redisOptions: {
    en: "what stands behind ? is for Athens' own client, and is left out",
    "zh-CN": "? 之后的选项只用于 Athens 自己的客户端，已略去",
  },
  noRoot: { en: "no folder was named: the usual one is used", "zh-CN": "未指定目录：使用默认目录" },
  noRedis: {
    en: "no Redis was named (ATHENS_REDIS_CONNECTION_STRING): none is used",
    "zh-CN": "未指定 Redis（ATHENS_REDIS_CONNECTION_STRING）：不使用",
  },
  bounded: { en: "within this setting's bounds", "zh-CN": "限制在该设置的范围内" },
  async: {
    en: "the client waits for the module instead of getting a 404 for one that exists",
    "zh-CN": "客户端等待模块，而不是对存在的模块得到 404",
  },
  redirect: {
    en: "what is not kept is redirected to and fetched besides; those bytes are not verified here",
    "zh-CN": "未保存的内容重定向，同时在后台获取；重定向的内容未经本地校验",
  },
  none: { en: "only what is kept is served", "zh-CN": "只提供已保存的内容" },
  offline: { en: "only what is kept is served; nobody is asked", "zh-CN": "只提供已保存的内容，不询问任何人" },
  nosum: {
    en: "no database and no public proxy hears these names; say which proxy has them: upstreams.NAME.private",
    "zh-CN": "这些名称不会告知校验和数据库和公共代理；请指明拥有它们的代理：upstreams.名称.private",
  },
  builtDirectly: {
    en: "built from their repositories, as Athens does; no public proxy hears these names",
    "zh-CN": "与 Athens 一样从仓库构建；公共代理不会得知这些名称",
  },
  everyAddress: { en: "every address of this machine, as Athens does", "zh-CN": "与 Athens 一样监听本机所有地址" },
  // ---- what is refused, and what to do instead ----
  storage: {
    en: "this storage is none of ours. Choose disk, or a bucket: StorageType=s3 or minio, or GRANARY_S3_BUCKET, or GRANARY_STORE for a folder",
    "zh-CN":
      "不支持此存储。请选用 disk 或存储桶：StorageType=s3 或 minio，或设 GRANARY_S3_BUCKET；GRANARY_STORE 指定目录",
  },
  basicAuth: {
    en: "there is no password for everything, so what was closed would be open. Make tokens (granary token add), name what is private, close the rest by network or client certificates (tls.clientCa), and say who reads: GRANARY_PRIVATE_READERS=tokens",
    "zh-CN":
      "没有针对全部内容的统一密码，原本关闭的内容会被公开。请创建令牌（granary token add），指定私有模块，其余用网络或客户端证书（tls.clientCa）限制，并声明读者：GRANARY_PRIVATE_READERS=tokens",
  },
  filter: {
    en: "what the filter excludes would be let through. A command can refuse: GRANARY_VALIDATE_COMMAND (docs/validate.md)",
    "zh-CN": "过滤器排除的内容会被放行。可由命令拒绝：GRANARY_VALIDATE_COMMAND（docs/validate.md）",
  },
  validator: {
    en: "what the hook forbids would be let through. Here a command is asked: GRANARY_VALIDATE_COMMAND; docs/athens.md has one that asks your hook",
    "zh-CN": "钩子禁止的内容会被放行。此处询问的是命令：GRANARY_VALIDATE_COMMAND；docs/athens.md 中有询问原钩子的命令",
  },
  modeFile: {
    en: "a mode for each path may be a policy. Choose one for all: GRANARY_ON_MISS; refuse paths with GRANARY_VALIDATE_COMMAND",
    "zh-CN": "按路径设模式可能是一种策略。请为全部选定一种：GRANARY_ON_MISS；用 GRANARY_VALIDATE_COMMAND 拒绝路径",
  },
  prefix: {
    en: "everything is served at /. Let the server in front cut the prefix off, then say GRANARY_LISTEN",
    "zh-CN": "所有内容都在 / 下。请让前面的服务器去掉前缀，然后设置 GRANARY_LISTEN",
  },
  unixSocket: {
    en: "only TCP is listened on: GRANARY_LISTEN=127.0.0.1:3000",
    "zh-CN": "只监听 TCP：GRANARY_LISTEN=127.0.0.1:3000",
  },
  sumdbKey: {
    en: "Athens relays a database unseen, Granary proves it, and needs its key: GRANARY_SUMDB='NAME+HASH+KEY URL'",
    "zh-CN": "Athens 不加检查地转发，Granary 要验证它，因此需要其密钥：GRANARY_SUMDB='NAME+HASH+KEY URL'",
  },
  sessionToken: {
    en: "keys that expire belong into the environment, all three: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
    "zh-CN": "会过期的密钥应全部放在环境变量中：AWS_ACCESS_KEY_ID、AWS_SECRET_ACCESS_KEY、AWS_SESSION_TOKEN",
  },
} as const satisfies Record<string, Sentence>;

export type ReasonName = keyof typeof reasons;

/** What is accepted where a value is none. */
export const accepted = {
  port: { en: "a port such as 3000, :3000, or HOST:PORT", "zh-CN": "端口，如 3000、:3000，或 HOST:PORT" },
  storage: {
    en: "memory, disk, s3, minio, redis (mongo, gcp, azureblob, external: Athens only)",
    "zh-CN": "memory、disk、s3、minio、redis（mongo、gcp、azureblob、external 仅限 Athens）",
  },
  root: { en: "a folder, for StorageType disk", "zh-CN": "StorageType 为 disk 时的目录" },
  bucket: { en: "the name of a bucket, for this StorageType", "zh-CN": "该 StorageType 的存储桶名称" },
  endpoint: { en: "HOST, HOST:PORT, or an http(s) URL", "zh-CN": "HOST、HOST:PORT 或 http(s) URL" },
  lock: {
    en: "memory, redis, redis-sentinel, etcd, gcp, azureblob",
    "zh-CN": "memory、redis、redis-sentinel、etcd、gcp、azureblob",
  },
  redis: { en: "HOST:PORT, or a redis:// or rediss:// URL", "zh-CN": "HOST:PORT，或 redis:// 或 rediss:// URL" },
  mode: {
    en: "sync, async, redirect, async_redirect, none, file:PATH, custom:BASE64",
    "zh-CN": "sync、async、redirect、async_redirect、none、file:PATH、custom:BASE64",
  },
  downloadUrl: { en: "an http(s) URL, for this DownloadMode", "zh-CN": "该 DownloadMode 的 http(s) URL" },
  network: { en: "strict, offline, fallback", "zh-CN": "strict、offline、fallback" },
  level: {
    en: "trace, debug, info, warn, warning, error, fatal, panic",
    "zh-CN": "trace、debug、info、warn、warning、error、fatal、panic",
  },
  format: { en: "plain, json", "zh-CN": "plain、json" },
  sumdb: { en: "https:// URLs of checksum databases", "zh-CN": "校验和数据库的 https:// URL" },
  variables: { en: "NAME=VALUE, with ; between", "zh-CN": "NAME=VALUE，以 ; 分隔" },
  whole: { en: "a whole number", "zh-CN": "整数" },
  yes: { en: "true or false", "zh-CN": "true 或 false" },
  fraction: { en: "a number from 0 to 1", "zh-CN": "0 到 1 的数" },
  both: { en: "GithubToken or NETRCPath, not both", "zh-CN": "GithubToken 与 NETRCPath 只能选一" },
} as const satisfies Record<string, Sentence>;

export type AcceptedName = keyof typeof accepted;
