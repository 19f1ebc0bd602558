// What can be wrong with the place of a store: a bucket of an S3 service, or a directory.

import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";

type Bucket = { readonly bucket: string };
type Place = { readonly endpoint: string; readonly reason: string };
type Dir = { readonly dir: string };

export const storeFindings = {
  S3_UNREACHABLE: kind<Place>("fail", "s3.md#reach", {
    en: {
      title: ({ endpoint, reason }) => `the S3 service at ${endpoint} does not answer: ${reason}`,
      why: "No request came through. Granary serves what it has near and keeps what is new in a queue meanwhile.",
      advice: "Look whether s3.endpoint is right, and whether the service runs and can be reached from here.",
    },
    "zh-CN": {
      title: ({ endpoint, reason }) => `${endpoint} 的 S3 服务没有应答：${reason}`,
      why: "没有一个请求成功。此时 Granary 用本地副本提供服务，新内容排队等待。",
      advice: "检查 s3.endpoint 是否正确、服务是否在运行、本机能否访问。",
    },
  }),
  S3_TLS: kind<Place>("fail", "s3.md#reach", {
    en: {
      title: ({ endpoint, reason }) => `the certificate of ${endpoint} is not trusted: ${reason}`,
      why: "Services of one's own often have certificates of one's own authority, which this machine does not know.",
      advice: "Put the authority's certificate into a PEM file and set s3.ca to it.",
    },
    "zh-CN": {
      title: ({ endpoint, reason }) => `${endpoint} 的证书不受信任：${reason}`,
      why: "自建服务常用自建 CA 签发的证书，本机并不认识它。",
      advice: "把该 CA 的证书存为 PEM 文件，并把 s3.ca 设为它。",
    },
  }),
  S3_PLAIN_HTTP: kind<{ readonly endpoint: string }>("warn", "s3.md#reach", {
    en: {
      title: ({ endpoint }) => `${endpoint} is asked without TLS`,
      why: "Private modules travel readable, and whoever sits in between can change what is stored before it is verified again.",
      advice: "Use https:// unless the network between the two is yours alone.",
    },
    "zh-CN": {
      title: ({ endpoint }) => `访问 ${endpoint} 未使用 TLS`,
      why: "私有模块以明文传输，中间人可以在再次校验之前改动存储的内容。",
      advice: "除非两者之间的网络完全由您掌控，否则请使用 https://。",
    },
  }),
  S3_NO_CREDENTIALS: kind<Bucket>("fail", "s3.md#settings", {
    en: {
      title: ({ bucket }) => `there is no access key for the bucket ${bucket}`,
      why: "s3.accessKey is empty, and the SDK's own chain (environment, profile, role) found none.",
      advice: "Set s3.accessKey and s3.secretKey, or give this machine a role.",
    },
    "zh-CN": {
      title: ({ bucket }) => `没有访问存储桶 ${bucket} 的密钥`,
      why: "s3.accessKey 为空，SDK 自身的凭据链（环境变量、配置文件、角色）也没有找到。",
      advice: "设置 s3.accessKey 与 s3.secretKey，或为本机分配角色。",
    },
  }),
  S3_BAD_KEY: kind<Bucket & { readonly code: string }>("fail", "s3.md#settings", {
    en: {
      title: ({ bucket, code }) => `the key for the bucket ${bucket} is not taken: ${code}`,
      why: "The service does not know the access key, or the secret is another one, or the key has ended.",
      advice: "Look at s3.accessKey and s3.secretKey: granary config show says where each comes from.",
    },
    "zh-CN": {
      title: ({ bucket, code }) => `存储桶 ${bucket} 的密钥不被接受：${code}`,
      why: "服务不认识该访问密钥，或私钥不符，或密钥已失效。",
      advice: "检查 s3.accessKey 与 s3.secretKey：granary config show 会说明各自的来源。",
    },
  }),
  S3_NO_BUCKET: kind<Bucket>("fail", "s3.md#settings", {
    en: {
      title: ({ bucket }) => `there is no bucket ${bucket}`,
      why: "Granary makes no buckets: its key should not be allowed to.",
    },
    "zh-CN": {
      title: ({ bucket }) => `没有存储桶 ${bucket}`,
      why: "Granary 不创建存储桶：它的密钥不应有此权限。",
    },
  }),
  S3_DENIED: kind<Bucket & { readonly action: string }>("fail", "s3.md#permissions", {
    en: {
      title: ({ bucket, action }) => `the key may not do ${action} in the bucket ${bucket}`,
      why: "Without s3:ListBucket a service says 403 of what is absent, and Granary cannot tell absence from refusal.",
      advice: "Give the key this policy, which is the least that Granary needs; the user's name is an example.",
    },
    "zh-CN": {
      title: ({ bucket, action }) => `该密钥在存储桶 ${bucket} 中没有 ${action} 权限`,
      why: "没有 s3:ListBucket 时，服务对不存在的对象也回答 403，Granary 无法区分不存在与被拒绝。",
      advice: "为密钥授予以下策略，这是 Granary 所需的最小权限；用户名仅为示例。",
    },
  }),
  S3_UNSUPPORTED: kind<Bucket & { readonly action: string; readonly code: string }>("fail", "s3.md#services", {
    en: {
      title: ({ bucket, action, code }) => `the service does not do ${action} in the bucket ${bucket}: ${code}`,
      why: "It answered, and neither did it nor refused it for want of a permission.",
      advice: "docs/s3.md names the services on which everything was tried.",
    },
    "zh-CN": {
      title: ({ bucket, action, code }) => `服务未能在存储桶 ${bucket} 中执行 ${action}：${code}`,
      why: "服务有应答，但没有执行，也不是因为权限不足。",
      advice: "docs/s3.md 列出了完整试验过的服务。",
    },
  }),
  S3_CREATE_OVERWRITES: kind<Bucket & { readonly request: string }>("fail", "s3.md#conditions", {
    en: {
      title: ({ bucket, request }) => `${request} with If-None-Match overwrites in the bucket ${bucket}`,
      why: "Granary never overwrites a version because the service refuses the second writer. This service does not: two nodes could keep different bytes under one name.",
      advice: "Use a service that honours conditional writes, or let one node alone write, to a disk.",
    },
    "zh-CN": {
      title: ({ bucket, request }) => `存储桶 ${bucket} 中带 If-None-Match 的 ${request} 会覆盖已有对象`,
      why: "Granary 从不覆盖已有版本，依靠的是服务拒绝第二个写入者。此服务并不拒绝：两个节点可能在同一名称下保存不同内容。",
      advice: "换用支持条件写入的服务，或只让一个节点写入磁盘。",
    },
  }),
  S3_REPLACE_UNGUARDED: kind<Bucket>("fail", "s3.md#conditions", {
    en: {
      title: ({ bucket }) => `PutObject with If-Match replaces what it should not, in the bucket ${bucket}`,
      why: "Nodes agree on checksum heads, pins and tokens by replacing only what they have read. Here the slower node would undo the faster one's work.",
      advice: "Use a service that honours If-Match on PutObject.",
    },
    "zh-CN": {
      title: ({ bucket }) => `存储桶 ${bucket} 中带 If-Match 的 PutObject 会替换不该替换的对象`,
      why: "节点之间通过“只替换读到的内容”就校验和树头、固定哈希与令牌达成一致。在此服务上，较慢的节点会抹掉较快节点的结果。",
      advice: "换用支持 PutObject If-Match 的服务。",
    },
  }),
  S3_STALE_READS: kind<Bucket>("fail", "s3.md#conditions", {
    en: {
      title: ({ bucket }) => `what was just written or removed in the bucket ${bucket} is not read so`,
      why: "Granary reads back what another node has just written. A cache in between, or replicas that follow later, make nodes disagree.",
      advice: "Ask the service itself, without a cache in front.",
    },
    "zh-CN": {
      title: ({ bucket }) => `存储桶 ${bucket} 中刚写入或删除的内容，读取结果不一致`,
      why: "Granary 要读到其他节点刚写入的内容。中间的缓存或延迟同步的副本会让节点各执一词。",
      advice: "直接访问服务，不要在前面放缓存。",
    },
  }),
  S3_MARKER_BLOCKS: kind<Bucket>("info", "s3.md#versions", {
    en: {
      title: ({ bucket }) => `the bucket ${bucket} takes no new object where one was deleted`,
      why: "This service counts the delete marker as an object. Before it creates such an object anew Granary removes the older versions of that one name.",
    },
    "zh-CN": {
      title: ({ bucket }) => `存储桶 ${bucket} 在已删除对象的名称下不接受新对象`,
      why: "该服务把删除标记当作对象。重新创建此类对象之前，Granary 会删除该名称下的旧版本。",
    },
  }),
  S3_MARKER_REPLACED: kind<Bucket>("info", "s3.md#versions", {
    en: {
      title: ({ bucket }) => `the bucket ${bucket} lets If-Match replace what was deleted`,
      why: "This service compares with the version below the delete marker. Granary looks first, which costs a request for each replacement.",
    },
    "zh-CN": {
      title: ({ bucket }) => `存储桶 ${bucket} 允许 If-Match 替换已删除的对象`,
      why: "该服务与删除标记之下的版本比较。Granary 会先查看一次，每次替换多一个请求。",
    },
  }),
  S3_LINK_FAILS: kind<Bucket>("warn", "s3.md#redirect", {
    en: {
      title: ({ bucket }) => `a signed URL into the bucket ${bucket} is not answered`,
      why: "With s3.redirect large zips are answered with such URLs, and go would get an error from them.",
      advice: "Leave s3.redirect at 0.",
    },
    "zh-CN": {
      title: ({ bucket }) => `指向存储桶 ${bucket} 的签名 URL 无法访问`,
      why: "启用 s3.redirect 后，大 zip 会以此类 URL 应答，go 会因此收到错误。",
      advice: "保持 s3.redirect 为 0。",
    },
  }),
  S3_UNVERSIONED: kind<Bucket>("info", "s3.md#versions", {
    en: {
      title: ({ bucket }) => `the bucket ${bucket} keeps no older versions`,
      why: "Granary needs none. They help against a mistaken hand: what somebody deletes with another tool can be had back.",
    },
    "zh-CN": {
      title: ({ bucket }) => `存储桶 ${bucket} 未开启版本控制`,
      why: "Granary 不需要它。它可以防误操作：别的工具误删的内容可以找回。",
    },
  }),
  S3_VERSIONS_STAY: kind<Bucket>("info", "s3.md#versions", {
    en: {
      title: ({ bucket }) => `what leaves the bucket ${bucket} stays as an older version`,
      why: "The bucket keeps versions, so store gc frees nothing until a lifecycle rule removes what is no longer current.",
      advice: "Set this rule once, unless the bucket has one; it replaces all rules that are there.",
    },
    "zh-CN": {
      title: ({ bucket }) => `从存储桶 ${bucket} 移除的内容仍作为旧版本保留`,
      why: "存储桶开启了版本控制，在生命周期规则清除旧版本之前，store gc 不会释放空间。",
      advice: "如尚无规则，请设置一次；它会替换现有的全部规则。",
    },
  }),
  S3_CLOCK: kind<{ readonly endpoint: string; readonly seconds: number }>("warn", "s3.md#reach", {
    en: {
      title: ({ endpoint, seconds }) =>
        `the clock of ${endpoint} is ${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} this machine's`,
      why: "Every request is signed with the time; services refuse what is more than 15 minutes off.",
      advice: "Let both machines follow a time server.",
    },
    "zh-CN": {
      title: ({ endpoint, seconds }) => `${endpoint} 的时钟比本机${seconds > 0 ? "快" : "慢"} ${Math.abs(seconds)} 秒`,
      why: "每个请求都带时间签名；相差超过 15 分钟会被服务拒绝。",
      advice: "让两台机器都与时间服务器同步。",
    },
  }),
  STORE_DISK_UNWRITABLE: kind<Dir & { readonly reason: string }>("fail", "store.md", {
    en: {
      title: ({ dir, reason }) => `${dir} cannot be used as a store: ${reason}`,
      why: "A store needs a directory that this user alone can write, on a file system with hard links.",
    },
    "zh-CN": {
      title: ({ dir, reason }) => `${dir} 不能用作存储：${reason}`,
      why: "存储需要只有当前用户可写的目录，且文件系统支持硬链接。",
    },
  }),
  STORE_NO_FSYNC: kind<Dir & { readonly reason: string }>("fail", "store.md", {
    en: {
      title: ({ dir, reason }) => `nothing can be made durable in ${dir}: ${reason}`,
      why: "What is acknowledged must survive a power cut, and the file system did not take an fsync.",
    },
    "zh-CN": {
      title: ({ dir, reason }) => `${dir} 中的内容无法持久化：${reason}`,
      why: "已确认的内容必须经得起断电，而文件系统没有完成 fsync。",
    },
  }),
  STORE_LOW_SPACE: kind<Dir & { readonly megabytes: number }>("warn", "store.md", {
    en: {
      title: ({ dir, megabytes }) => `${dir} has ${megabytes} MB left`,
      why: "A zip may have 500 MB, and several come at a time. A full disk answers what is kept and keeps nothing new.",
      advice: "Free some space, or let versions leave: granary store gc --help.",
    },
    "zh-CN": {
      title: ({ dir, megabytes }) => `${dir} 只剩 ${megabytes} MB`,
      why: "单个 zip 可达 500 MB，且可能同时到来多个。磁盘写满后只能提供已有内容，不再保存新内容。",
      advice: "腾出空间，或淘汰旧版本：granary store gc --help。",
    },
  }),
  STORE_LAYOUT_OLD: kind<Dir & { readonly layout: number }>("info", "store.md", {
    en: {
      title: ({ dir, layout }) => `${dir} has the old layout ${layout}`,
      why: "It is read and written as ever, but nothing is evicted from it.",
    },
    "zh-CN": {
      title: ({ dir, layout }) => `${dir} 仍是旧布局 ${layout}`,
      why: "可以照常读写，但不会从中淘汰内容。",
    },
  }),
  STORE_LAYOUT_NEW: kind<Dir & { readonly layout: number; readonly known: number }>("fail", "store.md", {
    en: {
      title: ({ dir, layout, known }) => `${dir} has layout ${layout}; this Granary knows ${known}`,
      why: "A newer Granary wrote it. An older one would take what it does not know for damage.",
      advice: "Use the newer Granary.",
    },
    "zh-CN": {
      title: ({ dir, layout, known }) => `${dir} 的布局为 ${layout}；本 Granary 只认识 ${known}`,
      why: "它由更新的 Granary 写入；旧版会把不认识的内容当作损坏。",
      advice: "请使用较新的 Granary。",
    },
  }),
} as const satisfies Area;
