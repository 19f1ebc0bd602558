// What article S2 claims in its second half: checksum databases, certificates, transport.

import type { Myths } from "./myth.ts";

export const databaseMyths = {
  MYTH_SUMDB_DECENTRALISED: {
    row: "S2-11",
    said: ["S2"],
    verdict: "false",
    about: ["sumdb", "GOSUMDB"],
    shown: ["sumdbRequests", "malformed"],
    en: {
      claim: "The checksum database is decentralised.",
      truth: "It is one log with one signing key and one operator. Every client can audit it; mirrors only pass it on.",
    },
    "zh-CN": {
      claim: "校验和数据库是去中心化的。",
      truth: "它是一份透明日志，由一个机构用一把密钥签名。任何客户端都能审计；镜像只是转发。",
    },
  },
  MYTH_CLIENT_ASKS_LATEST: {
    row: "S2-12",
    said: ["S2"],
    verdict: "false",
    about: ["sumdb", "requests"],
    shown: ["sumdbRequests"],
    en: {
      claim: "go asks the checksum database for /latest.",
      truth: "Never: each lookup brings a signed head along. /latest is for auditors and mirrors.",
    },
    "zh-CN": {
      claim: "go 会请求校验和数据库的 /latest。",
      truth: "从不请求：每次 lookup 都附带签名的树头。/latest 供审计者和镜像使用。",
    },
  },
  MYTH_GOSUMDB_PUBLICKEY: {
    row: "S2-13",
    said: ["S2"],
    verdict: "false",
    about: ["GOSUMDB", "sumdb"],
    shown: ["malformed", "envRefused"],
    en: {
      claim: 'GOSUMDB="sum.golang.google.cn https://…" and GOSUMDB_PUBLICKEY set up another database.',
      truth:
        'The first is a malformed verifier id, the second no variable of go. The key is part of GOSUMDB: "name+hash+key https://…".',
    },
    "zh-CN": {
      claim: '用 GOSUMDB="sum.golang.google.cn https://…" 和 GOSUMDB_PUBLICKEY 配置另一个数据库。',
      truth: '前者是 malformed verifier id，后者不是 go 的变量。验证公钥写在 GOSUMDB 里："name+hash+key https://…"。',
    },
  },
  MYTH_TRUSTED_SUMDB_FILE: {
    row: "S2-14",
    said: ["S2"],
    verdict: "false",
    about: ["sumdb", "offline"],
    shown: ["sumdbRequests"],
    en: {
      claim: "go reads a snapshot trusted.sumdb.",
      truth:
        "There is none. What go has proven lies in GOPATH/pkg/sumdb (the newest head) and in the module cache (records, tiles).",
    },
    "zh-CN": {
      claim: "go 会读取 trusted.sumdb 快照。",
      truth: "没有这个文件。go 证明过的内容在 GOPATH/pkg/sumdb（最新树头）和模块缓存（记录、瓦片）里。",
    },
  },
  MYTH_SUMDB_TOOLS: {
    row: "S2-15",
    said: ["S2"],
    verdict: "false",
    about: ["sumdb", "tools"],
    unshown: "registry",
    en: {
      claim: "The Go team has tools sumweb, sumgopher, sumverify and sumdb -mirror.",
      truth:
        "It has none of them: golang.org/x/mod/sumdb is a library, with gosumcheck as its one command. Granary's commands of these names are its own.",
    },
    "zh-CN": {
      claim: "Go 官方有 sumweb、sumgopher、sumverify、sumdb -mirror 等工具。",
      truth: "都没有：golang.org/x/mod/sumdb 是一个库，只带 gosumcheck 一个命令。Granary 的同名命令是自己实现的。",
    },
  },
  MYTH_CLIENT_CERTIFICATE: {
    row: "S2-16",
    said: ["S2"],
    verdict: "false",
    about: ["tls", "sumdb", "GOPROXY"],
    shown: ["clientCertificate"],
    en: {
      claim: "go and a proxy or database can authenticate each other with mTLS.",
      truth:
        "go cannot show a client certificate, by no variable and no flag. Use a password or token (netrc, GOAUTH), or an agent on this machine that has the certificate.",
    },
    "zh-CN": {
      claim: "go 与代理或数据库之间可以用 mTLS 双向认证。",
      truth: "go 无法出示客户端证书，没有变量也没有选项。请用密码或令牌（netrc、GOAUTH），或由本机的代理程序持有证书。",
    },
  },
  MYTH_GOSUMDB_AT_URL: {
    row: "S2-17",
    said: ["S2"],
    verdict: "false",
    about: ["GOSUMDB", "sumdb"],
    shown: ["malformed"],
    en: {
      claim: "GOSUMDB=private-sumdb@https://… names a private database.",
      truth: 'That is a malformed verifier id. Right: "name+hash+key https://…", with a space before the URL.',
    },
    "zh-CN": {
      claim: "GOSUMDB=private-sumdb@https://… 指向私有数据库。",
      truth: '会报 malformed verifier id。正确写法是"name+hash+key https://…"，URL 前是空格。',
    },
  },
  MYTH_GOSUMDB_DIRECT: {
    row: "S2-18",
    said: ["S2"],
    verdict: "false",
    about: ["GOSUMDB", "sumdb", "direct"],
    shown: ["malformed"],
    en: {
      claim: "GOSUMDB may be direct, localhost:8081 or http://localhost:8081.",
      truth:
        "Each is a malformed verifier id. GOSUMDB is sum.golang.org, off, or a verifier key with or without a URL.",
    },
    "zh-CN": {
      claim: "GOSUMDB 可以是 direct、localhost:8081 或 http://localhost:8081。",
      truth: "都会报 malformed verifier id。GOSUMDB 只能是 sum.golang.org、off，或验证公钥（可带 URL）。",
    },
  },
  MYTH_OFF_IS_OFFLINE: {
    row: "S2-19",
    said: ["S2"],
    verdict: "false",
    about: ["GOPROXY", "off", "offline", "sumdb"],
    shown: ["off", "offline"],
    en: {
      claim: "GOPROXY=off with a local mirror gives verified builds offline.",
      truth:
        "off asks no mirror. Offline is GOPROXY=file://FOLDER with the download cache, the database's lookups and tiles, and an empty sumdb/NAME/supported.",
    },
    "zh-CN": {
      claim: "GOPROXY=off 加本地镜像可以离线且有校验地构建。",
      truth:
        "off 不会访问任何镜像。离线要用 GOPROXY=file://目录，其中有下载缓存、数据库的 lookup 和瓦片，以及空文件 sumdb/名称/supported。",
    },
  },
  MYTH_SUMDB_FOLDER_LAYOUT: {
    row: "S2-20",
    said: ["S2"],
    verdict: "false",
    about: ["sumdb", "cache"],
    shown: ["sumdbRequests"],
    en: {
      claim: "A database's folder holds index, tree and latest.",
      truth: "It holds lookup/ and tile/8/…; the newest head is kept apart, in GOPATH/pkg/sumdb/NAME/latest.",
    },
    "zh-CN": {
      claim: "数据库目录里是 index、tree、latest。",
      truth: "里面是 lookup/ 和 tile/8/…；最新树头另存在 GOPATH/pkg/sumdb/名称/latest。",
    },
  },
  MYTH_TRANSPORT_DEFAULTS: {
    row: "S2-21",
    said: ["S2"],
    verdict: "false",
    about: ["timeout", "requests"],
    shown: ["ownWords"],
    en: {
      claim: "Go's HTTP transport keeps idle connections for 30 s and 0 of them; tune it.",
      truth: "It keeps 100 for 90 s, two per host. And no setting of the go command changes it.",
    },
    "zh-CN": {
      claim: "Go 的 HTTP 传输层空闲超时 30 秒、最大空闲连接 0，需要调整。",
      truth: "默认保留 100 个空闲连接（每主机 2 个）90 秒。go 命令没有任何设置可以改它。",
    },
  },
  MYTH_NETDNS_SHOWS_DIALS: {
    row: "S2-22",
    said: ["S2"],
    verdict: "false",
    about: ["dns", "GODEBUG"],
    shown: ["netdns"],
    en: {
      claim: 'GODEBUG=netdns=1 prints the "dial tcp …" lines of each connection.',
      truth: "It prints which resolver is used, and nothing else. (/etc/hosts counts, as the article says.)",
    },
    "zh-CN": {
      claim: "GODEBUG=netdns=1 会打印每次连接的 dial tcp …。",
      truth: "它只打印使用哪种解析器。（/etc/hosts 有效，这一点文中没错。）",
    },
  },
  MYTH_GO_122_IS_ENOUGH: {
    row: "S2-23",
    said: ["S2"],
    verdict: "partly",
    about: ["versions", "sumdb"],
    shown: ["holes"],
    en: {
      claim: "Go 1.22 or newer is recommended.",
      truth:
        "It was good advice once. Three holes in the verification of checksum databases were closed in 2026: use 1.27, 1.26.6 or 1.25.13, or newer.",
    },
    "zh-CN": {
      claim: "推荐使用 Go 1.22 及以上。",
      truth: "这建议已经过时。2026 年修复了校验和数据库验证的三个漏洞：请用 1.27、1.26.6、1.25.13 或更新版本。",
    },
  },
} as const satisfies Myths;
