// What article S2 claims in its first half: proxies, caches, HTTP/2.

import type { Myths } from "./myth.ts";

export const timeoutMyths = {
  MYTH_LIST_IS_SORTED: {
    row: "S2-1",
    said: ["S2"],
    verdict: "partly",
    about: ["requests", "mirrors"],
    shown: ["lists"],
    en: {
      claim: "A proxy's list is sorted by line.",
      truth: "It may be, but nothing depends on it: go sorts by itself, and passes by lines that are no version.",
    },
    "zh-CN": {
      claim: "代理的 list 按行排序。",
      truth: "可以排序，但没有意义：go 自己排序，不是版本的行会被忽略。",
    },
  },
  MYTH_INFO_NEEDS_ORIGIN: {
    row: "S2-2",
    said: ["S2"],
    verdict: "partly",
    about: ["requests", "mirrors"],
    shown: ["info"],
    en: {
      claim: ".info must hold Version, Time and Origin.",
      truth: "Version alone is needed. Time and Origin are welcome.",
    },
    "zh-CN": {
      claim: ".info 必须包含 Version、Time、Origin。",
      truth: "只有 Version 必需，Time 和 Origin 有则更好。",
    },
  },
  MYTH_POST_TRIGGERS_SYNC: {
    row: "S2-3",
    said: ["S2"],
    verdict: "false",
    about: ["requests", "mirrors"],
    shown: ["plainRequests"],
    en: {
      claim: "curl -X POST …/v1.9.1.info makes a mirror fetch it; go is sent to a temporary build within 200 ms.",
      truth: "The protocol is GET alone. A mirror fetches when somebody asks for the version: go mod download does.",
    },
    "zh-CN": {
      claim: "curl -X POST …/v1.9.1.info 可触发镜像同步，200 毫秒内 302 到临时构建地址。",
      truth: "协议只有 GET。有人请求某个版本时镜像才会去取，go mod download 即可。",
    },
  },
  MYTH_GOPROXY_CN_CONSISTENCY: {
    row: "S2-4",
    said: ["S2"],
    verdict: "unverifiable",
    about: ["mirrors", "sumdb"],
    unshown: "service",
    en: {
      claim: "goproxy.cn caches checksums with strong consistency.",
      truth: "Only that service knows. It need not be believed: go holds what it sends against signed records.",
      probe: "Compare the h1 of one zip from the mirror with the record of the checksum database.",
    },
    "zh-CN": {
      claim: "goproxy.cn 的校验和缓存是强一致的。",
      truth: "只有该服务自己知道。也不必相信：go 会用签名的记录核对它给的内容。",
      probe: "取镜像上某个 zip 的 h1，与校验和数据库的记录比较。",
    },
  },
  MYTH_ATHENS_VARIABLES: {
    row: "S2-5",
    said: ["S2"],
    verdict: "false",
    about: ["tools", "sumdb"],
    unshown: "software",
    en: {
      claim:
        "Athens takes ATHENS_STORAGE_TYPE=redis, ATHENS_DISK_CACHE_ROOT and ATHENS_REDIS_CONNECTION_STRING, and serves /sum/….",
      truth:
        "Its example configuration has no such names: Redis is a lock there, no storage, and the folder is ATHENS_DISK_STORAGE_ROOT. The database's path is /sumdb/NAME/….",
    },
    "zh-CN": {
      claim:
        "Athens 支持 ATHENS_STORAGE_TYPE=redis、ATHENS_DISK_CACHE_ROOT、ATHENS_REDIS_CONNECTION_STRING，路径是 /sum/…。",
      truth:
        "它的示例配置里没有这些名字：Redis 只作锁，不作存储；目录是 ATHENS_DISK_STORAGE_ROOT。数据库路径是 /sumdb/名称/…。",
    },
  },
  MYTH_PROXY_CACHE_118: {
    row: "S2-6",
    said: ["S2"],
    verdict: "false",
    about: ["GOMODCACHE", "GOCACHE", "cache", "versions"],
    shown: ["caches", "cached"],
    en: {
      claim:
        "Since Go 1.18 a proxy cache is built in, at GOMODCACHE = …/cache/download; GOCACHE=off has no effect on it.",
      truth:
        "The download cache is as old as modules (1.11). GOMODCACHE is GOPATH/pkg/mod, the cache lies below it. GOCACHE=off is an error for every build.",
    },
    "zh-CN": {
      claim: "Go 1.18 起内置 proxy cache，位于 GOMODCACHE（…/cache/download），GOCACHE=off 对它无影响。",
      truth: "下载缓存从 1.11 就有。GOMODCACHE 是 GOPATH/pkg/mod，下载缓存在它下面。GOCACHE=off 会让所有构建报错。",
    },
  },
  MYTH_GOSUMDB_ENABLES_CACHE: {
    row: "S2-7",
    said: ["S2"],
    verdict: "false",
    about: ["GOSUMDB", "cache"],
    shown: ["cached"],
    en: {
      claim: "go env -w GOSUMDB=… switches the proxy cache on.",
      truth: "The module cache is always on, with GOSUMDB off too. The two have nothing to do with each other.",
    },
    "zh-CN": {
      claim: "go env -w GOSUMDB=… 用于启用 proxy cache。",
      truth: "模块缓存始终启用，关掉 GOSUMDB 也一样，两者无关。",
    },
  },
  MYTH_DELETE_OLD_ZIPS: {
    row: "S2-8",
    said: ["S2"],
    verdict: "partly",
    about: ["GOMODCACHE", "cache"],
    shown: ["healing"],
    en: {
      claim: "Deleting zips older than 30 days keeps the module cache small, safely.",
      truth:
        "It does no harm: a missing zip is fetched again. But the extracted trees, which are larger, stay. A version is to be removed as a whole.",
    },
    "zh-CN": {
      claim: "删除 30 天前的 zip 可以安全地限制模块缓存大小。",
      truth: "没有害处，缺的 zip 会重新下载。但更大的解压目录还在。应当按版本整体删除。",
    },
  },
  MYTH_CACHE_AFTER_CHECK: {
    row: "S2-9",
    said: ["S2"],
    verdict: "true",
    about: ["cache", "sumdb"],
    shown: ["afterCheck", "mismatch"],
    en: {
      claim: "The cache is filled after the checksum database was asked.",
      truth: "So it is: what was refused leaves neither a zip nor a hash behind.",
    },
    "zh-CN": {
      claim: "先查校验和数据库，再写入缓存。",
      truth: "确实如此：被拒绝的内容不会留下 zip 或哈希。",
    },
  },
  MYTH_RST_STREAM_REFUSED: {
    row: "S2-10",
    said: ["S2"],
    verdict: "false",
    about: ["http2", "GODEBUG"],
    shown: ["envRefused", "http2"],
    en: {
      claim: 'go env -w GODEBUG=http2debug=2, then "wrote RST_STREAM … ErrCode=8" means that the server refused.',
      truth:
        'GODEBUG cannot be written, only exported. "wrote" is what go sent, "read" is what the server sent, and 8 is CANCEL.',
    },
    "zh-CN": {
      claim: "go env -w GODEBUG=http2debug=2 后看到 wrote RST_STREAM（错误码 8）表示服务端拒绝。",
      truth: "GODEBUG 不能写入，只能 export。wrote 是 go 自己发的，read 才是服务端发的；8 表示 CANCEL。",
    },
  },
} as const satisfies Myths;
