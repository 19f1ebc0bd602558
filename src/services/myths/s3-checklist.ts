// What article S3 claims, a checklist for a proxy that has no effect.

import type { Myths } from "./myth.ts";

export const checklistMyths = {
  MYTH_DIRECT_IS_MISCONFIGURED: {
    row: "S3-1",
    said: ["S3"],
    verdict: "partly",
    about: ["GOPROXY", "direct"],
    shown: ["unset"],
    en: {
      claim: "When go env GOPROXY prints direct or nothing, it is not set properly.",
      truth:
        "direct is legal, though of little use behind a filter. Nothing is printed only where $GOROOT/go.env lost its default.",
    },
    "zh-CN": {
      claim: "go env GOPROXY 输出 direct 或为空说明没有配置好。",
      truth: "direct 合法，只是在受限网络里用处不大。只有 $GOROOT/go.env 丢了默认值时才会为空。",
    },
  },
  MYTH_ROOT_MUST_ANSWER: {
    row: "S3-2",
    said: ["S3"],
    verdict: "false",
    about: ["requests", "tls", "mirrors"],
    shown: ["plainRequests", "authority"],
    en: {
      claim: "curl -I -k of a proxy's root has to give 200.",
      truth: "go asks neither for the root nor with HEAD. And -k hides exactly the TLS failure that go will have.",
    },
    "zh-CN": {
      claim: "对代理根路径执行 curl -I -k 必须返回 200。",
      truth: "go 既不访问根路径，也不用 HEAD。而 -k 恰好掩盖了 go 会遇到的 TLS 错误。",
    },
  },
  MYTH_EMPTY_LIST_IS_BROKEN: {
    row: "S3-3",
    said: ["S3"],
    verdict: "false",
    about: ["requests", "mirrors"],
    shown: ["lists"],
    en: {
      claim: "list and .info are required since Go 1.13; an empty list means that the proxy is broken.",
      truth:
        "They are since 1.11. 200 with an empty list is right for a module without tags: go asks for @latest then.",
    },
    "zh-CN": {
      claim: "Go 1.13 起要求 list 和 info；list 为空说明代理异常。",
      truth: "从 1.11 就要求。没有标签的模块返回 200 和空 list 是正确的，go 会接着请求 @latest。",
    },
  },
  MYTH_GOKEYS: {
    row: "S3-4",
    said: ["S3"],
    verdict: "false",
    about: ["tls", "GODEBUG"],
    shown: ["authority", "envRefused"],
    en: {
      claim: "GOKEYS and GODEBUG=x509ignoreCN=0 make go trust a company's certificate.",
      truth:
        "The first does not exist, the second is gone since 1.17. Put the authority into the system's store, or name it in SSL_CERT_FILE or SSL_CERT_DIR.",
    },
    "zh-CN": {
      claim: "设置 GOKEYS 和 GODEBUG=x509ignoreCN=0 可以信任企业证书。",
      truth: "前者不存在，后者自 1.17 起已移除。请把企业 CA 装进系统证书库，或用 SSL_CERT_FILE、SSL_CERT_DIR 指定。",
    },
  },
  MYTH_SKIP_TLS_BY_SETTING: {
    row: "S3-5",
    said: ["S3"],
    verdict: "false",
    about: ["tls", "GOINSECURE"],
    shown: ["authority"],
    en: {
      claim: "A certificate of a box in between can be passed by for a while with a setting.",
      truth:
        "Toward a proxy or the checksum database nothing does so; GOINSECURE is about direct fetches alone. Trust the box's authority, or go around the box.",
    },
    "zh-CN": {
      claim: "遇到企业中间人证书，可以用设置临时绕过。",
      truth:
        "访问代理和校验和数据库时没有任何设置能跳过 TLS 验证；GOINSECURE 只对直接下载有效。请信任该设备的 CA，或绕开该设备。",
    },
  },
  MYTH_FALLBACK_ON_EMPTY: {
    row: "S3-6",
    said: ["S3"],
    verdict: "false",
    about: ["GOPROXY", "fallback"],
    shown: ["fallback", "lists"],
    en: {
      claim: "200 with an empty body makes go ask the next proxy.",
      truth: "An empty .info is a JSON error, which ends a comma list. An empty list is a valid answer.",
    },
    "zh-CN": {
      claim: "返回 200 但响应体为空时会尝试下一个代理。",
      truth: "空的 .info 是 JSON 错误，会终止逗号列表。空的 list 是合法回答。",
    },
  },
  MYTH_ETAG_PER_PROXY: {
    row: "S3-7",
    said: ["S3"],
    verdict: "false",
    about: ["requests", "cache"],
    shown: ["plainRequests"],
    en: {
      claim: "go does not share ETag and If-None-Match between proxies.",
      truth: "It has none to share: no conditional request is ever sent.",
    },
    "zh-CN": {
      claim: "go 不会跨代理共享 ETag / If-None-Match。",
      truth: "根本没有可共享的：go 从不发送条件请求。",
    },
  },
  MYTH_GONOPROXY_KEEPS_SUMDB: {
    row: "S3-8",
    said: ["S3"],
    verdict: "true",
    about: ["GONOPROXY", "GOSUMDB", "GOPRIVATE", "sumdb", "private"],
    shown: ["patterns"],
    en: {
      claim: "A private host in GONOPROXY alone is still asked of the checksum database.",
      truth: "So it is, and the database hears the name. Set GOPRIVATE, which covers both.",
    },
    "zh-CN": {
      claim: "只写进 GONOPROXY 的私有主机仍会查询校验和数据库。",
      truth: "确实如此，名字会因此泄露给数据库。请用 GOPRIVATE，它同时包含两者。",
    },
  },
  MYTH_ALWAYS_ASKED_AGAIN: {
    row: "S3-9",
    said: ["S3"],
    verdict: "false",
    about: ["GO111MODULE", "cache", "requests"],
    shown: ["cached"],
    en: {
      claim: "With GO111MODULE=on go asks the proxy again for what it has in its cache.",
      truth: "A version in the cache is not asked for again. Only list, @latest and branches are asked each time.",
    },
    "zh-CN": {
      claim: "GO111MODULE=on 时，即使有缓存也会重新请求代理。",
      truth: "缓存里的版本不再请求。每次都会请求的只有 list、@latest 和分支。",
    },
  },
  MYTH_OFF_CLONES_TO_GOPATH: {
    row: "S3-10",
    said: ["S3"],
    verdict: "false",
    about: ["GO111MODULE", "versions"],
    shown: ["modulesOff"],
    en: {
      claim: "With GO111MODULE=off go get path@version clones into GOPATH (Go 1.22.5).",
      truth: "It is an error, and nothing is fetched: with off there are no versions.",
    },
    "zh-CN": {
      claim: "GO111MODULE=off 时，go get 路径@版本 会 git clone 到 GOPATH（Go 1.22.5）。",
      truth: "会直接报错，什么也不下载：off 时没有版本一说。",
    },
  },
  MYTH_ACCEPT_HEADER: {
    row: "S3-11",
    said: ["S3"],
    verdict: "false",
    about: ["requests"],
    shown: ["plainRequests"],
    en: {
      claim: "go sends Accept: application/vnd.go-imports+json, and without it a proxy answers 406.",
      truth: "go sends Host, User-Agent and Accept-Encoding: gzip. Nothing else.",
    },
    "zh-CN": {
      claim: "go 会发送 Accept: application/vnd.go-imports+json，否则代理返回 406。",
      truth: "go 只发送 Host、User-Agent 和 Accept-Encoding: gzip。",
    },
  },
  MYTH_INFO_REDIRECTS: {
    row: "S3-12",
    said: ["S3"],
    verdict: "false",
    about: ["redirects", "requests"],
    shown: ["redirects", "insecureRedirect"],
    en: {
      claim: "By the protocol .info answers with a 302.",
      truth: "A proxy may redirect any file; none has to. go follows nine hops, and never from https to http.",
    },
    "zh-CN": {
      claim: "按协议 .info 会触发 302。",
      truth: "代理可以重定向任何文件，但不是必须。go 最多跟随九次，且不会从 https 跟到 http。",
    },
  },
  MYTH_ORDER_WITHOUT_MOD: {
    row: "S3-13",
    said: ["S3"],
    verdict: "partly",
    about: ["requests", "go.sum"],
    shown: ["order"],
    en: {
      claim: "go asks for list, .info and .zip, then checks go.sum.",
      truth: ".mod is missing there, and it is asked for most. list is asked only where a version has to be chosen.",
    },
    "zh-CN": {
      claim: "顺序是 list → info → zip → go.sum。",
      truth: "漏了 .mod，而它被请求得最多。只有需要选择版本时才请求 list。",
    },
  },
  MYTH_SYSTEMD_ENVIRONMENT: {
    row: "S3-14",
    said: ["S3"],
    verdict: "true",
    about: ["GOENV", "ci"],
    shown: ["home"],
    en: {
      claim: "A systemd unit needs Environment= for go's settings.",
      truth:
        "So it does: no shell file is read. The user's go/env counts too where HOME is right; without a HOME it does not.",
    },
    "zh-CN": {
      claim: "systemd 服务需要用 Environment= 设置 go 的变量。",
      truth: "确实如此：shell 的配置不会被读取。HOME 正确时用户的 go/env 也有效；没有 HOME 就无效。",
    },
  },
  MYTH_SIX_CONNECTIONS: {
    row: "S3-15",
    said: ["S3"],
    verdict: "false",
    about: ["http2", "requests", "GODEBUG"],
    shown: ["parallel", "http2"],
    en: {
      claim: "HTTP/1.1 allows six connections per host; HTTP/2 is switched off with nginx's ssl_alpn_protocols.",
      truth:
        "Six is a habit of browsers; go has no such limit. nginx has no such directive. On go's side it is GODEBUG=http2client=0.",
    },
    "zh-CN": {
      claim: "HTTP/1.1 每主机最多 6 个连接；用 nginx 的 ssl_alpn_protocols 关闭 HTTP/2。",
      truth: "6 个是浏览器的习惯，go 没有这个限制。nginx 没有这个指令。go 一侧用 GODEBUG=http2client=0。",
    },
  },
  MYTH_ETAG_PROVES_POLLUTION: {
    row: "S3-16",
    said: ["S3"],
    verdict: "false",
    about: ["mirrors", "sumdb", "cache"],
    shown: ["otherBytes"],
    en: {
      claim: "When ETag or Last-Modified differ between mirrors, one of them is polluted.",
      truth:
        "Headers, and even the bytes of a zip, may differ for good reasons. Compare h1, and let the checksum database decide.",
    },
    "zh-CN": {
      claim: "镜像之间 ETag 或 Last-Modified 不同说明有污染。",
      truth: "响应头甚至 zip 的字节都可能正当地不同。应比较 h1，由校验和数据库裁决。",
    },
  },
  MYTH_BROKEN_CACHE_BLOCKS: {
    row: "S3-17",
    said: ["S3"],
    verdict: "partly",
    about: ["GOMODCACHE", "cache"],
    shown: ["healing", "cleaned"],
    en: {
      claim: "Broken leftovers in the download cache block builds; clean everything.",
      truth:
        "What is missing is fetched or made anew by itself; a damaged zip is found by go mod verify. go clean -modcache throws everything away, and leaves pkg/sumdb.",
    },
    "zh-CN": {
      claim: "下载缓存里的损坏残留会阻塞构建，应全部清除。",
      truth:
        "缺失的部分会自动重新下载或生成；损坏的 zip 用 go mod verify 查找。go clean -modcache 会全部删除，但不动 pkg/sumdb。",
    },
  },
} as const satisfies Myths;
