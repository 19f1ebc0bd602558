// What article S0 claims, on set-ups of go that fail in China.

import type { Myths } from "./myth.ts";

export const setUpMyths = {
  MYTH_CNCF_RATE_LIMIT: {
    row: "S0-1",
    said: ["S0"],
    verdict: "false",
    about: ["mirrors"],
    unshown: "operator",
    en: {
      claim: "The CNCF limits the official proxy by region.",
      truth:
        "The official proxy, the checksum database and the index are run by Google's Go team; the CNCF has no part in them. Nobody publishes limits, so measured ones are hearsay.",
    },
    "zh-CN": {
      claim: "CNCF 按地区对官方代理限速。",
      truth: "官方代理、校验和数据库和索引由 Google 的 Go 团队运行，与 CNCF 无关。限速值没有公开，文中的数字无从证实。",
    },
  },
  MYTH_429_FALLS_BACK: {
    row: "S0-2",
    said: ["S0"],
    verdict: "false",
    about: ["GOPROXY", "fallback", "requests"],
    shown: ["fallback", "retryAfter", "twice"],
    en: {
      claim: "When a proxy answers 429, the list takes care of it.",
      truth:
        "429 ends a comma list, and go does not wait. From go 1.24 on it asks once more at once over https, as after every 4xx: for credentials, not for patience.",
    },
    "zh-CN": {
      claim: "代理返回 429 时，GOPROXY 列表会自动切换。",
      truth:
        "429 会终止逗号列表，go 也不会等待。go 1.24 起，https 上的任何 4xx 都会立刻再请求一次，那是为了凭据，不是退避。",
    },
  },
  MYTH_GOCENTER: {
    row: "S0-3",
    said: ["S0"],
    verdict: "unverifiable",
    about: ["GOPROXY", "mirrors"],
    unshown: "service",
    en: {
      claim: "GoCenter (gocenter.io) is an alternative, with an index that can be rolled back by SHA-256.",
      truth: "GoCenter is known as discontinued, and the protocol has no index to roll back.",
      probe: "Ask it for a version that everybody has, as go would: /golang.org/x/text/@v/v0.21.0.info.",
    },
    "zh-CN": {
      claim: "可以改用 GoCenter（gocenter.io），它有可按 SHA256 回滚的索引。",
      truth: "据知 GoCenter 已停止服务；协议里也没有可回滚的索引。",
      probe: "像 go 那样向它请求一个公认存在的版本：/golang.org/x/text/@v/v0.21.0.info。",
    },
  },
  MYTH_SETTING_THE_DEFAULT_GOSUMDB: {
    row: "S0-4",
    said: ["S0"],
    verdict: "partly",
    about: ["GOSUMDB", "sumdb"],
    shown: ["defaultDatabase"],
    en: {
      claim: "go env -w GOSUMDB=sum.golang.org makes sure that verification cannot be bypassed.",
      truth:
        "That is the default. It changes something only where another value was written, and forbids nobody to change it.",
    },
    "zh-CN": {
      claim: "go env -w GOSUMDB=sum.golang.org 可以保证校验不被绕过。",
      truth: "这本来就是默认值。只有之前写过别的值时才有作用，也不能阻止别人再改。",
    },
  },
  MYTH_MIRROR_WEBHOOK: {
    row: "S0-5",
    said: ["S0"],
    verdict: "false",
    about: ["mirrors"],
    unshown: "service",
    en: {
      claim: "Mirrors hear of new versions from the official proxy by webhook, within seconds.",
      truth:
        "The only public feed is index.golang.org, which has to be polled. A webhook is an arrangement between a forge and whoever it was told of.",
    },
    "zh-CN": {
      claim: "镜像通过 webhook 从官方代理秒级得知新版本。",
      truth: "公开的变更来源只有 index.golang.org，需要轮询。webhook 只存在于代码托管平台和它所配置的接收方之间。",
    },
  },
  MYTH_HEAD_AS_A_PROBE: {
    row: "S0-6",
    said: ["S0"],
    verdict: "partly",
    about: ["requests", "mirrors"],
    shown: ["plainRequests"],
    en: {
      claim: "curl -I tells whether a proxy works.",
      truth: "HEAD is not part of the protocol: a good proxy may answer 405. go sends GET alone; ask as it does.",
    },
    "zh-CN": {
      claim: "用 curl -I 检查代理是否可用。",
      truth: "协议里没有 HEAD，正常的代理也可能返回 405。go 只发 GET，检查时也应如此。",
    },
  },
  MYTH_ETAG_REVALIDATION: {
    row: "S0-7",
    said: ["S0"],
    verdict: "false",
    about: ["requests", "cache"],
    shown: ["plainRequests"],
    en: {
      claim: "ETag and Cache-Control decide when go asks again.",
      truth:
        "go sends no conditional request and keeps no HTTP cache. Those headers work for what stands in between, a CDN for example.",
    },
    "zh-CN": {
      claim: "ETag 和 Cache-Control 决定 go 何时重新请求。",
      truth: "go 不发条件请求，也没有 HTTP 缓存。这些头只对中间的 CDN 等有用。",
    },
  },
  MYTH_GOPROXY_CN_REDIRECTS: {
    row: "S0-8",
    said: ["S0"],
    verdict: "unverifiable",
    about: ["redirects", "mirrors"],
    unshown: "service",
    en: {
      claim: "goproxy.cn answers 302 to the official proxy, which costs a second look-up and handshake.",
      truth:
        "A proxy may redirect, file by file; go follows nine hops, and none from https to http. Whether this one does may change any day.",
      probe: "Ask for a zip without following redirects, and read the status and Location.",
    },
    "zh-CN": {
      claim: "goproxy.cn 会 302 到官方代理，多一次解析和握手。",
      truth: "协议允许逐个文件重定向；go 最多跟随九次，且不会从 https 跟到 http。该服务是否这样做随时可能变化。",
      probe: "请求一个 zip，不跟随重定向，看状态码和 Location。",
    },
  },
  MYTH_TLS_LOGS_REMOVED: {
    row: "S0-9",
    said: ["S0"],
    verdict: "false",
    about: ["tls", "GODEBUG", "versions"],
    shown: ["authority"],
    en: {
      claim: "Go 1.18 removed its TLS logs; GODEBUG=tls13=1 brings them back.",
      truth:
        'There is no such change and no such setting today. TLS errors are plain: "x509: certificate signed by unknown authority".',
    },
    "zh-CN": {
      claim: "Go 1.18 起去掉了 TLS 日志，要用 GODEBUG=tls13=1。",
      truth: "没有这种改动，如今也没有这个设置。TLS 错误写得很明白：x509: certificate signed by unknown authority。",
    },
  },
  MYTH_SNI_PROTOCOL_VERSION: {
    row: "S0-10",
    said: ["S0"],
    verdict: "false",
    about: ["tls"],
    shown: ["tlsErrors"],
    en: {
      claim: '"server selected unsupported protocol version" means that SNI was tampered with.',
      truth:
        'It is about TLS versions. A server that answers for another name shows as "certificate is valid for A, not B".',
    },
    "zh-CN": {
      claim: "server selected unsupported protocol version 表示 SNI 被篡改。",
      truth: "这条错误说的是 TLS 版本。主机名不符时的错误是 certificate is valid for A, not B。",
    },
  },
  MYTH_GOSUMDB_IS_A_PROXY_PATH: {
    row: "S0-11",
    said: ["S0"],
    verdict: "false",
    about: ["GOSUMDB", "sumdb"],
    shown: ["malformed", "sumdbRequests"],
    en: {
      claim: "GOSUMDB has to be set to PROXY/sumdb, or to off.",
      truth:
        "Such a value is a malformed verifier id. go asks PROXY/sumdb/sum.golang.org/… by itself when the proxy offers it.",
    },
    "zh-CN": {
      claim: "GOSUMDB 要改成“代理/sumdb”或 off。",
      truth: "这样的值会报 malformed verifier id。代理提供时，go 会自动使用“代理/sumdb/sum.golang.org/…”。",
    },
  },
  MYTH_FAILED_TO_FETCH_SUM: {
    row: "S0-12",
    said: ["S0"],
    verdict: "false",
    about: ["sumdb"],
    shown: ["sumdbFails"],
    en: {
      claim: 'The error to look for is "failed to fetch sum".',
      truth: 'go never prints that. It says "verifying module" or "verifying go.mod", then which URL failed and how.',
    },
    "zh-CN": {
      claim: "要找的错误是 failed to fetch sum。",
      truth: "go 从不打印这句话。它先写 verifying module 或 verifying go.mod，再写哪个 URL 如何失败。",
    },
  },
  MYTH_TRACE_COLLECTS: {
    row: "S0-13",
    said: ["S0"],
    verdict: "false",
    about: ["tools"],
    shown: ["ownWords"],
    en: {
      claim: "go tool trace -http=:8081 ./proxy-server collects a trace of the server.",
      truth: "It shows a trace file that exists already; the program has to have written one.",
    },
    "zh-CN": {
      claim: "go tool trace -http=:8081 ./proxy-server 可以采集服务的 trace。",
      truth: "它只查看已有的 trace 文件；文件要由程序自己先写出来。",
    },
  },
  MYTH_GREP_VERIFYING: {
    row: "S0-14",
    said: ["S0"],
    verdict: "false",
    about: ["sumdb", "go.sum", "fallback"],
    shown: ["trace", "mismatch"],
    en: {
      claim:
        'go mod download -x shows "verifying" and "sum.db"; when a check fails, integrity.txt of the mirror counts.',
      truth:
        '-x prints "# get" lines only; success is silent. No sum.db and no integrity.txt exist, and a mismatch is a SECURITY ERROR after which nobody else is asked.',
    },
    "zh-CN": {
      claim: "go mod download -x 会显示 verifying 和 sum.db；校验失败时改用镜像的 integrity.txt。",
      truth:
        "-x 只打印 # get 行，校验成功时没有输出。没有 sum.db 和 integrity.txt；不一致就是 SECURITY ERROR，不会再问别人。",
    },
  },
  MYTH_INSTALL_RELATIVE_PATH: {
    row: "S0-15",
    said: ["S0"],
    verdict: "false",
    about: ["tools", "versions"],
    shown: ["relative"],
    en: {
      claim: "go install ./cmd/sdkctl@latest installs a tool of this repository.",
      truth:
        "A relative path cannot have a version. go install ./cmd/sdkctl builds what lies here; @latest wants a full path.",
    },
    "zh-CN": {
      claim: "go install ./cmd/sdkctl@latest 可以安装本仓库的工具。",
      truth: "相对路径不能带版本。go install ./cmd/sdkctl 构建当前目录的代码；@latest 要用完整路径。",
    },
  },
  MYTH_VENDOR_IS_VERIFIED: {
    row: "S0-16",
    said: ["S0"],
    verdict: "partly",
    about: ["vendor", "go.sum"],
    shown: ["vendor"],
    en: {
      claim: "Builds from vendor are checked against go.sum.",
      truth:
        "What go mod vendor copies was checked when it was downloaded. A build from vendor verifies nothing, and uses no network.",
    },
    "zh-CN": {
      claim: "使用 vendor 构建时默认按 go.sum 校验。",
      truth: "go mod vendor 复制的内容在下载时校验过。之后用 vendor 构建不做任何校验，也不联网。",
    },
  },
  MYTH_MODULES_DOWNLOAD_ENDPOINT: {
    row: "S0-17",
    said: ["S0"],
    verdict: "false",
    about: ["requests", "mirrors"],
    shown: ["plainRequests"],
    en: {
      claim: "PROXY/modules/download is the address to test a connection with.",
      truth: "There is no such endpoint; 404 or 410 is the right answer. Ask for /golang.org/x/text/@v/list.",
    },
    "zh-CN": {
      claim: "用“代理/modules/download”测试连通性。",
      truth: "没有这个端点，返回 404 或 410 才正常。请改用 /golang.org/x/text/@v/list。",
    },
  },
  MYTH_CLEARING_GOCACHE: {
    row: "S0-18",
    said: ["S0"],
    verdict: "false",
    about: ["GOCACHE", "GOMODCACHE", "cache"],
    shown: ["caches"],
    en: {
      claim: "rm -rf $GOCACHE mends downloads.",
      truth:
        "GOCACHE holds builds, and the variable is empty in most shells, so that nothing is removed at all. Modules lie in GOMODCACHE.",
    },
    "zh-CN": {
      claim: "rm -rf $GOCACHE 可以修复下载问题。",
      truth: "GOCACHE 存放构建结果，而且多数 shell 里这个变量是空的，什么也不会删除。模块在 GOMODCACHE 里。",
    },
  },
} as const satisfies Myths;
