// 简体中文：命令行、设置与启动。

import type { StartCode } from "./codes.ts";
import type { Sentences } from "./sentences.ts";

const nearest = (word: string | undefined): string => (word === undefined ? "" : `是否想写 ${word}？`);
const notWrittenZh = {
  "no-go": () => "PATH 中没有 go，而只有 go 知道它的文件在哪里",
  refused: (detail: string) => `go 拒绝了。${detail}`,
  off: () => "GOENV=off 要求 go 不保存文件",
  nowhere: () => "没有设置 HOME，go 没有可写的文件",
  marks: () => "`# >>> granary >>>` 与 `# <<< granary <<<` 两行只有其一",
  changed: (detail: string) => `之后有人改动过${detail === "" ? "" : `；改动前的内容在 ${detail}`}`,
  unwritable: (detail: string) => detail,
} as const;
const kinds = {
  token: "令牌",
  quarantine: "隔离项",
  request: "请求",
  code: "错误码",
  hash: "哈希",
  upstream: "上游",
  job: "任务",
  alarm: "告警",
  pin: "固定项",
  snapshot: "快照",
  "held version": "被扣留的版本",
  "evicted version": "已清除的版本",
} as const;

export const zhCNStart = {
  GRANARY_BAD_FLAG: {
    lines: (f) => [`${f.flag} 不接受“${f.value}”。`, `可用的写法：${f.accepted}`],
    cause: "命令行选项的值写法不对。",
    remedy: "请更正；写法见 `granary serve --help`，说明见 docs/config.md。",
  },
  GRANARY_UNKNOWN_FLAG: {
    lines: (f) => [`${f.command} 没有选项 ${f.flag}。`, nearest(f.nearest), `全部选项：${f.command} --help`],
    cause: "该命令没有这个选项。",
    remedy: "请更正拼写，或用 --help 查看。",
  },
  GRANARY_UNKNOWN_COMMAND: {
    lines: (f) => [`没有命令“${f.command}”。`, nearest(f.nearest), "全部命令：granary help"],
    cause: "Granary 没有这个命令。",
    remedy: "请更正拼写，或用 `granary help` 查看。",
  },
  GRANARY_BAD_USAGE: {
    lines: (f) => [f.reason, `用法：${f.usage}`],
    cause: "缺少参数，或多了一个参数。",
    remedy: "请按用法行调用。",
  },
  GRANARY_BAD_CONFIG: {
    lines: (f) => [`${f.key} 不接受“${f.value}”（${f.origin}）。`, `可用的写法：${f.accepted}`],
    cause: "配置文件或环境变量中的值写法不对。",
    remedy: "请在设置它的地方更正；各项说明见 docs/config.md。",
  },
  GRANARY_UNKNOWN_SETTING: {
    lines: (f) => [
      `没有设置项 ${f.key}（${f.origin}）。`,
      nearest(f.nearest),
      "全部设置：docs/config.md 或 granary config print",
    ],
    cause: "配置中有 Granary 不认识的键。拼错的设置会悄悄失效，因此予以拒绝。",
    remedy: "请更正拼写，或删除该键。",
  },
  GRANARY_CONFIG_UNREADABLE: {
    lines: (f) => [`无法读取配置文件 ${f.file}。`, f.reason, "请更正，或不带 --config 启动。"],
    cause: "文件不存在、不可读，或不是有效的 YAML。",
    remedy: "检查路径和权限；YAML 错误会给出行号和列号。",
  },
  GRANARY_CONFIG_VARIABLE: {
    lines: (f) => [
      `${f.key} 引用了未设置的 \${${f.variable}}（${f.origin}）。`,
      `请先设置 ${f.variable}；若要写 \${ 本身，请写 $\${。`,
    ],
    cause: "配置文件中的值引用了不存在的环境变量。用空串代替只是猜测。",
    remedy: "设置该变量，或把值写进文件。",
  },
  GRANARY_SECRET_UNREADABLE: {
    lines: (f) => [
      `无法读取 ${f.key} 的机密：${f.reference}（${f.origin}）。`,
      "可用的写法：file:/path/to/file 或 env:NAME",
    ],
    cause: "机密以 file: 或 env: 引用，但该文件或变量不存在。",
    remedy: "检查路径、权限或变量名。",
  },
  GRANARY_NEEDS_RESTART: {
    lines: (f) => [`更改 ${f.keys.join("、")} 需要重启。`, "改动后的文件整体未采用，服务器继续使用原有配置。"],
    cause: "有些设置（地址、存储、工作进程）在启动时就固定了。",
    remedy: "重启服务器，或撤销该改动。",
  },
  GRANARY_PORT_TAKEN: {
    lines: (f) => [`${f.host} 的端口 ${f.port} 已被占用。`, `换一个端口：granary serve --listen ${f.host}:0`],
    cause: "已有程序监听此地址，也许是另一个 Granary。",
    remedy: "停止该程序，或换一个端口；端口 0 表示任取一个空闲端口。",
  },
  GRANARY_LISTEN_FAILED: {
    lines: (f) => [`无法监听 ${f.address}。`, f.reason, "请使用本机的地址：granary serve --listen 127.0.0.1:8080"],
    cause: "该地址不属于本机，或端口（小于 1024）需要更高权限。",
    remedy: "选用当前用户可以打开的地址和端口。",
  },
  GRANARY_STORE_UNWRITABLE: {
    lines: (f) => [`无法写入存储 ${f.dir}。`, f.reason, "请把目录授权给当前用户，或换一个：granary serve --store DIR"],
    cause: "运行 Granary 的用户无法创建或写入存储目录。",
    remedy: "更正所有者和权限，或换一个目录。",
  },
  GRANARY_STORE_TOO_NEW: {
    lines: (f) => [
      `存储 ${f.dir} 的布局为 ${f.found}，此 Granary 最高支持 ${f.supported}。`,
      "未做任何改动。请使用较新的 Granary，或换一个目录：granary serve --store DIR",
    ],
    cause: "此存储由较新的 Granary 写成。",
    remedy: "请启动较新的版本；旧版本可能误读其中内容。",
  },
  GRANARY_STORE_LOCKED: {
    lines: (f) => [`存储 ${f.dir} 正由 ${f.holder} 使用。`, "请停止该进程，或换一个目录：granary serve --store DIR"],
    cause: "一个存储只能由一个进程写入，而它已被占用。",
    remedy: "如需多个进程共用一个存储，请用 --workers。",
  },
  GRANARY_SHARED_STORE_AWAY: {
    lines: (f) => [
      `位于 ${f.endpoint} 的共享存储 ${f.bucket} 没有应答。`,
      f.reason,
      `未做任何改动。请检查该服务及到它的网络，然后运行：granary store check --s3 ${f.bucket}`,
    ],
    cause: "S3 服务已停止、不可达或无响应。只有运行中的服务器能在没有它时继续工作。",
    remedy: "恢复该服务，或更正 s3.endpoint（--s3-endpoint）。",
  },
  GRANARY_STORE_NOT_FREE: {
    lines: (f) => [
      f.of === ""
        ? `${f.dir} 本身就是一个存储，不能存放本节点对 ${f.bucket} 的副本。`
        : `${f.dir} 中是 ${f.of} 的副本，而不是 ${f.bucket} 的。`,
      "副本会在需要空间时被移除，因此需要单独的目录：--store DIR",
    ],
    cause: "设置 s3.bucket 后，--store 指的是存放副本的目录，其中任何副本都可能随时离开。",
    remedy: "换一个目录；若其中内容都不需要，可删除该目录。",
  },
  GRANARY_STORE_IS_COPY: {
    lines: (f) => [
      `${f.dir} 中是某节点对共享存储 ${f.bucket} 的副本，本身不是存储。`,
      `请指明存储桶（--s3 ${f.bucket}），或换一个目录。`,
    ],
    cause: "该目录曾与 s3.bucket 一起使用，其中只是存储桶内容的一部分。",
    remedy: "像之前一样设置 s3.bucket（--s3）。",
  },
  GRANARY_NOT_WITH_SHARED_STORE: {
    lines: (f) => [`${f.what} 不能与共享存储（s3.bucket）一起使用。`, f.because, f.instead],
    cause: "它需要独占存储，或会读取随时可能离开的副本。",
    remedy: "见 docs/tiers.md。",
  },
  GRANARY_NO_STORE: {
    lines: (f) => [`${f.dir} 中没有存储。`, "未做任何操作。磁盘是否已挂载？请用 --store DIR 指定存储。"],
    cause: "目录中没有 granary.json，而每个存储都有。空的挂载点就是这样。",
    remedy: "挂载磁盘，或更正 --store。服务器启动时会新建存储，此命令不会。",
  },
  GRANARY_SNAPSHOTS_UNUSABLE: {
    lines: (f) => [
      `${f.dir} 不能用于快照。`,
      f.reason,
      "请指定空目录、新目录，或 `granary store snapshot` 用过的目录。",
    ],
    cause: "快照有自己的目录，位于存储之外；同一时间只由一个进程写入，其中没有别的内容。",
    remedy: "检查路径和权限，并确认没有别的进程正在那里做快照。",
  },
  GRANARY_RESTORE_LOG_BEHIND: {
    lines: (f) => [
      `自有校验和数据库 ${f.database} 未恢复：快照比其密钥签名过的内容旧。`,
      `快照有 ${f.found} 条记录；密钥已签到 ${f.signed} 条，客户端也已见过。`,
      "请恢复更新的快照。若没有，记录已丢失：须改用新名称和新密钥（granary sumdb keygen）。",
    ],
    cause: "密钥旁边记着它签过的最新树头。从更旧的日志继续，会与客户端记住的内容矛盾，客户端将永远拒绝它。",
    remedy: "使用最新的快照或 state/sumlog 副本。切勿为绕过此检查而删除记住的树头。其余内容均已恢复。",
  },
  GRANARY_RESTORE_LOG_FORK: {
    lines: (f) => [
      `自有校验和数据库 ${f.database} 未恢复：快照中是另一份日志。`,
      f.reason,
      "两份都保持原样，并查明客户端见过的是哪一份：granary sumdb fsck",
    ],
    cause: "同一名称和密钥下有两份日志，或其中一份从较旧的副本继续写过。",
    remedy:
      "应保留客户端见过的那一份。若两份都被见过，须改用新名称和新密钥（granary sumdb keygen）。其余内容均已恢复。",
  },
  GRANARY_RESTORE_LOG_KEYLESS: {
    lines: (f) => [
      `自有校验和数据库 ${f.database} 未恢复：未提供它的密钥。`,
      "密钥签过什么只记在密钥旁边，更旧的内容不可恢复。",
      "请带上密钥再运行一次：granary store restore DIR --sumlog-key FILE",
    ],
    cause: "未设置 `sumlog.key`，或它是另一个数据库的密钥。",
    remedy: "按服务器的设置给出 sumlog.key，再运行一次；命令只补上缺少的内容。",
  },
  GRANARY_RESTORE_LOG_UNSOUND: {
    lines: (f) => [
      `自有校验和数据库 ${f.database} 未恢复：日志不完好。`,
      f.reason,
      "请恢复另一个快照：granary store snapshots DIR",
    ],
    cause: "快照中的日志，或存储中更长的那份日志无法打开：文件丢失或损坏。",
    remedy: "用 `granary sumdb fsck` 检查存储中的日志，并试用其他快照。其余内容均已恢复。",
  },
  GRANARY_PRIVATE_EXPOSED: {
    lines: (f) => [
      `${f.listen} 对网络开放，任何人都能读取私有模块（${f.patterns}）。`,
      "请创建令牌：granary token add --scope read",
      "或只监听 127.0.0.1。若允许所有人读取：--private-readers anyone",
    ],
    cause: "设置了私有模式，服务器监听的不只是本机，又没有读令牌。",
    remedy: "创建读令牌并启用 TLS；或只监听回环地址；或明确允许任何人读取。",
  },
  GRANARY_READERS_UNKNOWN: {
    lines: (f) => [
      `${f.listen} 对网络开放，而目前无法得知谁可以读取私有模块（${f.patterns}）。`,
      `存放令牌的存储没有应答：${f.reason}`,
      "请在其恢复后重新启动。在此之前：只监听 127.0.0.1，或不设私有模式。",
    ],
    cause: "设置了私有模式，服务器监听的不只是本机，而存放令牌的存储不可达；没有令牌就无法判断谁需要它。",
    remedy: "恢复该存储（granary store check），并由进程管理器重新启动服务器。",
  },
  GRANARY_COMPAT_REFUSED: {
    lines: (f) => [
      `无法沿用 Athens 的 ${f.key}（${f.origin}）。`,
      `${f.reason}。`,
      f.more === 0
        ? "全部设置及其去向：granary compat athens"
        : `另有 ${f.more} 项；全部设置及其去向：granary compat athens`,
    ],
    cause:
      "Athens 的这项设置限制了某些内容或改变了客户端得到的结果，而 Granary 不会自动做同样的事。忽略它启动会违背原意。",
    remedy: "按提示用 Granary 自己的设置代替（设置后即以其为准），或删除该设置。",
  },
  GRANARY_EGRESS_UNSET: {
    lines: (f) => [
      "egressStrict 已开启，但未指定到上游的连接如何出站。",
      `egressStrict：${f.origin}`,
      "请写明其一：egress: direct | env | http://proxy.example:3128",
      "URL 含凭据时：egress: file:/run/secrets/egress，或用变量 GRANARY_EGRESS。",
    ],
    cause: "egressStrict 开启时没有默认的出站方式：必须在文件中或用 GRANARY_EGRESS 设置 egress。",
    remedy: "将 egress 设为 direct、env（HTTP_PROXY、HTTPS_PROXY、NO_PROXY）或代理的 URL。",
  },
  GRANARY_NOT_A_DATABASE: {
    lines: (f) => [
      `${f.dir} 不是该校验和数据库的目录。`,
      f.reason,
      "请指定含有 key、latest、index 和 tree 的目录，或填充空目录：granary sumdb preload --db DIR --range MODULE@VERSION",
    ],
    cause: "目录中没有数据库的验证公钥，或公钥已损坏，或这是另一个数据库的目录。",
    remedy: "从填充它的地方重新复制，或换一个目录。一个目录只放一个数据库。",
  },
  GRANARY_AGENT_EXPOSED: {
    lines: (f) => [
      `${f.listen} 对网络开放；能连上的人都将使用此代理程序的证书或令牌。`,
      "请只在本机监听：--listen 127.0.0.1:3128",
      "若确实要供他人使用，请明确写出：--expose",
    ],
    cause: "代理程序会给收到的每个请求附上凭据，因此只接受本机的请求。",
    remedy: "每位开发者在回环地址上各运行一个。容器可用 --network host 访问。",
  },
  GRANARY_FILE_EXISTS: {
    lines: (f) => [`${f.file} 已存在，且不是本程序所写。`, "未作改动。请先移走它，或不带 --install 运行后自行复制。"],
    cause: "同名文件由他人写入或被手工修改过，覆盖可能丢失内容。",
    remedy: "比较两者，移走旧文件后重新运行。",
  },
  GRANARY_TLS_UNREADABLE: {
    lines: (f) => [`${f.file} 不能用于 TLS。`, f.reason, "--tls-cert 需要 PEM 证书链，--tls-key 需要对应的私钥。"],
    cause: "证书或私钥不存在、不可读、不是 PEM，或两者不匹配。",
    remedy: "请用生成它们的程序检查这两个文件。",
  },
  GRANARY_TOKENS_UNREADABLE: {
    lines: (f) => [`无法使用令牌文件 ${f.file}。`, f.reason, "请更正，或重新创建：granary token add"],
    cause: "保存令牌哈希的文件不可读，或被手工改动。",
    remedy: "恢复该文件，或删除后重新签发令牌。",
  },
  GRANARY_NO_SUCH_ID: {
    lines: (f) => [
      `这里没有${kinds[f.kind]} ${f.id}。`,
      nearest(f.nearest),
      "可用相应的 list 命令查看；请求编号只保留一段时间。",
    ],
    cause: "编号写错了，或所指的内容已不在。",
    remedy:
      "查看现有内容：granary token list、granary store quarantine list、granary store hashes list、granary store snapshots DIR、granary upstream status、granary jobs、granary pin list。",
  },
  GRANARY_TARGET_UNREACHABLE: {
    lines: (f) => [`${f.url} 没有回答。`, f.reason, "请检查 URL，并确认服务器已启动。"],
    cause: "无法连接命令行中给出的服务器。",
    remedy: "启动它，或更正 URL。",
  },
  GRANARY_TRUSTED_UNREADABLE: {
    lines: (f) => [
      `${f.file} 不是信任文件：第 ${f.line} 行${f.found === "" ? "为空或缺失" : `是 ${f.found}`}`,
      `此处应为：${f.accepted}`,
      "请重新生成：granary sumdb pin > trusted.sumdb",
    ],
    cause: "文件被截断、改动过，或不是由 `granary sumdb pin` 生成的。其中内容均未采用。",
    remedy: "使用未改动的副本，或在树头可信的地方重新生成。格式见 docs/sumdb-heads.md。",
  },
  GRANARY_INPUT_UNREADABLE: {
    lines: (f) => [`无法使用 ${f.place}。`, f.reason, "请更正，或用 --from 指定其他文件。"],
    cause: "命令要读取的文件不存在、不可读、过大，或内容不符合其类型。",
    remedy: "检查路径；文本错误会给出行号。可指定的内容见 docs/prewarm.md。",
  },
  GRANARY_NOT_PUBLISHABLE: {
    lines: (f) => [
      `${f.what} 不是可发布的模块版本：${f.reason}`,
      "没有发送任何内容。加上 --dry-run 可查看将发送的内容。",
    ],
    cause: "标签、go.mod 或文件不构成 go 命令会接受的模块版本。",
    remedy:
      "版本是形如 v1.2.3 或 sub/v1.2.3 的标签，仓库中须已取得标签（git fetch --tags）；该处的 go.mod 给出模块路径。规则见 docs/publishing.md。",
  },
  GRANARY_GO_MISSING: {
    lines: (f) => [`${f.what} 需要运行 go 命令，但 PATH 中没有。`, "请安装 Go，或把其 bin 目录加入 PATH。"],
    cause: "go 的行为要用 go 本身测量。当前 shell 的 PATH 中没有 `go` 程序。",
    remedy: "安装 Go（https://go.dev/dl/），或执行 export PATH=$PATH:/usr/local/go/bin，然后重试。",
  },
  GRANARY_GIT_FAILED: {
    lines: (f) => [`${f.command} 失败：${f.reason}`, "没有发送任何内容。"],
    cause: "未安装 git，文件夹不是仓库，或者仓库损坏、不完整。",
    remedy: "请在工作树中运行，或用 --repo 指定。缺少对象的克隆需先执行 git fetch。",
  },
  GRANARY_ENV_NOT_WRITTEN: {
    lines: (f) => [`未写入 ${f.what}：${notWrittenZh[f.because](f.detail)}`, "没有任何改动。"],
    cause: "没有 go 或 go 拒绝、GOENV=off、文件已不是命令写入时的内容，或无法写入。",
    remedy: "把 go 加入 PATH，或使用只打印不写入的 --scope session。被改动过的文件请手工处理。",
  },
  GRANARY_CANNOT_RUN: {
    lines: (f) => [`无法运行 ${f.program}：${f.reason}`, "没有再做其他尝试。"],
    cause: "该程序不在 PATH 中、不可执行，或这里无法获得该版本。",
    remedy: "安装它，或确认它在此 shell 的 PATH 中，再重新运行命令。",
  },
  GRANARY_STOPPED: {
    lines: () => ["命令被要求停止。", "已完成的部分有效；再次运行即可继续。"],
    cause: "按下 Ctrl-C，或收到终止信号。",
    remedy: "再次运行命令，它会接着处理剩余部分。",
  },
  GRANARY_LAYOUT_OLD: {
    lines: (f) => [
      `${f.dir} 的布局为 ${f.found}，不支持版本离开。`,
      "请先升级布局，服务器可照常运行：",
      "granary store migrate",
    ],
    cause: "存储由旧版 Granary 建立，旧版会把已离开的版本当作损坏。",
    remedy: "运行一次 `granary store migrate`。此后旧版 Granary 不再打开此存储。",
  },
  GRANARY_INDEX_UNAVAILABLE: {
    lines: (f) => ["暂时无法查询存储的索引。", f.reason, "未据此做任何操作。索引恢复后请再次运行；服务器照常工作。"],
    cause: "索引位于 PostgreSQL（`postgres.url`），它无法连接、拒绝访问，或不接受写入。",
    remedy: "检查 PostgreSQL 与 `postgres.url`。各种原因的含义和所需权限见 docs/postgres.md。",
  },
  GRANARY_GC_SHARED: {
    lines: (f) => [
      `存储桶 ${f.bucket} 可能由多个节点共用，而这里只知道本节点自己的使用情况。`,
      "其他节点需要的内容可能会离开。请在每个节点设置 postgres.url；若仅此一个节点：",
      "granary store gc --own-uses-only",
    ],
    cause: "没有 PostgreSQL 时，每个节点各有自己的索引，只统计向该节点发出的请求。",
    remedy: "在每个节点将 `postgres.url` 设为同一数据库；若没有其他节点使用该存储桶，可加 `--own-uses-only`。",
  },
  GRANARY_DONE_ELSEWHERE: {
    lines: (f) => [`另一个节点正在对同一存储做此工作：${f.work}。`, "这里未做任何操作，请稍后再次运行。"],
    cause: "共用 PostgreSQL 索引的节点依次清理、检查和重建，同一时间只有一个。",
    remedy: "等待另一节点完成。节点若已崩溃，其连接断开后轮次即被归还。",
  },
  GRANARY_NOT_COMMITTED: {
    lines: (f) => [
      `${f.what} 在这里从未有过这些字节。`,
      `要求    ${f.asked}`,
      `已提交  ${f.committed ?? "无"}`,
      "版本始终保持最初提交的字节，不能换成别的。",
    ],
    cause: "所给 sha256 不是此版本最初保存的 zip 的，或者从未保存过 zip。",
    remedy: "`granary store rollback` 需要已提交的 sha256，见 zip 的清单。",
  },
  GRANARY_NO_COPY: {
    lines: (f) => [
      `这里没有 ${f.what} 的字节。`,
      `sha256 ${f.sha256}`,
      "请用 --from 指定含有这些字节的文件，或恢复备份，或向运行中的服务器请求此版本，它会重新获取。",
    ],
    cause: "版本已离开或损坏，隔离区里没有副本，也没有指定文件。",
    remedy: "通过运行中的服务器获取，或用 --from 给出其 zip；其他字节会被拒绝。",
  },
  GRANARY_SERVER_REFUSED: {
    lines: (f) => [
      `${f.url} 回答 ${f.status}。`,
      f.said,
      "请提供 write 权限的令牌，存于文件或环境变量：--token file:/path 或 --token env:NAME",
    ],
    cause: "运行中的服务器拒绝了命令的请求，或者它不是此版本的 Granary。",
    remedy:
      "会修改数据的命令需要 write 令牌（granary token add --scope write）；可能列出私有模块的命令需要 read 令牌，服务器就在本机时除外。",
  },
} as const satisfies Sentences<StartCode>;
