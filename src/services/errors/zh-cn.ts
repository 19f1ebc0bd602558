// 简体中文：对请求的回答。启动与命令行部分见 zh-cn-start.ts。

import type { AnswerCode, GranaryCode } from "./codes.ts";
import { bytes, count, duration, triedZh as tried, type Sentences } from "./sentences.ts";
import { zhCNStart } from "./zh-cn-start.ts";

const whyNotKept = {
  "cached-only": "请求路径以 /cached-only 开头，只从存储回答。",
  "fetch-disabled": "请求带有 Disable-Module-Fetch: true，只从存储回答。",
  chunks: "分块清单只由已保存的 zip 生成，不会为此获取任何内容。",
  "upstream-off": "上游列表为 off，不询问任何上游。",
} as const;

const whyAgentFailed = {
  tls: "无法建立安全连接。",
  certificate: "服务端断开了连接，可能要求另一张证书。",
  timeout: "长时间没有响应。",
  unreachable: "无法连接。",
  broken: "连接中断。",
} as const;

const answers = {
  GRANARY_BAD_REQUEST: {
    lines: (f) => [`${f.target} 不是模块请求。`, f.reason, "请按 go 命令的方式发送请求。"],
    cause:
      "请求目标不符合 GOPROXY 协议：转义有误、模块路径或版本的写法不可能出现、含控制字符、有两个 Host 头，或 GET 带有请求体。",
    remedy: "go 命令不会发出这样的请求。若中间设备会改写 URL（解码 %21、合并斜杠），请对此主机关闭该功能。",
  },
  GRANARY_METHOD_NOT_ALLOWED: {
    lines: (f) => [`此处不支持 ${f.method}。`, `允许：${f.allowed}。`],
    cause: "读取模块只用 GET 和 HEAD；只有 /-/api/ 下的路由接受其他方法。",
    remedy: "请使用 Allow 头列出的方法。",
  },
  GRANARY_BAD_RANGE: {
    lines: (f) => [`范围 ${f.range} 超出文件。`, `文件共 ${count(f.size)} 字节。`, "请请求文件内的范围或整个文件。"],
    cause: "Range 头只请求了文件末尾之后的内容。",
    remedy: "断点续传的客户端应丢弃不完整的文件并重新下载。",
  },
  GRANARY_NO_ROUTE: {
    lines: (f) => [`没有页面 ${f.target}。`, "状态页为 /-/。"],
    cause: "/-/ 下的路径属于 Granary 自身，其中没有这一个。",
    remedy: "打开 /-/ 查看有哪些页面。",
  },
  GRANARY_UNAUTHORIZED: {
    lines: (f) => [
      `${f.what} 是私有模块，读取需要令牌。`,
      "请求未带有效的读令牌，也不是来自本机。",
      "请把令牌作为此主机的密码写入 ~/.netrc（用户名任意），或联系管理员。",
    ],
    cause: "该名称匹配私有模式。私有模块只提供给本机客户端和持有读令牌的人。",
    remedy:
      "用 `granary token add --scope read` 创建令牌，并在 ~/.netrc 中作为此主机的密码，或通过 GOAUTH 提供给 go。go 只在 https 下发送凭据。",
  },
  GRANARY_NEEDS_WRITE_TOKEN: {
    lines: (f) => [
      `${f.route} 会改动本服务器，需要令牌。`,
      "请求未带有效的写令牌。",
      "请以 Authorization: Bearer TOKEN 或 Basic 的密码发送。",
    ],
    cause: "会改动服务器的路由只对持写令牌的人开放，来自本机也一样。",
    remedy: "用 `granary token add --scope write` 创建令牌，妥善保管，只经 TLS 或回环地址发送。",
  },
  GRANARY_FORBIDDEN: {
    lines: (f) => [`不允许访问 ${f.what}。`, `规则：${f.rule}`, "如规则有误，请联系管理员。"],
    cause: "请求匹配了本服务器的一条规则，或令牌没有该路由所需的权限。",
    remedy: "回答中给出了规则。管理员可以修改规则，或签发有相应权限的令牌。",
  },
  GRANARY_TOKEN_NEEDS_TLS: {
    lines: (f) => [
      `访问 ${f.what} 的令牌经未加密的连接传来。`,
      "只接受经 TLS 或来自本机的令牌。此令牌应视为已泄露。",
      "请吊销它，并改用 https://（granary serve --tls-cert FILE --tls-key FILE）。",
    ],
    cause: "密码以明文经过了网络。",
    remedy: "用 `granary token revoke ID` 吊销令牌，启用 TLS，再签发新令牌。",
  },
  GRANARY_WRITE_DISABLED: {
    lines: (f) => [
      `${f.route} 会修改数据，而本服务器没有写令牌。`,
      "未配置管理令牌时，所有修改操作都关闭。",
      "在服务器上执行：granary token add --scope write。",
    ],
    cause: "修改数据的路由需要写令牌，而目前一个也没有配置。",
    remedy: "用 `granary token add --scope write` 创建。读取不受影响。",
  },
  GRANARY_WEBHOOK_REFUSED: {
    lines: (f) => [
      `不接受这次发往 /webhook/${f.forge} 的推送。`,
      "它没有任何已配置 webhook 的有效凭证。",
      "请核对密钥和平台是否与服务器 webhooks: 配置一致；原因见服务器日志。",
    ],
    cause:
      "未配置该平台的 webhook，或签名（X-Hub-Signature-256、X-Gitea-Signature）、令牌（X-Gitlab-Token）缺失或与密钥不符。对发送方只说明这些。",
    remedy:
      "在平台和配置文件的 `webhooks:` 下设置相同的密钥，并以 JSON 发送。服务器事件 `webhook.refused` 会说明原因（docs/webhooks.md）。",
  },
  GRANARY_CLIENT_CERTIFICATE: {
    lines: (f) =>
      f.problem === "missing"
        ? [
            "本服务只回答出示证书的客户端，而此连接没有出示。",
            "go 命令无法出示证书。",
            "请在本机运行 `granary agent --url 本服务地址 --cert FILE --key FILE`，并让 GOPROXY 指向它。",
          ]
        : [
            `客户端证书未被接受（${f.detail === "" ? "未通过校验" : f.detail}）。`,
            "证书须在有效期内，并由本服务信任的客户端颁发机构签发。",
            "请向本服务的管理员申请证书。",
          ],
    cause:
      "服务设置为只回答由其客户端颁发机构（tls.clientCa）签发证书的客户端。此连接没有出示证书，或证书无法通过校验：已过期、由其他机构签发，或不是客户端证书。",
    remedy: "向管理员申请客户端证书，由 `granary agent` 代 go 命令出示（docs/agent.md）；go 自己无法出示。",
  },
  GRANARY_NOT_FOUND: {
    lines: (f) => [
      `${f.what} 不存在。`,
      f.reason === "" ? `答复来自：${f.upstreams.join("、")}` : `${f.upstreams.join("、")} 的回答：${f.reason}`,
      "请检查模块路径和版本。新版本几分钟后可见。",
    ],
    cause: "能够作出判断的上游回答没有这个模块或版本。权威上游说了算；没有权威上游时，所有健康的上游必须一致。",
    remedy:
      "检查模块路径和版本的拼写。刚发布的版本要等上游看到、且本地对“不存在”的短期记忆（freshness.negative）过期后才可见。私有模块需要私有上游。",
  },
  GRANARY_IMPOSSIBLE: {
    lines: (f) => [`${f.what} 不可能存在。`, f.reason, "未询问任何上游。请检查模块路径和版本。"],
    cause:
      "模块路径或版本违反 Go 自身的规则，或已保存的模块证明它不可能存在：模块 zip 中的目录不会是同一版本另一个模块的根。",
    remedy: "请更正导入路径。go 会逐级询问包路径的每个前缀，因此这个回答常常是正常的。",
  },
  GRANARY_NOT_KEPT: {
    lines: (f) => [
      `本地未保存 ${f.what}。`,
      whyNotKept[f.because],
      f.because === "chunks" ? "请先请求该 zip 本身，即会保存。" : "不加此限制请求一次，即会保存。",
    ],
    cause: "只允许从存储回答，而存储中没有。",
    remedy: "在启用上游的情况下请求一次该版本，之后就会一直保存。",
  },
  GRANARY_PRIVATE_NOT_HERE: {
    lines: (f) => [
      `${f.what} 是私有模块，本地未保存。`,
      "它属于私有模式的范围；没有负责它的私有上游，也绝不会询问公共上游。",
      "服务器运维人员可从仓库构建它（--direct 模式），或添加带 private: 的上游。",
    ],
    cause: "该名称（或其下的模块）匹配私有模式。私有名称绝不会发往公共上游或公共校验和数据库。",
    remedy:
      "用 direct.modules 从仓库构建；或为这些模块配置带 `private: 模式` 的上游；或让客户端直接获取（GOPROXY=…,direct）；若其实是公共模块，请收窄模式。",
  },
  GRANARY_UPSTREAM_FAILED: {
    lines: (f) => [
      `没有上游能提供 ${f.what}。`,
      `已试：${tried(f.tried)}。`,
      "这不表示它不存在。请稍后重试，详情见服务器日志。",
    ],
    cause: "每个上游都中断了连接、返回错误，或回答不符合协议；没有一个说模块不存在。",
    remedy: "通常会自行恢复。否则请查看 /-/readyz 和各上游的原因，并考虑增加一个上游。",
  },
  GRANARY_UPSTREAM_REFUSED: {
    lines: (f) => [
      `${f.upstream} 拒绝提供 ${f.what}，状态码 ${f.status}。`,
      `对方说明：${f.quote}`,
      `其他上游：${tried(f.tried)}。`,
      "请与该上游解决，或添加有此模块的上游。",
    ],
    cause: "某个上游以 403、451 等拒绝，而其他上游都没有此模块。本服务器自身没有禁止。",
    remedy: "请看上游的原话。若该代理对不认识的模块一律回答 403，请为它设置 `absent: [403]`。",
  },
  GRANARY_UPSTREAM_TIMEOUT: {
    lines: (f) => [
      `没有上游及时提供 ${f.what}。`,
      `已等待 ${duration(f.waitedMs)}：${tried(f.tried)}。`,
      "请重试；其间到达的内容会保存。",
    ],
    cause: "上游或线路太慢。告知客户端之后，下载仍在后台继续。",
    remedy: "请重试。若持续如此，调大 upstreamClient.responseHeaderTimeout，或把更近的上游放在前面。",
  },
  GRANARY_UPSTREAM_BUSY: {
    lines: (f) => [
      `本地未保存 ${f.what}，且上游要求暂时不要询问。`,
      `已试：${tried(f.tried)}。`,
      `这不表示它不存在。请在 ${count(f.waitSeconds)} 秒后重试；已保存的版本照常提供。`,
    ],
    cause: "某个上游以 429 或 503 回答并带有 Retry-After，而其他上游都无法连接。在此时间之前不再询问它，最长五分钟。",
    remedy:
      "请按 Retry-After 等待。若经常发生，请向该上游申请更高的限额，用 `perSecond` 降低我们的速率，或增加一个上游。",
  },
  GRANARY_OFFLINE: {
    lines: (f) => [
      `本地未保存 ${f.what}，且无法连接任何上游。`,
      `已试：${tried(f.tried)}。`,
      "已保存的版本照常提供。网络恢复后请重试。",
    ],
    cause: "该版本从未获取过，而现在无人可问。这不表示它不存在。",
    remedy: "恢复到某个上游的连接。若想不依赖网络，请提前获取所需版本。",
  },
  GRANARY_UPSTREAMS_DISABLED: {
    lines: (f) => [
      `本地未保存 ${f.what}，且可询问它的上游已全部停用。`,
      `由运维人员停用：${f.names.join("、")}`,
      "这不表示它不存在。已保存的版本照常提供。",
      `请用 \`granary upstream enable ${f.names[0] ?? "NAME"}\` 启用其中一个。`,
    ],
    cause: "有人用 `granary upstream disable` 停用了这些上游；在重新启用之前一直有效，重启后也是。",
    remedy:
      "`granary upstream status` 显示哪些已停用；`granary upstream enable NAME` 可重新启用，无需重启。需要写令牌。",
  },
  GRANARY_NO_UPSTREAM: {
    lines: (f) => [
      `没有可询问 ${f.what} 的上游。`,
      "本机 GOPROXY 只有 direct，而本服务器未被要求读取代码仓库。",
      "请配置上游（granary serve --upstream URL），或指定要构建的模块：--direct 模式",
    ],
    cause: "不跟随本机 GOPROXY 中的 direct：否则客户端说出任何主机，本服务器都会对其运行 git。列表中再无其他条目。",
    remedy:
      "在列表中加入一个代理，或不设置列表，使用内置预设。要从仓库构建模块，用 direct.modules 指定，或在本服务器自己的 upstream 中写入 direct。",
  },
  GRANARY_DIRECT_FAILED: {
    lines: (f) => [
      `无法读取 ${f.what} 的代码仓库。`,
      f.reason,
      ...(f.tried.length === 0 ? [] : [`其他：${tried(f.tried)}`]),
      "这不表示它不存在。服务器运维人员可在 docs/direct.md 中查到需要的设置。",
    ],
    cause:
      "在此对模块自己的仓库运行 go 命令失败：主机无法访问或不被允许、需要其他凭据、超过限制，或模块违反规则。第二行是它的原话。",
    remedy:
      "看第二行。repositories 中是主机的凭据、证书和地址，direct.* 是限制。没有保存任何内容，修好后重新请求即可。",
  },
  GRANARY_NO_GO: {
    lines: (f) => [
      `${f.what} 需从仓库构建，而本服务器没有 \`${f.program}\`。`,
      "请在服务器所在机器上安装，并确认在 PATH 中。已保存的版本照常提供。",
    ],
    cause: "direct 运行本机的 go 命令，go 再运行 git。其中之一不在服务器进程的 PATH 中。",
    remedy: "安装 go 和 git，放到服务器进程的 PATH 中，再重新请求。",
  },
  GRANARY_LOOP: {
    lines: (f) => [`对 ${f.what} 的请求已经过本服务器。`, `Via：${f.via}`, "请在后面的代理的上游列表中去掉本服务器。"],
    cause: "本服务器的某个上游又以本服务器为上游。",
    remedy: "沿 Via 头查找，去掉形成环路的条目。",
  },
  GRANARY_SUMDB_UNREACHABLE: {
    lines: (f) => [
      `暂时无法校验 ${f.what}：连接不上 ${f.database}。`,
      `已试：${tried(f.tried)}。`,
      "未经校验的内容不保存，也不提供。请稍后重试。",
    ],
    cause: "上游的转发和校验和数据库本身都没有回答，因此无法证明内容无误。",
    remedy: "至少要有一条到数据库的线路：能转发它的上游，或在 --sumdb 的名称后写 URL。此前校验过的版本照常提供。",
  },
  GRANARY_SUMDB_NEWER_HEAD: {
    lines: (f) => [
      `${f.what} 属于 ${f.database} 的一个树头，它比这里最新的树头还新。`,
      `该树头至少有 ${f.atLeast} 条记录，这里的有 ${f.ours} 条。无处可取更新的树头：${tried(f.tried)}。`,
      "请将它交给服务器：granary sumdb heads import GOPATH/pkg/sumdb --cache GOMODCACHE",
      "或等到数据库的线路恢复后再试。",
    ],
    cause: "客户端在别处见过更新的树头，并用它核对我们的树头。本服务器与数据库断开，尚无那棵树。",
    remedy:
      "将客户端的树头连同见过该树头的模块缓存中的瓦片一并导入（granary sumdb heads import），或恢复一条到数据库的线路。不要删除客户端的树头：它正是客户端的保障。",
  },
  GRANARY_SUMDB_MISMATCH: {
    lines: (f) => [
      `${f.upstream} 给出的 ${f.what} 与 ${f.database} 的记录不符。`,
      `记录 ${f.recorded}  收到 ${f.received}${placeZh(f)}`,
      `未保存，也不会提供。其他上游：${tried(f.tried)}。`,
      "请稍后重试。",
    ],
    cause:
      "上游的内容与校验和数据库首次见到该版本时的记录不同：标签被移动、镜像损坏，或有人篡改。这些内容已放入隔离区。",
    remedy:
      "若另一个上游有与记录一致的内容，重试即可。若作者移动了标签，只能发布新版本。可用 `granary store quarantine show` 查看内容。绝不要绕过校验。",
  },
  GRANARY_SUMDB_NO_RECORD: {
    lines: (f) => [
      `${f.database} 中没有 ${f.what} 的记录。`,
      `对方说明：${f.reason}`,
      "未保存，也不会提供。若是私有模块，请把路径加入 --private。",
    ],
    cause: "上游有此版本，但校验和数据库看不到它的源码：通常是私有模块，或已被删除。",
    remedy: "用 --private（或服务器上的 GOPRIVATE）声明私有模块。公共模块在数据库能访问其源码后就会有记录。",
  },
  GRANARY_SUMDB_INVALID: {
    lines: (f) => [
      `${f.database} 关于 ${f.what} 的回答未通过校验。`,
      f.reason,
      "已拒绝。若每条线路都如此，请告知管理员：这是警报。",
    ],
    cause: "来自校验和数据库的记录、包含证明、瓦片或签名有误。要么途中被改动，要么不是所配置公钥对应的数据库。",
    remedy: "将 --sumdb 中的公钥与数据库公布的公钥对照，并换一条线路。请勿忽略。",
  },
  GRANARY_SUMDB_FORK: {
    lines: (f) => [
      `${f.database} 给出了两份互相矛盾的历史。`,
      `证据：${f.evidence}`,
      "在管理员做出决定之前，不再接受它的新内容（granary sumdb alarms）。请告知管理员并保留证据。",
    ],
    cause: "两个签名有效的树头不一致。只追加的日志绝不会如此。",
    remedy:
      "保留证据文件，换一个网络比较树头，并报告给数据库的运营方。已保存的内容照常提供。确认外来的树头有误后：granary sumdb resume ID --reason TEXT。",
  },
  GRANARY_SUMDB_UNKNOWN: {
    lines: (f) => [
      `本服务器未配置校验和数据库 ${f.database}。`,
      `已配置：${f.configured.join("、")}。`,
      "go 会改为直接询问该数据库。如需转发，请用 --sumdb 添加。",
    ],
    cause: "Granary 只镜像能够校验的数据库，不做开放转发。",
    remedy: "用 --sumdb 添加该数据库及其公钥。",
  },
  GRANARY_SUMDB_ONLY: {
    lines: (f) => [
      `${f.what} 不属于校验和数据库，而本服务只提供校验和数据库。`,
      `这里的数据库：${f.databases.join("、")}`,
      "请把它的 URL 写入 GOSUMDB；模块请在 GOPROXY 中另写模块代理。",
    ],
    cause: "`granary sumweb` 以及自有数据库的监听地址只回答校验和数据库的请求。",
    remedy:
      "作为校验和数据库使用：GOSUMDB='NAME+HASH+KEY http://HOST:PORT'。写在 GOPROXY 列表中时它只转达查询，模块由 go 向下一项索取。",
  },
  GRANARY_AGENT_FAILED: {
    lines: (f) => [
      `代理程序没有从 ${f.server} 得到 ${f.what} 的回答。`,
      `${whyAgentFailed[f.because]}（${f.detail}）`,
      f.because === "certificate" || f.because === "tls"
        ? "请检查代理程序的 --cert、--key 和 --ca。"
        : "请检查网络与 VPN，再查看服务端的 /-/readyz。",
    ],
    cause: "`granary agent` 带着证书或令牌把 go 的请求转给公司的服务端；该服务端没有回答，或断开了连接。",
    remedy: "括号内是网络给出的原因。要求证书的服务端可能不作说明就结束握手：请确认代理程序配置了证书且证书有效。",
  },
  GRANARY_SUMDB_NOT_FOUND: {
    lines: (f) => [
      `${f.database} 中没有 ${f.what}。`,
      `对方说明：${f.reason}`,
      "请检查模块路径和版本。若是私有模块，请设置 GOPRIVATE。",
    ],
    cause: "校验和数据库自己回答没有这条记录或这块瓦片。",
    remedy: "检查版本。使用私有模块的客户端应在 GOPRIVATE 或 GONOSUMDB 中逐个写明模式。",
  },
  GRANARY_SUMLOG_STOPPED: {
    lines: (f) => [
      `自有校验和数据库 ${f.database} 暂停应答。`,
      f.reason,
      "不会提供错误内容。请管理员用不旧于当前的备份恢复存储。",
    ],
    cause:
      "存储中的日志已损坏，或比用此密钥签名过的日志更旧，或是另一份日志。见过更多记录的客户端会把变短的日志当作伪造。",
    remedy:
      "用 `granary sumdb fsck` 检查。从最新备份恢复 state/sumlog。若记录已丢失，须改用新名称和新密钥（`granary sumdb keygen`）：切勿用旧的名称和密钥重新开始。",
  },
  GRANARY_SUMLOG_CONFLICT: {
    lines: (f) => [
      `自有校验和数据库 ${f.database} 中记录的是另一组哈希。`,
      f.reason,
      "最初的记录永远有效。改动后的模块需要新版本。",
    ],
    cause: "该版本已有记录，而现在为它作证的一方给出了不同的哈希：标签被移动过。",
    remedy: "把改动后的模块发布为新版本。记录从不更改。",
  },
  GRANARY_PIN_MISMATCH: {
    lines: (f) => [
      `${f.upstream} 给出的 ${f.what} 与首次见到时不同。`,
      `首次 ${f.pinned}  收到 ${f.received}`,
      "未保存。若确属有意更改，请在服务器上执行 granary store hashes forget。",
    ],
    cause:
      "私有模块不在公共校验和数据库中，因此首次见到时即固定其哈希。现在上游对同一版本给出了不同的内容：有人移动了标签。",
    remedy:
      "请发布新版本。若更改合理且旧内容无人使用，管理员可用 `granary store hashes forget MODULE@VERSION` 取消固定，并会留下事件记录。",
  },
  GRANARY_REPACKED: {
    lines: (f) => [
      `${f.upstream} 给出的 ${f.what} 文件相同（h1），但 zip 与先前提供的不同。`,
      `先前 sha256 ${f.served}`,
      `收到 sha256 ${f.received}`,
      "未保存。若要接受，请在服务器上执行 granary store hashes repacked。",
    ],
    cause:
      "该版本已从存储中清除，再次获取时打包方式不同：另一版本的 go 压缩结果不同。其 ETag、分块和快照都指向先前的 zip；除非管理员另行决定，一个版本永远只有一个 zip。",
    remedy:
      "`granary store hashes repacked MODULE@VERSION` 允许下一个 h1 相同的 zip 取而代之。其他校验不变：文件不同仍会被拒绝。",
  },
  GRANARY_INTEGRITY_MISMATCH: {
    lines: (f) => [
      `${f.upstream} 给出的 ${f.what} 与完整性清单 ${f.list} 不符。`,
      `清单 ${f.listed}  收到 ${f.received}`,
      "目前无法访问任何校验和数据库。未保存，也不会提供。请稍后重试。",
    ],
    cause: "无法访问任何校验和数据库时，哈希以 `integrity.from` 的签名清单为准。该上游给出了不同的内容。",
    remedy: "请查看证据：granary store quarantine list。数据库恢复后，以数据库为准，而非清单。",
  },
  GRANARY_HELD: {
    lines: (f) => [
      `本服务器的管理员自 ${f.since} 起扣留了 ${f.what}。`,
      `原因：${f.reason === "" ? "未说明" : f.reason}`,
      "请使用其他版本，或询问管理员。",
    ],
    cause: "管理员扣留了该版本（`granary store quarantine hold`）。其内容仍然保存，但不提供给任何人。",
    remedy: "请选择其他版本。管理员可用 `granary store quarantine free MODULE@VERSION` 解除扣留。",
  },
  GRANARY_PUBLISH_PUBLIC: {
    lines: (f) => [
      `${f.what} 在此不是私有模块，不能发布。`,
      f.patterns === "" ? "未配置私有模式" : `私有模式：${f.patterns}`,
      "公共模块来自其源头，并由校验和数据库证明。若它确为私有模块，请把它的模式加入 private。",
    ],
    cause: "只有被 `private` 的某个模式覆盖的模块才能发布。",
    remedy: "请检查模块路径，或请管理员把该模式加入设置 `private`。",
  },
  GRANARY_PUBLISH_REFUSED: {
    lines: (f) => [
      `发送的内容不是 ${f.what} 的模块 zip。`,
      f.reason,
      "未保存任何内容，该版本仍可发布。`granary publish` 会按 go 命令的要求生成 zip。",
    ],
    cause: "上传的内容违反了 Go 对模块 zip 的规则，或其 go.mod 写的是另一个模块。",
    remedy: "请用 `granary publish` 从目录或标签发布；`--dry-run` 会显示将要发送的内容。",
  },
  GRANARY_PUBLISH_CONFLICT: {
    lines: (f) => [
      `${f.what} 已以其他内容发布。`,
      `已有 ${f.kept}  收到 ${f.received}`,
      "版本从不改变。请把改动发布为新版本。",
    ],
    cause: "该版本已以另一个哈希保存、固定或记录，构建依赖于它。",
    remedy: "请提高版本号。已发布的版本没有任何改变。",
  },
  GRANARY_PUBLISH_KEY: {
    lines: (f) => [
      `Idempotency-Key ${JSON.stringify(f.key)} 属于另一次上传，而不是 ${f.what} 的这一次。`,
      "未保存任何内容。每次上传请用新的键，只有重复同一次上传时才用同一个键。",
    ],
    cause: "一天之内，一个 Idempotency-Key 只代表一个版本和一份内容。",
    remedy: "请换一个新的键，例如 UUID。",
  },
  GRANARY_BAD_MODULE: {
    lines: (f) => [
      `${f.upstream} 给出的 ${f.what} 不符合 Go 的模块规则。`,
      f.reason,
      "未保存，也不会提供。请告知模块作者或该上游的运营方。",
    ],
    cause: "上游的 .info、.mod 或 .zip 有误：名称不对、含符号链接、路径越出模块、文件过多或过大。",
    remedy: "go 命令同样会拒绝。若其他上游的内容正常，请把这个上游移出列表。",
  },
  GRANARY_REWRITE_CONFLICT: {
    lines: (f) => [
      `${f.what} 被改写为 ${f.target}，而后者的 go.mod 声明${f.declared === "" ? "没有路径" : `为 ${f.declared}`}。`,
      `请改用该名称：go mod edit -replace=${f.what}=${f.target}`,
      "go 命令只接受以 go.mod 所声明路径引用的模块。",
    ],
    cause: "改写规则指向的版本是在模块改名之后发布的。",
    remedy: "把依赖改为新路径，或按所示替换。改名之前的版本仍以旧路径提供。",
  },
  GRANARY_VALIDATION_REFUSED: {
    lines: (f) => [
      `${f.what} 被本服务器的验证命令拒绝。`,
      `其理由：${f.reason}`,
      "未保存其任何内容。请换一个版本，或联系管理员。",
    ],
    cause: "哈希正确，但管理员配置的命令（validate.command）拒绝了此版本。",
    remedy: "理由由该命令给出。命令接受此版本后即可提供；一分钟后会再次询问该命令。",
  },
  GRANARY_VALIDATION_FAILED: {
    lines: (f) => [
      `无法验证 ${f.what}：验证命令没有给出结论。`,
      `情况：${f.reason}`,
      "这不是拒绝。请稍后重试；管理员应检查 validate.command。",
    ],
    cause: "管理员配置的命令（validate.command）无法启动、崩溃、超时、输出过多，或以 1 退出而未给出理由。",
    remedy: "用同样的 JSON 手动运行该命令。退出码 0 表示接受；退出码 1 并在标准输出给出理由表示拒绝。",
  },
  GRANARY_SNAPSHOT_MISMATCH: {
    lines: (f) => [
      `${f.upstream} 给出的 ${f.what} 的 zip 中，go.mod 与已证明的不同。`,
      "两者必须来自同一快照。",
      "未保存。请稍后重试，或换一个上游。",
    ],
    cause: "上游的 .mod 和 .zip 来自该版本的不同状态。",
    remedy: "请重试；若持续如此，说明该上游的缓存已损坏。",
  },
  GRANARY_TOO_LARGE: {
    lines: (f) => [
      `${f.upstream} 给出的 ${f.what} 超过 ${bytes(f.limitBytes)}。`,
      "go 命令同样会拒绝。",
      "请使用较小的版本。",
    ],
    cause: "Go 限制了模块 zip（500 MB）、go.mod 和许可证（各 16 MB）的大小；其他内容在此有更小的限制。",
    remedy: "需要作者缩小模块。",
  },
  GRANARY_STORE_UNAVAILABLE: {
    lines: (f) => [`暂时无法为 ${f.what} 使用存储。`, f.reason, "请重试。管理员应检查磁盘和 /-/readyz。"],
    cause: "磁盘报错，或打开的文件过多，因此无法判断有还是没有，或无法保存。",
    remedy:
      "查看 /-/readyz、服务器日志和磁盘。`granary store verify` 会指出损坏之处；各种原因的含义见 docs/bad-disks.md。",
  },
  GRANARY_STORE_FULL: {
    lines: (f) => [
      `无法保存 ${f.what}：${fullZh(f)}。`,
      "已保存的版本照常提供。",
      "需要管理员腾出空间，之后重试即可。",
    ],
    cause: "存储所在的文件系统或配额已满，或剩余空间低于 `store.lowWater`。没有留下写了一半的内容。",
    remedy:
      "腾出空间，或用 --store 换一个目录；之后会自动恢复。参见 `granary store stats`、/-/readyz 和 docs/bad-disks.md。",
  },
  GRANARY_STORE_READ_ONLY: {
    lines: (f) => [
      `无法保存 ${f.what}：存储所在的文件系统为只读。`,
      "已保存的版本照常提供。",
      "需要管理员恢复写入，之后重试即可。",
    ],
    cause: "存储所在的文件系统不接受写入：挂载时即为只读，或内核在磁盘出错后将其改为只读。",
    remedy: "查看内核日志（dmesg）并重新挂载；之后会自动恢复。参见 docs/bad-disks.md。",
  },
  GRANARY_STORE_DAMAGED: {
    lines: (f) => [
      `本地保存的 ${f.what} 已损坏，未发送。`,
      f.reason,
      ...(f.sha256 === undefined ? [] : [`只有 sha256 为 ${f.sha256} 的内容才能恢复它。`]),
      "上游有该内容时会重新获取。请重试。",
    ],
    cause: "磁盘上的内容已不是当初校验并提交的内容。",
    remedy:
      "Granary 会自行从上游修复。反复损坏说明磁盘有故障：请运行 `granary store verify`。在关闭校验和数据库期间保存、如今与记录不符的版本会一直被拒绝：请在存储中删除它的两个清单文件（见 docs/store.md）后重试。",
  },
  GRANARY_OVERLOADED: {
    lines: (f) => [`同时进行的工作过多：${f.limit} 为 ${count(f.value)}。`, "请几秒后重试。"],
    cause: "达到了本服务器的一项限制，以保护正在服务的请求。",
    remedy: "请重试。若限制对团队而言太小，可以调大；docs/config.md 有每一项的说明。",
  },
  GRANARY_RATE_LIMITED: {
    lines: (f) => [
      `此客户端每秒的请求超过 ${count(f.perSecond)} 个。`,
      `${count(f.waitSeconds)} 秒后恢复应答。`,
      "管理员可调整限制：limiter.profile、limiter.perSecond。",
    ],
    cause:
      "本服务器限制单个客户端地址（或令牌）一秒内的请求数；超出的那个请求会触发暂停。暂停期间的请求被拒绝，但不会延长暂停。",
    remedy:
      "请按 Retry-After 等待。同一 NAT 或反向代理之后的所有人算作一个客户端：团队需要更高的限制，或使用令牌并设置 `limiter.by: token`。见 docs/limits.md。",
  },
  GRANARY_DRAINING: {
    lines: () => ["服务器正在停止。", "已开始的会完成，不再接受新请求。请几秒后重试。"],
    cause: "服务器收到 SIGTERM，正在排空。",
    remedy: "请重试；另一个实例或重启后的实例会回答。",
  },
  GRANARY_INTERNAL: {
    lines: (f) => ["Granary 内部出错。", f.reason, "请附上请求编号报告此问题。"],
    cause: "程序自身的缺陷。",
    remedy: "在服务器日志中找到该请求编号，一并报告。",
  },
} as const satisfies Sentences<AnswerCode>;

function fullZh(f: {
  readonly because?: "full" | "quota" | "low-space" | "low-inodes";
  readonly freeBytes?: number;
  readonly markBytes?: number;
}): string {
  switch (f.because ?? "full") {
    case "full":
      return "存储已满";
    case "quota":
      return "存储的配额已用尽";
    case "low-inodes":
      return "存储所在的文件系统几乎无法再建文件";
    case "low-space":
      return `存储剩余 ${bytes(f.freeBytes ?? 0)}，低水位线为 ${bytes(f.markBytes ?? 0)}`;
  }
}

function placeZh(f: { readonly record?: number; readonly tree?: number }): string {
  if (f.record === undefined) return "";
  return `（第 ${count(f.record)} 条${f.tree === undefined ? "" : `，树 ${count(f.tree)}`}）`;
}

export const zhCN: Sentences<GranaryCode> = { ...answers, ...zhCNStart };
