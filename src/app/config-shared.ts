// Settings of what several nodes share: an S3 bucket, Redis or Valkey, PostgreSQL.

import { duration, onOff, orEmptyList, orNothing, size, text } from "./config-kinds.ts";
import { setting } from "./config-setting.ts";
import type { Machine } from "./go-env.ts";

const secret = orNothing(text({ en: "file:PATH, env:NAME, or the value", "zh-CN": "file:路径、env:变量名，或值本身" }));
const MiB = 1 << 20;

/** What a variable says, when it says something. */
function fromVariable(...names: readonly string[]): (machine: Machine) => Promise<Named | undefined> {
  return ({ env }) => {
    const name = names.find((one) => (env[one] ?? "") !== "");
    return Promise.resolve(
      name === undefined ? undefined : { value: env[name] ?? "", origin: `${name} (environment)` },
    );
  };
}
type Named = { readonly value: string; readonly origin: string };

/** `minio.example.com:9000` is plain HTTP there, where people write it without a scheme. */
function asEndpoint(said: Named): Named {
  return /^https?:\/\//.test(said.value) ? said : { ...said, value: `http://${said.value}` };
}

/** MINIO_BUCKET alone could be of some other program: only with an address is it meant for us. */
async function minioBucket(machine: Machine): Promise<Named | undefined> {
  return (await fromVariable("MINIO_ADDRESS")(machine)) && (await fromVariable("MINIO_BUCKET")(machine));
}

async function minioAddress(machine: Machine): Promise<Named | undefined> {
  const said = await fromVariable("MINIO_ADDRESS")(machine);
  return (await fromVariable("MINIO_BUCKET")(machine)) && said && asEndpoint(said);
}

function isBucket(value: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](\/[A-Za-z0-9._=-]+)*$/.test(value) && !value.includes("..");
}

function isUrl(...schemes: readonly string[]): (value: string) => boolean {
  return (value) => URL.canParse(value) && schemes.includes(new URL(value).protocol);
}

export const shared = {
  "s3.bucket": setting({
    kind: orNothing(text({ en: "BUCKET or BUCKET/PREFIX", "zh-CN": "BUCKET 或 BUCKET/PREFIX" }, isBucket)),
    group: "shared",
    flag: "--s3 BUCKET",
    initial: "",
    ambient: minioBucket,
    about: {
      en: "S3 bucket, with a prefix or without, that several nodes keep one store in; `store` is then each node's own copy",
      "zh-CN": "多个节点共用的 S3 存储桶（可带前缀）；此时 store 只是各节点自己的副本",
    },
    reason: "Nodes that share a bucket fetch a version once and answer with the same bytes.",
    danger: "Whoever can write to the bucket decides what is private and pinned. Give it to Granary alone.",
    restart: true,
  }),
  "s3.endpoint": setting({
    kind: orNothing(text({ en: "an http(s) URL", "zh-CN": "http(s) URL" }, isUrl("http:", "https:"))),
    group: "shared",
    flag: "--s3-endpoint URL",
    initial: "",
    ambient: async (machine) =>
      (await minioAddress(machine)) ?? (await fromVariable("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")(machine)),
    about: { en: "where the S3 service is; AWS when empty", "zh-CN": "S3 服务的地址；为空则为 AWS" },
    reason: "Any service that speaks S3 with conditional writes will do: `granary store check` tells.",
    restart: true,
  }),
  "s3.region": setting({
    kind: text({ en: "a region", "zh-CN": "区域" }, (value) => /^[a-z0-9-]{1,40}$/.test(value)),
    group: "shared",
    initial: "us-east-1",
    ambient: fromVariable("AWS_REGION", "AWS_DEFAULT_REGION"),
    about: { en: "region of the bucket", "zh-CN": "存储桶所在区域" },
    reason: "It is part of every signature; most services of one's own take any.",
    restart: true,
  }),
  "s3.pathStyle": setting({
    kind: onOff,
    group: "shared",
    initial: "on",
    about: {
      en: "name the bucket in the path; off for services that want it in the host name (Aliyun OSS)",
      "zh-CN": "在路径中写存储桶名；要求写在主机名中的服务（阿里云 OSS）请关闭",
    },
    reason: "A bucket in the host name needs a DNS name for each bucket, which services of one's own seldom have.",
    restart: true,
  }),
  "s3.accessKey": setting({
    kind: secret,
    group: "shared",
    initial: "",
    ambient: fromVariable("MINIO_ACCESS_KEY"),
    about: {
      en: "access key; the SDK's own chain (environment, profile, role) when empty",
      "zh-CN": "访问密钥；为空则使用 SDK 自身的凭据链（环境变量、配置文件、角色）",
    },
    reason: "Roles are better than keys where there are roles.",
    restart: true,
  }),
  "s3.secretKey": setting({
    kind: secret,
    group: "shared",
    secret: "value",
    initial: "",
    ambient: fromVariable("MINIO_SECRET_KEY"),
    about: { en: "secret of the access key", "zh-CN": "访问密钥的私钥" },
    reason: "file:PATH keeps it out of the process list and the configuration.",
    restart: true,
  }),
  "s3.ca": setting({
    kind: orNothing(text({ en: "a PEM file", "zh-CN": "PEM 文件" })),
    group: "shared",
    initial: "",
    about: { en: "more authorities to trust for the S3 service", "zh-CN": "访问 S3 服务时额外信任的 CA" },
    reason: "Services of one's own have certificates of one's own.",
    restart: true,
  }),
  "s3.timeout": setting({
    kind: duration(1_000, 10 * 60_000),
    group: "shared",
    initial: "30s",
    about: { en: "longest silence of the S3 service in one request", "zh-CN": "单个请求中 S3 服务的最长无响应时间" },
    reason: "A service that is silent for longer is taken for dead; what is kept near is served meanwhile.",
    restart: true,
  }),
  "s3.partSize": setting({
    kind: size(5 * MiB, 512 * MiB),
    group: "shared",
    initial: "64MiB",
    about: { en: "objects above this are uploaded in parts of it", "zh-CN": "超过此大小的对象按此大小分块上传" },
    reason: "A part that fails is sent again, not the whole zip. 5 MiB is the least the protocol allows.",
    restart: true,
  }),
  "s3.near": setting({
    kind: size(0, 2 ** 50),
    group: "shared",
    initial: "20GiB",
    about: {
      en: "bytes of copies that this node keeps in `store`; the ones unused longest leave",
      "zh-CN": "本节点在 store 中保留的副本字节数；最久未用的先离开",
    },
    reason: "What is near costs no request and is there while the service is not.",
    restart: true,
  }),
  "s3.memory": setting({
    kind: size(0, 16 * 1024 * MiB),
    group: "shared",
    initial: "64MiB",
    about: {
      en: "bytes of small objects kept in memory in front of both",
      "zh-CN": "置于两者之前、保存在内存中的小对象字节数",
    },
    reason: "Manifests and go.mod files are asked for most, and are small.",
    restart: true,
  }),
  "s3.queue": setting({
    kind: size(0, 2 ** 40),
    group: "shared",
    initial: "2GiB",
    about: {
      en: "bytes that wait on this node's disk to be uploaded while the service is out of reach; 0: nothing new is kept then",
      "zh-CN": "服务不可达期间在本节点磁盘上等待上传的字节数；0 表示此时不保存新内容",
    },
    reason: "Builds go on while the bucket is away, and nothing that was fetched is lost.",
    restart: true,
  }),
  "s3.redirect": setting({
    kind: size(0, 2 ** 40),
    group: "shared",
    initial: "0",
    about: {
      en: "public zips from this size on are answered with 302 to a URL signed for a short while; 0: never",
      "zh-CN": "达到此大小的公开 zip 以 302 转到短期签名的 URL；0 表示从不",
    },
    reason: "Large bytes then go past this process. go follows, and verifies what it gets.",
    danger: "Clients must reach the S3 service themselves, and damage there is found by go instead of by us.",
  }),
  "redis.url": setting({
    kind: orEmptyList(
      text(
        {
          en: "redis:// or rediss:// URL, or file:PATH, env:NAME of one",
          "zh-CN": "redis:// 或 rediss:// URL，或其 file:路径、env:变量名",
        },
        (value) => /^(file|env):/.test(value) || isUrl("redis:", "rediss:")(value),
      ),
    ),
    group: "shared",
    flag: "--redis URL",
    secret: "password",
    initial: [],
    about: {
      en: "Redis or Valkey through which nodes take turns; several URLs are nodes of one cluster",
      "zh-CN": "节点之间协调所用的 Redis 或 Valkey；多个 URL 表示同一集群的多个节点",
    },
    reason: "It spares fetches and tells sooner. While it is away everything goes on, each node by itself.",
    restart: true,
  }),
  "redis.ca": setting({
    kind: orNothing(text({ en: "a PEM file", "zh-CN": "PEM 文件" })),
    group: "shared",
    initial: "",
    about: { en: "more authorities to trust for rediss://", "zh-CN": "rediss:// 额外信任的 CA" },
    reason: "Services of one's own have certificates of one's own.",
    restart: true,
  }),
  "redis.prefix": setting({
    kind: text({ en: "letters, digits, - and _", "zh-CN": "字母、数字、- 与 _" }, (value) =>
      /^[\w-]{1,40}$/.test(value),
    ),
    group: "shared",
    initial: "granary",
    about: { en: "what all keys begin with", "zh-CN": "所有键的前缀" },
    reason: "Two clusters may share one Redis.",
    restart: true,
  }),
  "cluster.lease": setting({
    kind: duration(1_000, 10 * 60_000),
    group: "shared",
    initial: "30s",
    about: { en: "how long a turn lasts when its node is silent", "zh-CN": "节点失联后其轮次的有效时长" },
    reason: "A node that died holds up the others for so long; one that is only slow renews its turn.",
    restart: true,
  }),
  "cluster.node": setting({
    kind: orNothing(
      text({ en: "letters, digits, . - and _", "zh-CN": "字母、数字、. - 与 _" }, (value) =>
        /^[\w.-]{1,60}$/.test(value),
      ),
    ),
    group: "shared",
    initial: "",
    initialInDocs: "the host's name",
    about: { en: "name of this node in metrics and on the status page", "zh-CN": "本节点在指标与状态页中的名称" },
    reason: "Nodes on one machine need names of their own.",
    restart: true,
  }),
  "postgres.url": setting({
    kind: orNothing(
      text(
        {
          en: "postgres:// URL, or file:PATH, env:NAME of one",
          "zh-CN": "postgres:// URL，或其 file:路径、env:变量名",
        },
        (value) => /^(file|env):/.test(value) || isUrl("postgres:", "postgresql:")(value),
      ),
    ),
    group: "shared",
    flag: "--postgres URL",
    secret: "password",
    initial: "",
    about: {
      en: "PostgreSQL that holds the index of what is kept for all nodes; without it each node has its own",
      "zh-CN": "为所有节点保存索引的 PostgreSQL；不设则各节点各有其一",
    },
    reason: "Evictions then know what every node was asked for.",
    restart: true,
  }),
  "postgres.ca": setting({
    kind: orNothing(text({ en: "a PEM file", "zh-CN": "PEM 文件" })),
    group: "shared",
    initial: "",
    about: { en: "more authorities to trust for PostgreSQL over TLS", "zh-CN": "PostgreSQL 走 TLS 时额外信任的 CA" },
    reason: "Services of one's own have certificates of one's own.",
    restart: true,
  }),
} as const;
