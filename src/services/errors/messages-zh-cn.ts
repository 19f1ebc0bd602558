// 简体中文：失败以外的全部语句。

import type { MessageTable } from "./messages.ts";

const conditions = { closed: "正常", open: "断开", trial: "试探", held: "暂缓", disabled: "停用" } as const;
const drillPhases = { normal: "正常", fault: "故障", recovery: "恢复" } as const;
const jobStates = { waiting: "等待", running: "运行中", dead: "已放弃" } as const;

const verdictsZh = {
  ok: "已验证",
  mismatch: "不一致",
  malformed: "格式错误",
  unrecorded: "数据库中没有",
  unproven: "无法证明",
  unverified: "未能验证",
  private: "私有",
  foreign: "不是 h1: 哈希，go 会忽略",
} as const;

const fsckKinds = {
  manifest: "清单",
  missing: "缺失",
  damaged: "损坏",
  leftover: "残留",
  tombstone: "墓碑",
  list: "列表",
  unreadable: "不可读",
} as const;
const importRefusals: Readonly<Record<string, string>> = {
  torn: "不完整：只有 .info，没有 go.mod 和 zip",
  "no-zip": "此处没有 zip，而验证命令只接受完整的版本",
  "other-mod": "与已保存的 go.mod 不同，保留原有内容",
  "other-zip": "与已保存的 zip 不同，保留原有内容",
  foreign: "不是模块的文件",
  odd: "既不是此目录中的文件，也不是文件夹",
  "too-deep": "比任何模块路径都深",
};

export const messagesZh: MessageTable = {
  "cli.about": () => "Granary（常平仓）提供 Go 模块：每个字节都经过校验，断网时照常服务。",
  "cli.usage": () => "用法",
  "cli.example": () => "示例",
  "cli.commands": () => "命令",
  "cli.arguments": () => "参数",
  "cli.options": () => "选项",
  "cli.more": () => "各命令的说明：granary COMMAND --help",
  "cli.default": ({ value }) => `默认：${value}`,
  "cli.repeatable": () => "可重复",
  "group.server": () => "服务器",
  "group.upstreams": () => "上游",
  "group.direct": () => "从仓库直接构建的模块",
  "group.shared": () => "多节点共用",
  "group.trust": () => "可见范围与信任",
  "group.logs": () => "日志",
  "group.tls": () => "TLS",
  "group.files": () => "配置文件",
  "group.output": () => "输出",
  "flag.config": () => "YAML 配置文件，见 docs/config.md",
  "flag.profile": () => "用同目录的 FILE.NAME.yaml 覆盖配置文件中的值",
  "flag.compat": () => "代替另一个代理启动：athens",
  "flag.compat-file": () => "Athens 的 config.toml，配合 --compat athens",
  "command.compat": () => "查看另一个代理的配置在这里的含义。",
  "command.compat.athens": () => "显示 Athens 各项设置的去向，不启动任何服务。",
  "compat.default": () => "Athens 的默认值",
  "compat.file": (f) =>
    f.file === "" ? "来自环境变量的 Athens 设置（未找到 config.toml）：" : `来自 ${f.file} 和环境变量的 Athens 设置：`,
  "compat.ignored": () => "忽略：",
  "compat.nearest": (f) => `是否指 ${f.nearest}？`,
  "compat.overridden": (f) => `未生效：${f.origin} 另有设置`,
  "compat.refused": () => "无法沿用，因此不启动：",
  "compat.settled": (f) => `由 ${f.setting}（${f.origin}）取代`,
  "compat.unknown": () => "未知名称：",
  "flag.json": () => "输出 JSON",
  "flag.origin": () => "同时输出每个值的来源",
  "flag.lang": () => "消息语言：en 或 zh-CN",
  "flag.help": () => "显示帮助",
  "flag.version": () => "显示版本",
  "flag.sumlog-name": () => "数据库名称：自己的主机名，可带路径",
  "flag.sumlog-out": () => "存放签名密钥的新文件，仅所有者可读",
  "flag.sumdb-url": () => "客户端访问本服务器的地址，默认为监听地址",
  "flag.scope": () => "read（读取私有模块）或 write（还可修改数据）",
  "flag.note": () => "备注：给谁、做什么用",
  "flag.server": () => "运行中的服务器；省略时为 --listen 处的服务器",
  "flag.token": () => "它的令牌，写作 file:/path 或 env:NAME",
  "command.serve": () => "运行模块代理。",
  "command.config": () => "查看配置。",
  "command.config.print": () => "输出当前生效的全部设置。",
  "command.env.apply": () => "按预设方案设置 go，并可撤销。",
  "command.env.check": () => "对比项目的 .envrc、版本文件与实际环境。",
  "command.env.init": () => "为项目写入 .envrc 和 .go-version。",
  "command.env.scopes": () => "显示哪个 shell 文件、单元、CI 文件或镜像设置了哪个变量，以及冲突之处。",
  "command.env.shell": () => "以项目的变量启动 shell 或一条命令，无需 direnv。",
  "env-apply.ask": () => "写入？[y/N] ",
  "env-apply.back": ({ scope }) => `撤销：granary env apply --undo --scope ${scope}`,
  "env-apply.columns": () => "之前\t之后",
  "env-apply.direct": () => "direct：代理没有的模块从其仓库获取，同样经过校验。",
  "env-apply.needs-proxy": ({ profile }) => `方案 ${profile} 需要 --proxy：由它指定唯一来源`,
  "env-apply.needs-yes": () => "无人确认：标准输入不是终端",
  "env-apply.not-done": ({ why }) =>
    ({
      "dry-run": "没有写入。去掉 --dry-run 才会写入。",
      nothing: "已经如此，没有写入。",
      root: "只有 root 可以写入。请以 root 运行，或自行把以上各行写进去。",
      refused: "没有写入。",
    })[why],
  "env-apply.same": () => "（无变化）",
  "env-apply.session": ({ line }) => `没有写入任何文件：这些行只对运行它们的终端有效。一步完成：\n  ${line}`,
  "env-apply.system": () =>
    "登录 shell 读取该文件，服务不读取：请在单元中写 Environment=（granary env scopes --unit NAME）。其中导出的值优先于每个用户的 go env -w。",
  "env-apply.with-go": ({ file }) => `由 go env -w 写入 ${file}；事先保存副本。`,
  "env-apply.wrote": ({ file }) => `已写入：${file}`,
  "env-check.columns": () => "项目\t要求\t实际\t位置",
  "env-check.no-go": () => "PATH 中没有 go",
  "env-check.none": () => "这里没有任何要求：没有提到 Go 或其变量的 .envrc、.go-version、.tool-versions。",
  "env-check.unknown": ({ name, value, place }) => `${name}=${value}（${place}）：只有 shell 能算出，未检查。`,
  "env-check.verdict": ({ unmet, count }) =>
    count === 0
      ? "没有可比较的内容。"
      : unmet.length === 0
        ? `全部 ${count} 项符合项目要求。`
        : `不符合项目要求：${unmet.join("、")}。下一步：granary env shell`,
  "env-init.next": () => "然后：direnv allow。不用 direnv：granary env shell",
  "env-scopes.kind": ({ scope }) =>
    ({
      terminal: "终端",
      rc: "rc",
      login: "登录",
      user: "用户",
      system: "系统",
      goroot: "go.env",
      unit: "单元",
      ci: "CI",
      image: "镜像",
      project: "项目",
    })[scope],
  "env-scopes.none": () => "没有任何地方设置 go 的变量：go 一律使用默认值。",
  "env-scopes.unread": ({ file, reason }) => `未读取：${file}（${reason}）`,
  "env-scopes.verdict": ({ variables, files, findings, isClean }) =>
    isClean
      ? `${files} 处共设置 ${variables} 个变量，互不冲突。`
      : `${files} 处共设置 ${variables} 个变量，发现 ${findings} 个问题。`,
  "env-shell.either": () => "--shell 与命令只能用其一",
  "env-shell.leave": ({ shell }) => `启动 ${shell}；用 exit 离开。`,
  "env-shell.overridden": ({ name, place }) => `${name} 将取 ${place} 的值：shell 最后读取它`,
  "env-shell.left-out": ({ name, place }) => `略过 ${name}（${place}）：需要 shell 才能算出`,
  "env-undo.done": () => "已逐字节恢复。",
  "env-undo.none": ({ scope }) => `--scope ${scope} 没有可撤销的内容。`,
  "env-undo.plan": ({ what, at }) => `撤销：${what}（${at}）`,
  "env.hook": ({ file, line }) => `direnv 钩子，写入 ${file}：${line}`,
  "flag.env-dir": () => "项目的文件夹；默认为当前文件夹",
  "flag.env-direnv": () => "写入 .envrc",
  "flag.env-go": () => "项目需要的 Go 版本，写入 .go-version 和 .envrc",
  "flag.env-private": () => "私有模块，写法同 GOPRIVATE：git.corp.example/*,github.com/acme",
  "flag.env-profile": () => "personal | cn | cn-multi | cn-aliyun | global | enterprise | ci | offline",
  "flag.env-proxy": () => "使用的代理；enterprise 和 ci 必须给出",
  "flag.env-scope": () => "user（go env -w）| session | project | system；默认 user",
  "flag.env-shell": () => "bash | zsh | fish | powershell | cmd，用于 --scope session；默认为当前 shell",
  "flag.env-shell-program": () => "要启动的 shell；默认为 $SHELL",
  "flag.env-undo": () => "恢复该范围最近一次改动之前的内容",
  "flag.env-unit": () => "systemd 单元的名称或路径",
  "flag.env-yes": () => "不询问，直接写入",
  "command.tls": () => "像 go 一样检查 TLS 服务器，说明 go 为何会拒绝。",
  "command.tls.export-root": () => "导出服务器证书的签发者及其指纹。",
  "command.dns": () => "查看域名由谁应答，答案是否可信。",
  "command.dns.which": () => "域名由谁应答：hosts 文件、系统、服务器；go 如何查询。",
  "command.dns.compare": () => "向多个 DNS 服务器查询同一域名并比较。",
  "command.dns.flush": () => "显示清空本机 DNS 缓存的命令。",
  "flag.dns-doh": () => "另外查询该 DNS-over-HTTPS 服务器",
  "flag.dns-port": () => "连接测试的端口；0 表示不测（默认 443）",
  "flag.dns-run": () => "执行这些命令，而不只是显示",
  "flag.dns-servers": () => "要查询的 DNS 服务器，逗号分隔；地址 或 地址:端口",
  "flag.network-proxy": () => "经该 HTTP 代理，或 `direct`（默认取 HTTPS_PROXY）",
  "flag.network-timeout": () => "每个连接的时限，如 5s",
  "flag.network-verbose": () => "每次网络调用前先说明",
  "flag.tls-min": () => "低于该版本即报告：1.2 或 1.3",
  "flag.tls-out": () => "写入文件，不覆盖已有文件",
  "flag.tls-servername": () => "请求并核对的名称（SNI），与主机不同时使用",
  "command.explain": () => "解释错误码，或错误回答中的请求编号。",
  "command.store": () => "管理已保存的内容。",
  "command.store.check": () => "试验存储所需的磁盘或存储桶能力。",
  "command.store.stats": () => "统计存储内容。",
  "command.store.verify": () => "读取全部已保存的内容，与记录核对。",
  "command.store.gc": () => "腾出空间：让闲置或过多的版本离开。",
  "command.store.fsck": () => "检查整个存储，修复可以修复的问题。",
  "command.store.scrub": () => "把每个已保存字节读一遍，可限速。",
  "command.store.migrate": () => "升级存储布局，或将存储复制到存储桶或复制回来，服务器可照常运行。",
  "command.store.rollback": () => "损坏后恢复版本最初提交的字节。",
  "command.pin": () => "指定无论多旧都留在存储中的内容。",
  "command.pin.add": () => "固定一个版本、一个模式或文件所列的全部版本。",
  "command.pin.list": () => "列出固定的内容。",
  "command.pin.remove": () => "删除一条固定项。",
  "flag.gc-max-size": () => "已保存版本可占用的空间，如 5GB",
  "flag.gc-older-than": () => "让闲置更久的离开，如 30d",
  "flag.gc-order": () => "谁先离开：lru 或 s3-fifo",
  "flag.gc-own-uses": () => "共用存储桶且无 PostgreSQL 时：仅依据本节点的使用情况",
  "flag.gc-private": () => "私有版本也可离开",
  "flag.dry-run": () => "只说明会做什么，不做改动",
  "flag.fsck-deep": () => "读取并核对每个字节",
  "command.simulate": () => "按 go 的方式逐步获取一个模块版本",
  "command.trace": () => "逐跳显示访问一个 URL 的耗时",
  "command.mirrors": () => "公共模块代理：已知情况，以及彼此是否一致",
  "command.mirrors.list": () => "列出每个镜像的运营者、状态和注意事项",
  "command.mirrors.crosscheck": () => "比较各镜像给出的同一版本",
  "flag.mirrors-mirrors": () => "名称或 URL，用逗号分隔",
  "flag.mirrors-probe": () => "向每个镜像询问它现在能做什么",
  "flag.mirrors-record": () => "把结果以 JSON 保存到用户数据目录",
  "flag.simulate-emit": () => "改为输出 curl 或 wget 命令",
  "flag.simulate-go": () => "要模仿的 go 版本",
  "flag.simulate-proxy": () => "代替 go 设置的 GOPROXY 列表",
  "flag.simulate-via": () => "代替环境变量的出口代理",
  "flag.trace-direct": () => "只直连，不经出口代理",
  "flag.trace-protocols": () => "同时比较 HTTP/2 与 HTTP/1.1",
  "flag.fsck-repair": () => "修复可以修复的问题",
  "flag.fsck-rebuild": () => "根据清单重建索引",
  "flag.scrub-rate": () => "每秒字节数，如 20MB；不写则不限",
  "flag.rollback-sha256": () => "要恢复的 zip 的 sha256",
  "flag.rollback-from": () => "可能含有这些字节的 zip",
  "flag.pin-from": () => "go.sum、go.mod、go.work、列表或目录",
  "flag.hot": () => "显示最常用的 N 个版本",
  "command.quarantine": () => "未通过校验的内容。",
  "command.quarantine.hold": () => "扣留一个版本：无论谁为它作证，都不再提供。",
  "command.quarantine.free": () => "解除对一个版本的扣留。",
  "command.quarantine.held": () => "列出被扣留的版本。",
  "flag.reason": () => "原因；会告知客户端",
  "command.quarantine.list": () => "列出隔离区的内容。",
  "command.quarantine.show": () => "查看隔离区中的一项。",
  "command.quarantine.release": () => "重新校验并保存一项；与数据库不符的绝不放行。",
  "command.hashes": () => "私有模块首次见到时固定的哈希。",
  "command.hashes.list": () => "列出已固定的哈希。",
  "command.hashes.forget": () => "取消某版本固定的哈希，接受一次变更后的内容。",
  "command.sumdb": () => "校验和数据库：自有的，以及他人所言。",
  "command.sumdb.keygen": () => "生成自有校验和数据库的密钥。",
  "command.sumdb.client-config": () => "打印使用自有数据库的客户端所需的设置。",
  "command.sumdb.fsck": () => "从头到尾读取并检查自有数据库。",
  "command.sumdb.alarms": () => "列出发现的分叉及其处理决定。",
  "command.sumdb.resume": () => "拒绝分叉中外来的树头，恢复使用该数据库。",
  "flag.sumdb-reason": () => "决定的理由，供后来者查看",
  "sumdb.alarms.none": () => "没有数据库出现过两套历史。",
  "sumdb.alarms.open": () => "未决：不再接受任何新内容",
  "sumdb.alarms.columns": () => "编号\t数据库\t决定\t证据",
  "sumdb.resumed": ({ database, id }) => `告警 ${id} 的树头从此被拒绝。${database} 恢复使用，以本地保存的历史为准。`,
  "command.sumdb.preload": () => "校验并保存指定版本的记录，以备无法联网之时。",
  "command.sumdb.lookup": () => "显示数据库对某个版本的记载，并检查证明的每一部分。",
  "command.sumverify": () => "将 go.sum 文件与校验和数据库核对。",
  "command.sumgopher": () => "在后台保持记录、瓦片和树头为最新。",
  "flag.range": () => "PATH@v1.8.0:latest、PATH@v1.8.0:v1.9.0 或 PATH@v1.8.0",
  "flag.preload-from": () => "go.mod、go.work、go.sum，或 PATH@VERSION 列表",
  "flag.tool-db": () => "存放一个数据库的目录（与 sumweb 相同）；默认使用存储",
  "flag.tool-mirror": () => "只向此地址查询该数据库",
  "flag.tool-offline": () => "只用已保存的内容，不询问任何人",
  "flag.lookup-verify": () => "显示证明的每一部分",
  "flag.sumverify-all": () => "此目录下所有的 go.sum 和 go.work.sum",
  "flag.junit": () => "同时把 JUnit 报告写入 FILE",
  "flag.sumgopher-from": () => "与 preload 相同；不给出则跟随已保存的内容",
  "flag.every": () => "两轮之间的时间：30s、10m、1h；默认 10m",
  "flag.once": () => "只运行一轮",
  "tool.working": ({ done, total }) => `${done} / ${total} 个版本`,
  "tool.tree": ({ name, size }) => `${name}：最新树头下有 ${size} 条记录`,
  "preload.done": ({ wanted, fetched, kept, private: secret }) =>
    `${wanted} 个版本：本次校验并保存 ${fetched} 条记录，此前已保存 ${kept} 条${secret === 0 ? "" : `，${secret} 个为私有，未查询`}`,
  "preload.unreadable": ({ what }) => `可能仍有缺失，未得到经证明的回答：${what}`,
  "lookup.head": ({ database, number, size, route }) =>
    `${database}，${size} 条记录的树中的第 ${number} 条，来自 ${route}`,
  "lookup.step": ({ name }) =>
    ({ record: "记录", signature: "签名", inclusion: "包含性", consistency: "一致性" })[name],
  "lookup.record": () => "格式正确，含此版本的两个哈希",
  "lookup.signature": ({ database }) => `树头由 ${database} 的密钥签名`,
  "lookup.inclusion": () => "记录在树中，证明所用的每个瓦片均已验证",
  "lookup.consistency": ({ accepted, newest }) =>
    `与此处接受过的全部 ${accepted} 个树头同属一份历史，最新的有 ${newest} 条记录`,
  "lookup.unchecked": () => "因前面的失败而未检查",
  "sumverify.verdict": ({ verdict }) => verdictsZh[verdict],
  "sumverify.here": () => "此处",
  "sumverify.recorded": ({ database, number }) => `记载（${database}，第 ${number} 条）`,
  "sumverify.done": (f) =>
    `${f.files} 个文件，${f.lines} 行：${f.ok} 行已验证，${f.wrong} 行有误，${f.unverified} 行未能验证，${f.private} 行为私有`,
  "sumgopher.round": ({ heads, wanted, fetched, failed, time }) =>
    `${heads}；跟随 ${wanted} 个版本，新增 ${fetched}，失败 ${failed}，用时 ${time}`,
  "command.drill.sumdb": () => "依次撤走各校验和数据库，检验版本是否仍能校验。",
  "flag.versions": () => "每个场景的版本数，1 到 100；默认 4",
  "redundancy.columns": () => "\t撤走\t应由谁担保\t已校验\t被拒绝\t最慢\t",
  "redundancy.voucher": ({ voucher }) => ({ official: "官方", own: "自有", kept: "已存记录" })[voucher],
  "redundancy.reached": () => "达到：剩下的仍能担保；全部撤走后，未经证明的内容一律不提供。",
  "redundancy.missed": () => "未达到：见带标记的行。",
  "command.sumdb.heads": () => "客户端见过的树头。",
  "command.sumdb.heads.import": () => "用本地历史核对 go 命令的树头；更新且得到证明的予以采用。",
  "command.sumdb.pin": () => "以信任文件的形式打印最新的已证明树头。",
  "command.sumdb.verify": () => "用存储及其线路核对信任文件：发现分叉与回退。",
  "command.sumdb.status": () => "显示每个数据库的保存内容、线路与告警。",
  "command.env": () => "go 在此如何使用它的设置：问谁、校验什么、哪里有错。",
  "command.env.explain": () => "说明 go 为某模块依次问谁，每种失败之后如何。",
  "command.env.lint": () => "检查 go 的设置或给出的值有无错误。",
  "command.env.provenance": () => "列出 go 的每个设置来自哪里、盖住了什么。",
  "command.env.simulate": () => "按给定的回答，像 go 那样走一遍 GOPROXY 列表。",
  "flag.env-chain": () => "列表；不写则用本机的 GOPROXY",
  "flag.env-class": () => "机器用途：prod、ci 或 dev（默认）；决定校验的要紧程度",
  "flag.env-command": () => "download（默认）、get、list、versions、tidy 或 build",
  "flag.env-file": () => "info（默认）、mod、zip、list、latest 或 supported",
  "flag.env-responses": () =>
    "每个条目一个，逗号分隔：状态码，或 refused、reset、unreachable、dns、tls、timeout、truncated、badjson、html、empty；最后一个会重复",
  "flag.env-strict": () => "按文章中的规则检查 GOPROXY：不许有空格，URL 须完整；违反时也以 1 退出",
  "command.sumdb.explain": () => "说明 go 在此是否校验某模块、由哪个数据库校验、怎样访问它。",
  "flag.sumdb-cache": () => "没有线路时，可用其中的瓦片证明树头的 GOMODCACHE",
  "flag.sumdb-trusted": () => "`granary sumdb pin` 的输出",
  "flag.sumdb-env": () => "KEY=VALUE、go env 文件，或 `go env` 的输出（`-` 为标准输入）",
  "sumdb.offer.columns": () => "数据库\t记录数\t来源\t结果",
  "sumdb.offer": ({ verdict, ours, reason }) => {
    switch (verdict) {
      case "newest":
        return ours === "" ? "已证明：这里的第一个树头" : `已证明：现为这里最新的树头，之前为 ${ours}`;
      case "agrees":
        return "已证明：与这里保存的历史一致";
      case "forked":
        return `分叉：另一套历史。在你做出决定之前不再接受任何新内容：granary sumdb alarms。证据：${reason}`;
      case "unproven":
        return ours === ""
          ? "未采用：尚未保存该数据库的任何内容，无从证明树头。请在线路可用时查询一个版本，或用 --cache 提供瓦片"
          : `未采用：没有线路或 --cache 能给出 ${ours} 与它之间的瓦片（${reason}）`;
      case "refused":
        return `已拒绝：${reason}`;
    }
  },
  "sumdb.pin.none": ({ databases }) => `尚未保存树头的数据库：${databases}`,
  "sumdb.pin.columns": () => "\t数据库\t信任文件\t本地\t结果",
  "sumdb.pin.verdict": ({ verdict, ours, reason }) =>
    ({
      agrees: "与这里保存的历史一致",
      ahead: "比本地新，线路已证明",
      "rolled-back":
        ours === ""
          ? `已回退：这里没有保存任何内容，且没有线路能证明信任文件中的树（${reason}）`
          : `已回退：本地较旧，且没有线路能证明信任文件中的树（${reason}）`,
      forked: "分叉：另一套历史。要保留证据并发出告警：granary sumdb heads import FILE",
      unproven: `未证明：无法取得瓦片（${reason}）`,
      unsigned: `不是由其密钥签名的：${reason}`,
      "other-key": "信任文件中的密钥与这里配置的不同",
      unknown: "这里没有配置该数据库（--sumdb）",
    })[verdict],
  "sumdb.pin.good": ({ count }) => `共 ${count} 个树头，全部一致。`,
  "sumdb.pin.bad": ({ count, bad }) => `共 ${count} 个树头，其中 ${bad} 个需要查看。`,
  "sumdb.status": ({ name, keyId, newest, age, serving, records, tiles, bytes, alarms }) =>
    [
      `${name}  密钥 ${keyId}`,
      `  最新树头  ${newest === "" ? "尚无" : `${newest} 条记录${age === "" ? "" : `，${age} 前证明`}`}`,
      `  所供树头  ${serving === "" ? "尚无" : `${serving} 条记录`}`,
      `  已保存    ${records} 条记录，${tiles} 个瓦片（${bytes}）`,
      `  告警      ${alarms.length === 0 ? "无" : `${alarms.join("、")}：不再接受任何新内容（granary sumdb alarms）`}`,
    ].join("\n"),
  "sumdb.status.routes": ({ isRunning }) => (isRunning ? "线路" : "线路（没有服务器在使用此存储：未询问）"),
  "sumdb.status.route": ({ verdict, size, age, reason }) =>
    ({
      agrees: `一致：${size} 条记录，${age} 前`,
      silent: `${age} 前未给出树头：${reason}`,
      refused: `${age} 前被拒绝：${reason}`,
      forked: `${age} 前出现分叉：${reason}`,
      unasked: "尚未比较",
    })[verdict],
  "sumdb.status.none": () => "没有配置校验和数据库：不做任何校验。",
  "sumdb.explain.origin": ({ origin }) =>
    ({
      go: "以此处 `go env` 的输出为准",
      machine: "取自本机的环境变量和 go env 文件；未安装 go",
      given: "以给出的为准；未给出的取 go 的默认值",
    })[origin],
  "sumdb.explain.ignored": ({ names }) => `已设置，但与此无关：${names}`,
  "sumdb.explain.question": ({ question, module }) =>
    ({
      insecure: "GOFLAGS 中有 -insecure 吗？",
      toolchain: "它是工具链吗？",
      off: "GOSUMDB 是 off 吗？",
      pattern: `GONOSUMDB（未设则 GOPRIVATE）匹配 ${module === "" ? "该模块" : module} 吗？`,
      form: "GOSUMDB 的写法正确吗？",
      official: "是官方数据库吗？",
      url: "GOSUMDB 写明了数据库的地址吗？",
      proxy: "GOPROXY 中有代理吗？",
    })[question],
  "sumdb.explain.answer": ({ answer }) => (answer ? "是" : "否"),
  "sumdb.explain.note": ({ question, answer }) => {
    switch (question) {
      case "insecure":
        return "go get 会停止：-insecure flag is no longer supported; use GOINSECURE instead。其他命令不理会它。";
      case "toolchain":
        return "无论 GOSUMDB 和 GONOSUMDB 如何设置，工具链都要校验；GOPROXY 只有一个 file:// URL 时除外。";
      case "official":
        return answer ? "公钥内置于 go。" : "公钥取自 GOSUMDB。";
      case "url":
        return answer ? "不经过任何代理。" : "";
      case "off":
      case "pattern":
      case "form":
      case "proxy":
        return "";
    }
  },
  "sumdb.explain.verified": ({ database, isOfficial }) =>
    `校验，由${isOfficial ? "官方数据库" : "数据库"} ${database} 进行。依次询问：`,
  "sumdb.explain.way": ({ via, next }) => {
    if (via === "direct") return "数据库本身";
    const fails = next === "failure" ? "任何失败都转向下一项" : "404 或 410 转向下一项，其他失败则终止";
    return `若其下的 /supported 回答 200，则一切经由它；${fails}`;
  },
  "sumdb.explain.then": ({ database }) =>
    [
      "go.sum 中已有的哈希直接比对，不询问数据库。否则：",
      `  1. 树头须由该密钥签名，且与 GOPATH/pkg/sumdb/${database}/latest 一致`,
      "  2. 记录须证明在这棵树中，其哈希须与内容相符",
      "  是：写入 go.sum    否：SECURITY ERROR，不构建任何东西",
    ].join("\n"),
  "sumdb.explain.unverified": ({ because }) =>
    ({
      off: "不校验：GOSUMDB 为 off。只比对 go.sum 中已有的；新版本照收。",
      pattern: "不校验：模式表明它是私有的。只比对 go.sum 中已有的。",
      "file-proxy": "不校验：取自单个 file:// 代理的工具链照收。",
    })[because],
  "sumdb.explain.refused": ({ of, sentence, module }) =>
    [
      `go 停止：${module === "" ? "" : `${module}：`}${sentence}`,
      of === "GOPROXY"
        ? "正确写法：https://HOST，多个用逗号分隔，末尾可写 direct"
        : "正确写法：sum.golang.org，或 NAME+HASH+KEY；数据库有自己的地址时，空格后写 URL",
    ].join("\n"),
  "command.sumweb": () => "只提供校验和数据库：可作校验镜像，也可完全离线地提供一个目录。",
  "flag.sumweb-http": () => "监听地址；默认 127.0.0.1:8081",
  "flag.sumweb-addr": () => "与 --http 相同",
  "flag.sumweb-db": () => "含有 key、latest、index 和 tree 的目录；不访问网络，除非用 --sumdb 指定要镜像到其中的数据库",
  "flag.sumweb-cert": () => "TLS 的 PEM 证书链；文件变化后自动重新读取",
  "flag.sumweb-key": () => "证书的 PEM 私钥（用于 TLS，不是数据库的密钥）",
  "command.agent": () => "在开发者的机器上，为 go 的请求附上证书或令牌。",
  "command.agent.setup": () => "打印或安装代理程序的 systemd 单元，以及 go 所需的一行设置。",
  "flag.agent-listen": () => "供本机 go 使用的地址；默认 127.0.0.1:3128",
  "flag.agent-url": () => "公司的 Granary，或其他模块代理",
  "flag.agent-cert": () => "PEM 客户端证书；文件变化后自动重新读取",
  "flag.agent-key": () => "证书的 PEM 私钥",
  "flag.agent-token-file": () => "存放令牌的文件，以 Authorization: Bearer 发送",
  "flag.agent-ca": () => "除本机信任的之外，另外信任的颁发机构 PEM 证书",
  "flag.agent-expose": () => "允许监听本机以外的地址：他人将使用同一凭据",
  "flag.agent-install": () => "把单元写入 ~/.config/systemd/user",
  "agent.setup": ({ unit, file, isInstalled, proxy }) =>
    [
      isInstalled ? `已写入：${file}` : `# ${file}`,
      ...(isInstalled ? [] : [unit.trimEnd()]),
      "",
      "立即启动，并在每次登录时启动：",
      "  systemctl --user daemon-reload",
      "  systemctl --user enable --now granary-agent",
      "让 go 使用它，只需一次：",
      `  go env -w GOPROXY=${proxy}`,
    ].join("\n"),
  "command.modcache": () => "go 的模块缓存：内容、是否完好、清理。",
  "command.modcache.gc": () => "清理最久未用的版本，每个版本整体删除。",
  "command.modcache.info": () => "显示模块缓存的位置和内容。",
  "command.modcache.refresh": () => "重新下载版本，更正有差异的部分。",
  "command.modcache.verify": () => "用缓存自身的哈希、go.sum 和校验和数据库检查缓存。",
  "command.verify": () => "并列显示能证明某个版本的全部依据。",
  "flag.modcache-all": () => "全部版本，与不写名字相同",
  "flag.modcache-dir": () => "使用其他模块缓存，而不是 go 的",
  "flag.modcache-fix": () => "只删除损坏的部分",
  "flag.modcache-keep": () => "保留该 go.sum 中的版本",
  "flag.modcache-max-size": () => "可保留的总量（5GB、500MB）",
  "flag.modcache-module": () => "要重新下载的版本",
  "flag.modcache-offline": () => "不询问任何人，只用 go 保存的记录",
  "flag.modcache-older-than": () => "超过此时间未用的版本会被清理（30d、12h）",
  "flag.modcache-refresh-all": () => "当前 go.mod 需要的全部版本",
  "flag.modcache-sum": () => "用于比较的 go.sum，默认取最近的一个",
  "flag.verify-smoke": () => "用空缓存真实执行一次 go mod download 并计时",
  "flag.verify-timeout": () => "超过此时间则结束下载（120s）",
  "flag.verify-trace": () => "显示对校验和数据库的每个请求",
  "command.token": () => "读取私有模块和管理用的令牌。",
  "command.token.add": () => "创建令牌，内容只显示一次。",
  "command.token.list": () => "列出令牌（不含内容）。",
  "command.token.revoke": () => "吊销令牌。",
  "command.upstream": () => "查看运行中服务器的上游，或停用其中一个。",
  "command.upstream.status": () => "显示各上游的状况，以及最先询问哪一个。",
  "command.upstream.probe": () => "立即探测全部上游。",
  "command.upstream.disable": () => "停用一个上游，直到重新启用。",
  "command.upstream.enable": () => "重新启用一个上游。",
  "command.jobs": () => "失败后正在重试或已放弃的拉取任务。",
  "command.jobs.list": () => "列出等待、运行中和已放弃的任务。",
  "command.jobs.retry": () => "立即重试一个任务。",
  "command.jobs.drop": () => "丢弃一个任务。",
  "command.drill": () => "故障演练，不影响运行中的服务器。",
  "command.drill.upstream": () => "在本机另起一个 Granary，断开其上游，看客户端会受到什么影响。",
  "command.conformance": () => "检验一个模块代理是否符合协议。",
  "command.help": () => "显示命令的帮助。",
  "usage.missing": ({ argument }) => `缺少 ${argument}。`,
  "usage.excess": ({ command }) => `${command} 的参数过多。`,
  "usage.flag-value": ({ flag }) => `${flag} 需要一个值。`,
  "usage.subcommand": ({ command }) => `${command} 需要子命令。`,
  "finding.value": () => "取值",
  "finding.place": () => "位置",
  "finding.seen": () => "所见",
  "finding.address": () => "地址",
  "finding.certificate": () => "证书",
  "finding.times": () => "耗时",
  "finding.hash": () => "哈希",
  "finding.why": () => "原因",
  "finding.advice": () => "处理",
  "finding.fix": () => "修复",
  "finding.more": () => "详见",
  "finding.likely": () => "很可能",
  "finding.possible": () => "有可能",
  "command.env.matrix": () => "文档中的说法与 go 的实际行为对照",
  "flag.about": () => "只看与此有关的说法：GOPROXY、fallback、sumdb、tls……",
  "flag.verdict": () => "只看这些：false、partly、true、unverifiable",
  "matrix.claimed": () => "说法",
  "matrix.counts": (f) =>
    `共 ${f.all} 条说法：${f.false} 条错误，${f.partly} 条部分正确，${f.true} 条正确，${f.unverifiable} 条 go 无法判定。`,
  "matrix.more": () => "出处与证明它的测试：granary explain MYTH_…",
  "matrix.none": () => "没有符合条件的说法。",
  "matrix.so": () => "实情",
  "myth.about": () => "相关",
  "myth.claim": () => "说法",
  "myth.probe": () => "如何确认",
  "myth.shown": () => "证明",
  "myth.truth": () => "实情",
  "myth.unshown": ({ unshown }) =>
    ({
      service: "这里无法证明：说的是某个服务，只能去问它。",
      software: "这里无法证明：说的是别的软件，以其自身的设置为准。",
      registry: "这里无法证明：说的是仓库里有什么，测试不联网。",
      operator: "这里无法证明：说的是由谁运营。",
    })[unshown],
  "myth.verdict": ({ verdict }) =>
    ({ false: "错误", partly: "部分正确", true: "正确", unverifiable: "go 无法判定" })[verdict],
  // gen
  "command.gen": () => "生成 Granary 周边程序的配置。",
  "command.gen.nginx": () => "一个或多个节点前的 nginx，供其 conf.d 使用的文件。",
  "flag.gen-cache": () => "nginx 保存公开回答的目录；不写则 nginx 不保存任何内容",
  "flag.gen-cache-size": () => "其中最多保存多少（默认：10g）",
  "flag.gen-cache-zone": () => "所存内容的键占用的内存（默认：10m，约 8 万个键）",
  "flag.gen-listen": () => "nginx 的监听地址（默认：有证书时 443，否则 80）",
  "flag.gen-nginx": () => "为此版本的 nginx 生成；自 1.25.1 起 HTTP/2 有单独的指令",
  "flag.gen-no-http2": () => "只用 HTTP/1.1，用于途中有设备破坏 HTTP/2 的情形",
  "flag.gen-node": () => "一个节点：HOST:PORT，或 https://HOST:PORT",
  "flag.gen-nodes": () => "节点列表文件，每行一个",
  "flag.gen-node-ca": () => "签发各节点证书的 CA（PEM），用于 https 节点",
  "flag.gen-node-name": () => "节点证书中的名称（默认：服务名）",
  "flag.gen-out": () => "写入的文件；不写则输出到标准输出",
  "flag.gen-server-name": () => "客户端访问所用的名称（默认：localhost）",
  "flag.gen-test": () => "先由本机的 nginx 检查；被拒绝则不写入",
  "flag.gen-tls": () => "hardened：仅 TLS 1.3；compat：也允许 1.2（默认：hardened）",
  "flag.gen-tls-cert": () => "PEM 证书链，nginx 所在机器上的路径",
  "flag.gen-tls-key": () => "证书的 PEM 私钥",
  "gen.no-nodes": () => "nginx 需要一个节点来转发请求",
  "gen.mixed-nodes": () => "节点要么全部为 https://（并给出 --node-ca），要么全部不是",
  "gen.tls-pair": () => "证书与私钥须同时给出",
  "gen.plain": () => "明文 HTTP：途中任何人都能读到内容，令牌也不例外。--tls-cert 与 --tls-key 使其成为 HTTPS。",
  "gen.tested": ({ version }) => `nginx ${version} 接受它（nginx -t）。`,
  "gen.refused": ({ version }) => `nginx ${version} 拒绝它，未写入任何内容。它说：`,
  "gen.untested": () => "未检查：PATH 上没有 nginx。请在有 nginx 的机器上于每次重载前运行 nginx -t。",
  "gen.written": ({ file }) => `已写入：${file}`,
  // explain-error, run, lab
  "command.explain-error": () => "说明 go 的日志含义：先原因，后连带问题。",
  "command.lab": () => "在本机用假代理配合真实的 go 做实验：自己验证。",
  "command.lab.fallback": () => "代理出现各种失败后，逗号和 | 分别会怎样。",
  "command.lab.go111module": () => "GO111MODULE=on、off、auto 的区别：请求与结果。",
  "command.run": () => "运行命令；失败可能会过去时重试：超时、重置、502 至 504。",
  "flag.lab-chain": () => "与 GOPROXY 同形的列表；其中的名字成为假代理",
  "flag.lab-go": () => "另一个 Go 版本，如 1.19.13，由 go 自行下载",
  "flag.lab-responses": () => "列表中各代理的回答：200,404,502,reset,silent…",
  "flag.run-log": () => "把每次尝试以 JSON 行追加到文件",
  "flag.run-retry": () => "最多重试几次（默认：3）",
  "flag.run-stall": () => "某次尝试这么久没有输出就结束它，并算作超时",
  "flag.run-timeout": () => "总时长上限，包括等待（默认：10m）",
  "flag.run-wait": () => "首次重试前的等待，此后每次加倍（默认：2s）",
  "errors.collect": () =>
    "请再收集：go version；granary env provenance；以及\n" +
    "  go mod download -x 2>go.log 的完整输出，HTTP/2 问题另加 GODEBUG=http2debug=1。\n" +
    "  然后：granary explain-error go.log",
  "errors.follows": () => "由上述原因连带产生：",
  "errors.head": ({ causes, lines }) => `读取 ${lines} 行，找到 ${causes} 个原因${causes > 1 ? "，按先后排列" : ""}。`,
  "errors.lines": ({ count }) => (count < 2 ? "" : `（${count} 行）`),
  "errors.none": ({ lines }) => `读取 ${lines} 行，没有认出失败。`,
  "errors.notices": () => "不是失败，但有提示：",
  "errors.reading": () => "正在读取标准输入，按 Ctrl-D 结束。",
  "errors.requests": () => "-x 跟踪中的请求：",
  "errors.request-columns": () => "主机\t请求\t未应答\t最慢\t结果",
  "errors.unknown": ({ count }) => `未认出（${count} 行像是错误）：`,
  "finding.check": () => "验证",
  "lab.chain.head": ({ go }) => `go ${go}，一个模块，代理如下：`,
  "lab.example": ({ answer, separator }) => `回答 ${answer}、其后为 ${separator} 的那次运行`,
  "lab.fallback.columns": () => "第一个的回答\t其后为 ,\t其后为 |",
  "lab.fallback.head": ({ go, runs }) =>
    `go ${go}：在两个假代理前运行 go mod download，共 ${runs} 次。\n第一个出故障，第二个有该模块。`,
  "lab.fallback.legend": () =>
    "继续：go 改问第二个代理并取得模块。\n" +
    "停止：go 报错放弃，没有再问其他代理。\n" +
    "等待：2 秒后 go 仍在等第一个代理，由我们结束；go 没有超时。",
  "lab.gave-up": ({ code, proxy }) => `go 放弃，退出码 ${code}；最后询问的是 ${proxy}。`,
  "lab.got": ({ proxy }) => `go 取得了模块，由 ${proxy} 提供。`,
  "lab.modes.columns": () => "位置\tGO111MODULE\t退出码\t代理\tsumdb\t仓库",
  "lab.modes.example": () => "在模块内、设为 on 时的请求",
  "lab.modes.head": ({ go }) =>
    `go ${go}：对一个模块版本运行 go get；分别统计发往代理、校验和数据库和\n仓库本身的请求。`,
  "lab.outcome": ({ outcome }) => ({ next: "继续", stop: "停止", waits: "等待" })[outcome],
  "lab.place": ({ place }) => (place === "module" ? "模块内" : "无 go.mod"),
  "lab.requests": () => "请求（按顺序）",
  "lab.said": () => "go 的输出",
  "lab.unset": () => "（未设置）",
  "lab.waits": ({ seconds }) => `${seconds} 秒后 go 仍在等待，由我们结束：go 没有超时。`,
  "lab.yes": () => "访问过",
  "run.again": ({ attempt, of, time, code, wait }) =>
    `第 ${attempt}/${of} 次在 ${time} 后失败（${code}，可能会恢复）；${wait} 后重试`,
  "run.lasting": ({ attempt, of, code }) => `第 ${attempt}/${of} 次失败：${code}，重试无用；granary explain ${code}`,
  "run.ok": ({ attempt, of }) => `第 ${attempt}/${of} 次成功`,
  "run.spent": ({ attempt, of, code }) =>
    `第 ${attempt}/${of} 次失败（${code}）；时间或次数已用完；granary explain ${code}`,
  "run.timeout": ({ attempt, of, time }) => `第 ${attempt}/${of} 次运行 ${time} 后被结束：已到 --timeout`,
  "run.unknown": ({ attempt, of }) => `第 ${attempt}/${of} 次失败，不属于已知可恢复的失败；不再重试`,
  "command.doctor": () => "查明这里 `go get` 失败的原因和修复办法。",
  "doctor.asked": () => "请求",
  "doctor.broken": ({ reason }) => `此项检查自身出错，是 granary 的缺陷：${reason}`,
  "doctor.broken-verdict": ({ failures, warnings, time, check, title }) =>
    `${failures} 个故障、${warnings} 个警告，用时 ${time}。原因在第 ${check} 项：${title}。`,
  "doctor.by-hand": () => "以下需要你自己执行：",
  "doctor.checks": ({ checks }) => `${checks} 项检查`,
  "doctor.confirm": () => "现在修改吗？[y/N] ",
  "doctor.healthy": ({ time }) => `未发现问题，用时 ${time}。本机可以正常构建。`,
  "doctor.partly": ({ time }) => `已检查的部分未发现问题，用时 ${time}。`,
  "doctor.mended": ({ code, detail }) => `已完成：${code} ${detail}`,
  "doctor.module": ({ module }) => `模块 ${module}`,
  "doctor.no-go": ({ platform }) => `没有 go 命令，${platform}`,
  "doctor.not-looked-at": ({ checks }) => `未做的检查：${checks} 项。`,
  "doctor.not-mended": ({ code, detail }) => `失败：${code} ${detail}`,
  "doctor.nothing-to-mend": () => "没有可用命令修复的问题。",
  "doctor.progress": ({ checks }) => `正在检查：${checks} …`,
  "doctor.repairs": ({ repairs }) => `granary doctor --fix 可列出修复：${repairs} 项。`,
  "doctor.shaky": ({ warnings, time, check, title }) =>
    `${warnings} 个警告，用时 ${time}。先看第 ${check} 项：${title}。`,
  "doctor.skip-budget": () => "未开始：时间已到（--timeout）",
  "doctor.skip-cut": () => "被中断：时间已到（--timeout）",
  "doctor.skip-offline": () => "已跳过（--offline）",
  "doctor.unchanged": () => "未做任何修改。",
  "doctor.unknown": ({ time }) => `未发现问题，用时 ${time}，但有些检查未能进行。`,
  "doctor.would-mend": () => "将做如下修改：",
  "flag.doctor-fail-on": () => "从哪一级起退出码为 1：fail、warn 或 never（fail）",
  "flag.doctor-fix": () => "列出修复内容，询问，备份，再修改",
  "flag.doctor-format": () => "text、json、sarif、junit 或 github（text）",
  "flag.doctor-list": () => "列出检查项",
  "flag.doctor-module": () => "改用此模块探测，而不是当前 go.mod 中的",
  "flag.doctor-offline": () => "不访问任何主机，需要联网的检查跳过",
  "flag.doctor-quick": () => "只做六项检查，外加构建列表",
  "flag.doctor-share": () => "隐去凭据、主机名、用户名和目录",
  "flag.doctor-skip": () => "跳过某项检查或某组，用名称或编号",
  "flag.doctor-timeout": () => "所有检查的总时限（20s）",
  "flag.doctor-verbose": () => "显示看到和请求的一切",
  "flag.yes": () => "不再询问",
  "command.fix": () => "某类问题有哪些办法，哪些已就绪。",
  "command.fix.timeout": () => "超时：等待从何而来，七种办法还缺哪些。",
  "flag.fix-apply": () => "列出缺少的设置，询问后修改",
  "flag.doctor-only": () => "只运行此检查或分组，与参数写法相同",
  "explain.cause": () => "原因",
  "explain.remedy": () => "处理",
  "explain.request": ({ id, at, target }) => `请求 ${id}，${at}：${target}`,
  "flag.from": () => "要读取的 go.mod 或 go.work；省略时为 ./go.mod",
  "flag.from-any": () => "go.mod、go.work、go.sum、每行一个 path@version 的列表、代理布局的目录，或 top:N",
  "flag.all-modules": () => "构建列表中的全部模块，而不只是 go mod download 会取的",
  "flag.sizes": () => "向已配置的上游询问未保存的 zip 有多大",
  "flag.jobs": () => "同时的请求数，1 到 256；省略时为 16",
  "flag.platform": () => "同时包含 go 与 toolchain 行所指的工具链，适用于该平台：linux/amd64",
  "flag.of": () => "top:N 以哪台服务器的统计为准；省略时为被填充的服务器",
  "command.plan": () => "说明一个 go.mod 会取什么、从哪里取、已保存多少。",
  "command.publish": () => "由标签或文件夹生成模块版本，交给运行中的服务器。",
  "flag.publish-version": () => "文件夹的版本：vX.Y.Z",
  "flag.module": () => "必须是此模块路径；没有 go.mod 时必填",
  "flag.repo": () => "标签所在的仓库；省略时为当前所在仓库",
  "flag.publish-dry": () => "显示文件、哈希和略去的内容，不发送",
  "publish.from-tag": ({ tag, commit, dir }) => `来自标签 ${tag}（提交 ${commit}${dir === "" ? "" : `，目录 ${dir}`}）`,
  "publish.from-folder": ({ folder }) => `来自文件夹 ${folder}`,
  "publish.files": ({ count, bytes, zip }) => `${count} 个文件，${bytes}；zip 为 ${zip}`,
  "publish.omitted": ({ count }) => `与 go 一样略去（${count}）：`,
  "publish.omission": ({ reason }) =>
    ({
      vendored: "位于 vendor 目录",
      "nested-module": "属于另一个模块",
      "hg-archival": "由 hg archive 生成",
      symlink: "符号链接",
      irregular: "不是普通文件",
      repository: "属于版本控制系统",
    })[reason],
  "publish.refused": ({ count }) => `未发布，go 会拒绝（${count}）：`,
  "publish.all-files": () => "全部文件",
  "publish.more": ({ count }) => `……另有 ${count} 项；--json 列出全部`,
  "publish.converted": () =>
    ".gitattributes 改变了 zip 中的 go.mod：GOPROXY=direct 的 go 会得到另一个哈希。请排除它：go.mod -text -eol",
  "publish.sending": ({ bytes, server }) => `正在向 ${server} 发送 ${bytes} ……`,
  "publish.dry": ({ server }) => `没有发送（--dry-run）。目标为 ${server}`,
  "publish.done": ({ outcome, server }) =>
    outcome === "new" ? `已发布：${server} 已保存。` : `无需发布：${server} 已有完全相同的内容。`,
  "publish.not": ({ outcome, server }) =>
    outcome === "conflict"
      ? `未发布：${server} 中此版本的内容不同。请改为发布下一个版本。`
      : `未发布：${server} 拒绝此 zip。`,
  "publish.usage-version": () => "文件夹需要版本",
  "publish.usage-tag-only": () => "--repo 用于标签，--version 用于文件夹",
  "command.prewarm": () => "让运行中的服务器预先取回、校验并保存构建所需的内容。",
  "plan.head": ({ names, zips, mods }) => `${names}：要取 ${zips} 个 zip，要读 ${mods} 个 go.mod`,
  "plan.kept": ({ zips, bytes }) => `已保存\t${zips} 个 zip，${bytes}`,
  "plan.missing": ({ zips, bytes, unknown }) =>
    `缺少\t${zips} 个 zip，${unknown === "" ? bytes : unknown === zips ? "大小未知" : `至少 ${bytes}（${unknown} 个大小未知）`}`,
  "plan.mods": ({ mods, kept, bytes }) => `go.mod\t${mods} 个，${bytes}；其中 ${kept} 个此前已保存`,
  "plan.directories": ({ count }) => `替换\t${count} 个由目录替换，无需获取`,
  "plan.from": ({ upstreams, mode }) =>
    upstreams.length === 0 ? "来源：无（服务器没有上游）" : `来源：${upstreams.join(" → ")}（模式 ${mode}）`,
  "plan.next": ({ from }) => `现在就填充存储：granary prewarm --from ${from}`,
  "plan.ready": () => "全部已保存：此次构建不需要上游。",
  "plan.working": ({ phase, done }) => `${phase === "graph" ? "正在读取 go.mod" : "正在查找 zip"}：${done}`,
  "flag.scenario": () => "primary-down（主上游故障，剩一个）或 both-down（主上游和区域上游故障，剩最后一个）",
  "flag.fault": () => "故障方式：refused（拒绝连接）、silent（不应答）、503 或 reset（断开连接）；省略时为 refused",
  "flag.requests": () => "故障前与故障中各发多少个请求，10 到 600；省略时为 200",
  "flag.distance": () => "各上游应答所需的毫秒数，0 到 1000；省略时为 20",
  "drill.head": (f) =>
    `${f.scenario}，故障 ${f.fault}：每阶段 ${f.requests} 个未命中的请求，每 ${f.pace} 一个；上游 ${f.distance} 应答`,
  "drill.settings": ({ mode, silence, hedge, probe }) =>
    `生效设置：模式 ${mode}，静默 ${silence}，对冲${hedge ? "开" : "关"}，${probe === "" ? "不探测" : `每 ${probe} 探测`}`,
  "drill.too-few": ({ configured, drilled }) =>
    `你的列表有 ${configured} 个上游，演练用了 ${drilled} 个：以下结果说明引擎的能力，你的列表还达不到。`,
  "drill.columns": () => "阶段\t请求\t失败\t平均\tP50\tP95\t增加\t由谁提供",
  "drill.phase": ({ phase }) => drillPhases[phase],
  "drill.working": ({ phase, done, total }) =>
    `${drillPhases[phase]}：已应答 ${done}${total === "" ? "" : `/${total}`}`,
  "drill.stop-hint": () => "按 Ctrl-C 停止，不留下任何东西。",
  "drill.switch": ({ time }) => `切换\t${time}\t从故障到另一上游首次应答`,
  "drill.avoided": ({ time, primary }) => `熔断\t${time}\t从故障到不再询问 ${primary}`,
  "drill.recovered": ({ time, primary }) => `恢复\t${time}\t从恢复应答到 ${primary} 重新提供内容`,
  "drill.reached": ({ added, target, primary }) =>
    `达标：平均 ${added}（上限 +${target}），没有请求失败，${primary} 已重新提供内容。`,
  "drill.missed": ({ reasons }) => `未达标：${reasons.join("；")}。`,
  "drill.unsteady": () => "正常阶段耗时起伏过大：本机正忙于别的工作，各项时间意义不大，请空闲时再演练。",
  "drill.no-normal": () => "正常阶段本身就不正常，其余数据意义不大",
  "drill.failures": ({ failures, requests, first }) => `${requests} 个请求中有 ${failures} 个失败（首个：${first}）`,
  "drill.slow": ({ added, target }) => `平均 ${added}（上限 +${target}）`,
  "drill.not-recovered": ({ limit, primary }) => `${primary} 恢复应答后 ${limit} 内仍未提供内容`,
  "fetch.unreadable": ({ what }) => `go 会停在这里：取不到它的 go.mod，或其中写的是另一个模块：${what}`,
  "fetch.cut-short": () => "模块图超出 Granary 读取的上限，这里只是其中一部分。",
  "fetch.failures": ({ count }) => `${count} 项未能取得：`,
  "prewarm.stop-hint": () => "按 Ctrl-C 停止，已保存的内容会保留。",
  "prewarm.working": (f) =>
    f.phase === "sample"
      ? `再次请求：${f.done}/${f.total}`
      : f.phase === "graph"
        ? `正在读取 go.mod：${f.done} 个，${f.bytes}`
        : `${f.done}/${f.total} 个文件，${f.bytes}，${f.rate}/s，还需 ${f.left}`,
  "prewarm.done": ({ files, server, bytes, time, interrupted }) =>
    `向 ${server} 请求了 ${files} 个文件，${bytes}，用时 ${time}${interrupted ? "；中途停止" : ""}`,
  "prewarm.columns": () => "\t回答\t命中\tP95",
  "prewarm.before": () => "本次",
  "prewarm.after": () => "再次请求",
  "store.stats": (f) =>
    [
      `存储       ${f.dir}`,
      `模块       ${f.modules}`,
      `版本       ${f.versions}（${f.zips} 个有 zip${f.evicted === undefined ? "" : `，${f.evicted} 个已让出空间`}）`,
      `记录       ${f.records}`,
      `大小       ${f.bytes}`,
    ].join("\n"),
  "store.verifying": ({ checked, bytes }) => `正在核对：${checked} 个文件，${bytes}`,
  "storecheck.place": ({ kind, where }) => (kind === "disk" ? `磁盘上的存储：${where}` : `存储桶中的存储：${where}`),
  "storecheck.passed": ({ what }) =>
    ({
      list: "可以访问，存储桶存在且可列举",
      write: "可写",
      read: "可读，且立即看到刚写入的内容",
      create: "创建从不覆盖",
      parts: "分块创建也不覆盖",
      stale: "已变化的内容拒绝被替换",
      replace: "未变化的内容可以替换",
      link: "签名 URL 可访问",
      versioning: "可查询是否保留版本",
      remove: "可删除，且立即可见",
      recreate: "已删除的内容可重新创建",
      revive: "已删除的内容不能被替换",
      writable: "可写，且支持硬链接",
      fsync: "支持 fsync",
      space: "空间充足",
      layout: "布局为当前版本",
    })[what],
  "storecheck.sound": () => "没有问题。",
  "storecheck.found": ({ count }) => `待处理：${count} 项。`,
  "store.sound": ({ checked, bytes }) => `${checked} 个文件，${bytes}：全部与记录一致。`,
  "store.damaged": ({ checked, findings }) =>
    `${checked} 个文件，${findings} 个与记录不符。再次请求时 Granary 会从上游修复。`,
  "list.more": ({ more }) => `……另有 ${more} 项，见 --json`,
  "gc.running": ({ evicted, freed }) => `正在腾出空间：${evicted} 个版本，${freed}`,
  "gc.columns": () => "版本\t大小\t原因\t最近使用",
  "gc.reason": ({ reason }) => (reason === "age" ? "闲置" : "超量"),
  "gc.done": ({ isDryRun, evicted, freed, left, spared, over }) =>
    [
      isDryRun
        ? `将有 ${evicted} 个版本离开，${freed}；留下 ${left}。未做任何改动。`
        : `${evicted} 个版本已离开，${freed}；留下 ${left}。`,
      ...(spared === undefined ? [] : [`另有 ${spared} 个因被固定或属私有而留下。`]),
      ...(over === undefined ? [] : [`仍超出 ${over}：被固定，或是私有模块（--private）。`]),
    ].join("\n"),
  "fsck.running": ({ versions, bytes }) => `正在检查：${versions} 个版本，已读 ${bytes}`,
  "fsck.kind": ({ kind }) => fsckKinds[kind],
  "fsck.mended": ({ isMended, repairs }) => (!isMended ? "需人工" : repairs ? "已修复" : "可修复"),
  "fsck.done": ({ versions, evicted, bytes, findings, left, repairs, indexed }) =>
    [
      `${versions} 个版本${evicted === undefined ? "" : `（${evicted} 个已离开）`}${bytes === undefined ? "" : `，已读 ${bytes}`}：${
        findings === undefined
          ? "一切正常。"
          : left === undefined
            ? `${findings} 个问题，均已修复。`
            : repairs
              ? `${findings} 个问题，${left} 个需人工处理，见 docs/operate.md。`
              : `${findings} 个问题。修复可修复的：granary store fsck --repair`
      }`,
      ...(indexed === undefined ? [] : [`索引已重建：${indexed} 个版本。`]),
    ].join("\n"),
  "scrub.done": ({ versions, bytes, damaged }) =>
    damaged === undefined
      ? `${versions} 个版本，已读 ${bytes}：均与提交时一致。`
      : `${versions} 个版本，已读 ${bytes}：${damaged} 个损坏。服务器会重新获取；或运行：granary store fsck --deep --repair`,
  "migrate.running": ({ done }) => `正在建立索引：${done} 个版本`,
  "migrate.done": ({ from, to, steps, isDryRun }) =>
    steps.length === 0
      ? `存储布局为 ${to}，是此 Granary 所知的最新布局。`
      : isDryRun
        ? `待办：${steps.map((step) => (step === "index" ? "为全部版本建立索引" : `布局 ${from} 升级到 ${to}`)).join("、")}。未做任何改动。`
        : `布局 ${to}${from === to ? "" : `（原为 ${from}；旧版 Granary 不再打开此存储）`}。全部版本已建立索引。`,
  "move.running": ({ versions, files, bytes, same }) =>
    `${versions} 个版本：已复制 ${files} 个文件，${bytes}；${same} 个已存在`,
  "move.done": (f) =>
    [
      `来源       ${f.from}，${f.wasInterrupted ? "目前 " : ""}${f.versions} 个版本`,
      `目标       ${f.to}`,
      `${f.isDry ? "将复制     " : "已复制     "}${f.files} 个文件，${f.bytes}${f.isDry ? "" : `，用时 ${f.time}`}；已存在 ${f.same}`,
      ...(f.isDry ? [] : [`已回读     ${f.verified}：一致`]),
      ...(f.wasInterrupted ? ["已停止。已复制的内容保留；再次运行即可继续。"] : []),
    ].join("\n"),
  "move.log": ({ name, is, size, kept, reason }) => {
    const said = {
      restore: `${size} 条记录`,
      kept: `目标有 ${kept} 条记录，来源有其中 ${size} 条；目标保持不变`,
      behind: `未复制：密钥签过的记录多于来源的 ${size} 条`,
      fork: `未复制，目标是另一份日志：${reason}`,
      unsound: `未复制，日志不完好：${reason}`,
      keyless: "未复制：未提供其密钥（--sumlog-key FILE）",
    };
    return `自有日志   ${name}：${said[is]}`;
  },
  "move.finding": ({ is }) =>
    ({ conflict: "目标中是不同内容", damaged: "来源中已损坏", unverified: "回读内容不同" })[is],
  "move.handed-over": ({ dir, to }) => `此后 ${dir} 存放本节点对 ${to} 的副本；可用它启动服务器。`,
  "move.findings": ({ findings }) => `${findings} 个问题。目标保持原有内容，损坏的内容没有复制，其余均已就位。`,
  "rollback.done": ({ what, from }) =>
    from === "sound"
      ? `${what} 完好：字节与最初提交的一致。`
      : `${what} 已恢复最初的字节，来自${from === "file" ? "所给文件" : "隔离区"}。`,
  "hot.columns": () => "版本\t使用次数\t大小\t最近使用",
  "hot.none": () => "尚无使用记录，或索引刚建立。",
  "pin.added": ({ id, from, versions }) =>
    versions === "0" ? `已固定，编号 ${id}：${from}` : `已固定，编号 ${id}：${from}，${versions} 个版本`,
  "pin.none": () => "没有固定的内容。",
  "pin.columns": () => "编号\t起始\t版本数\t来源",
  "pin.pattern": () => "模式",
  "pin.removed": ({ id }) => `已删除固定项 ${id}。`,
  "command.store.import": () => "把其他工具已有的内容导入存储，逐一校验。",
  "command.store.export": () => "把已保存的版本连同证明写成普通的 file:// GOPROXY 目录。",
  "flag.import-layout": () => "gomodcache、goproxy、athens 或 file；省略时自动识别",
  "flag.import-dry-run": () => "不保存，只说明会尝试什么",
  "flag.export-from": () => "导出此 go.sum 列出的内容",
  "import.stop-hint": () => "按 Ctrl-C 停止；已保存的内容会保留，下次导入从此处继续。",
  "import.working": ({ done, total, bytes, rejected, left }) =>
    `${done}/${total} 个版本，${bytes}，拒绝 ${rejected} 个，剩余 ${left}`,
  "import.head": ({ dir, layout, store, dryRun }) =>
    `${dir}（${layout}）→ ${store}${dryRun ? "   试运行，不保存" : ""}`,
  "import.counts": (f) =>
    [
      `找到       ${f.found} 个版本`,
      `${f.dryRun ? "将尝试" : "已导入"}     ${f.imported} 个，${f.bytes}`,
      `已有       ${f.kept} 个，内容相同`,
      `无法证明   ${f.unproven} 个`,
      `拒绝       ${f.rejected} 个`,
      `用时       ${f.time}`,
    ].join("\n"),
  "import.interrupted": () => "中途停止，下次导入从此处继续。",
  "import.unproven": ({ count }) => `${count} 个未保存：目前无法证明其内容，或验证命令未给出结论。请稍后再次导入：`,
  "import.rejected": ({ count }) => `拒绝 ${count} 个：`,
  "import.more": ({ count }) => `另有 ${count} 个`,
  "import.why": ({ why, reason }) => importRefusals[why] ?? (reason === "" ? "无法读取" : reason),
  "export.working": ({ versions, bytes }) => `正在导出：${versions} 个版本，${bytes}`,
  "export.done": (f) =>
    [
      `${f.dir}：${f.versions} 个版本，其中 ${f.zips} 个含 zip；写入 ${f.written} 个文件（${f.bytes}），${f.same} 个已存在。`,
      ...(f.interrupted ? ["中途停止，下次导出从此处继续。"] : []),
      `用法       GOPROXY=${f.url}`,
    ].join("\n"),
  "export.left-out": ({ count }) => `未导出 ${count} 个：`,
  "export.why": ({ why, reason }) => (why === "damaged" ? `已损坏：${reason}` : `无法证明：${reason}`),
  "export.missing": ({ count }) => `${count} 个未保存：`,
  "command.store.snapshot": () => "把存储复制到快照目录，可与服务器同时运行；只复制有变化的内容。",
  "command.store.snapshots": () => "列出目录中的快照。",
  "command.store.restore": () => "恢复快照；存储已提交的内容保持不变。",
  "command.store.defrag": () => "删除空目录，以及未完成的进程和提交留下的文件。",
  "flag.move-to": () => "将存储复制到 `s3`（配置中的存储桶）或 `disk`（--store 的目录）",
  "flag.move-rate": () => "每秒读取的字节数，如 20MB；不写则不限",
  "flag.move-jobs": () => "同时处理的版本数，1 到 64；省略时为 8",
  "flag.move-no-verify": () => "不回读已写入的内容",
  "flag.move-deep": () => "目标中原有的内容也回读，并修复其中损坏的",
  "flag.move-hand-over": () => "最后一次运行，服务器须已停止：此后 --store 存放本节点的存储桶副本",
  "flag.snapshot-deep": () => "全部重新读取，包括看似未变的文件和目录中已有的内容",
  "flag.snapshot-keep": () => "保留最新的 N 个快照，删除更旧的快照和仅它们需要的内容",
  "flag.restore-snapshot": () => "恢复哪个快照；默认最新",
  "flag.restore-dry": () => "只说明将恢复什么，不做改动",
  "flag.restore-state": () => "同时替换存储中已有的令牌、固定的哈希等状态文件",
  "flag.defrag-dry": () => "只说明将删除什么，不做改动",
  "snapshot.copying": ({ files, bytes, unchanged }) => `已读取 ${files} 个文件，${bytes}；${unchanged} 个未变`,
  "snapshot.taken": (f) =>
    [
      `快照       ${f.id}，位于 ${f.dir}`,
      `内容       ${f.versions} 个版本，${f.files} 个文件，${f.bytes}`,
      `读取       ${f.read}；未变 ${f.unchanged}`,
      `写入       ${f.written}，用时 ${f.time}`,
      ...f.logs.map(({ name, size }) => `自有日志   ${name}，${size} 条记录`),
    ].join("\n"),
  "snapshot.pruned": ({ snapshots, objects, bytes }) => `已删除     ${snapshots} 个快照，${objects} 个对象，${bytes}`,
  "snapshot.unpruned": ({ problem }) => `除快照外未删除任何内容：${problem}。请删除该快照的文件。`,
  "snapshot.finding": ({ is }) => ({ missing: "未包含", asBefore: "沿用上一个快照", index: "快照已损坏" })[is],
  "snapshot.findings": ({ findings }) =>
    `${findings} 个问题：存储中的这些内容已损坏，见 granary store verify。其余内容均在快照中。`,
  "snapshots.none": ({ dir }) => `${dir} 中没有快照。`,
  "snapshots.columns": () => "编号\t时间（UTC）\t版本\t文件\t大小\t问题",
  "snapshots.damaged": ({ problem }) => `已损坏：${problem}`,
  "restore.writing": ({ files, bytes, same }) => `已恢复 ${files} 个文件，${bytes}；${same} 个已存在`,
  "restore.done": (f) =>
    [
      `快照       ${f.id}，${f.versions} 个版本`,
      `存储       ${f.store}`,
      `${f.isDry ? "将恢复     " : "已恢复     "}${f.files} 个文件，${f.bytes}${f.isDry ? "" : `，用时 ${f.time}`}；已存在 ${f.same}`,
    ].join("\n"),
  "restore.log": ({ name, is, size, isDry }) =>
    `自有日志   ${name}：${
      is === "failed"
        ? "未恢复"
        : is === "kept"
          ? `存储中的记录多于快照的 ${size} 条，保持不变`
          : `${isDry ? "将有 " : ""}${size} 条记录`
    }`,
  "restore.forgotten": ({ name, size }) =>
    `${name} 的密钥旁边没有记住的树头。如果它曾签过多于 ${size} 条的记录，请勿启动服务器。`,
  "restore.finding": ({ is }) => ({ otherBytes: "存储已提交不同内容", damaged: "快照中已损坏" })[is],
  "restore.findings": ({ findings }) =>
    `${findings} 个问题，均未改动：存储保持已提交的内容，快照中损坏的内容没有复制。`,
  "restore.next": () => "下一步：granary store verify",
  "defrag.done": (f) =>
    [
      `存储           ${f.store}`,
      `未完成的提交   ${f.uncommitted}`,
      `临时文件       ${f.temps}`,
      `空目录         ${f.folders}`,
      `索引           ${f.index}`,
      f.isDry ? "未删除任何内容。不带 --dry-run 时才会删除。" : "已删除。",
    ].join("\n"),
  "defrag.heap": ({ count, bytes }) => `${count} 个文件，${bytes}`,
  "defrag.waiting": ({ count, bytes }) =>
    `服务器占用存储期间，保留 ${count} 个未完成提交的文件（${bytes}）：请停止服务器后再运行。`,
  "held.done": ({ what, isNew }) => (isNew ? `已扣留 ${what}：运行中的服务器会在数秒内拒绝它。` : `${what} 已被扣留。`),
  "held.freed": ({ what }) => `已解除对 ${what} 的扣留。`,
  "held.none": () => "没有被扣留的版本。",
  "held.columns": () => "版本\t时间\t原因",
  "quarantine.none": () => "隔离区为空。",
  "quarantine.columns": () => "编号\t模块\t上游\t大小\t时间\t原因",
  "quarantine.released": ({ what }) => `${what} 已重新校验并保存。`,
  "command.hashes.repacked": () => "允许已清除的版本以另一个 zip 恢复，文件须相同。",
  "hashes.repacked": ({ what }) => `${what}：将接受下一个 h1 相同的 zip。`,
  "hashes.none": () => "没有固定的哈希。",
  "hashes.forgotten": ({ what, count }) => `${what}：已取消 ${count} 个固定的哈希。下次见到的内容将被固定。`,
  "sumdb.key": ({ name, verifierKey, file }) =>
    `签名密钥：${file}。请保密并备份：它就是这个数据库。\n客户端凭校验密钥信任 ${name}：\n\n  ${verifierKey}\n\n下一步：granary serve --sumlog-key ${file}`,
  "sumdb.client": ({ verifierKey, proxy, patterns }) =>
    `go env -w GOPROXY=${proxy}\ngo env -w GOSUMDB=${verifierKey}\ngo env -u GONOSUMDB GOPRIVATE\n\n${
      patterns === ""
        ? "公共模块和工具链也由此数据库校验。"
        : `私有模块（${patterns}）、公共模块和工具链都由此数据库校验。`
    }\n客户端若把私有模块写入 GOPRIVATE，就既不会询问本服务器，也不会校验它们。`,
  "sumdb.fsck": ({ name, size, tiles, problems }) =>
    `${name}：${size} 条记录，${tiles} 个完整瓦片，${problems === 0 ? "全部完好" : `${problems} 个问题`}`,
  "token.added": ({ id, scope, text }) => `${text}\n\n令牌 ${id}（${scope}）。内容只显示这一次，请像密码一样保管。`,
  "token.none": () => "没有令牌。",
  "token.revoked": ({ id }) => `令牌 ${id} 已吊销。`,
  "upstream.columns": () => "名称\t状态\t级别\tP50\tP95\t错误率\t最近探测",
  "upstream.active": ({ level }) => `${level} 当前`,
  "upstream.role": ({ role }) => ({ canary: "灰度", shadow: "影子" })[role],
  "upstream.condition": ({ condition }) => conditions[condition],
  "upstream.probed": ({ ok, ms, reason }) => (ok ? `${ms} 应答` : reason),
  "upstream.none": () => "未配置上游：只提供已保存的内容。",
  "upstream.all-well": ({ active }) => `全部可用；最先询问 ${active}。`,
  "upstream.some-away": ({ active, away }) => `最先询问 ${active}；暂不询问：${away.join("、")}。`,
  "upstream.all-away": () => "目前没有可用的上游：只提供已保存的内容。",
  "upstream.all-disabled": ({ name }) =>
    `已全部停用：只提供已保存的内容。启用其中一个：granary upstream enable ${name}`,
  "upstream.disabled": ({ name }) => `${name} 已停用，直到重新启用；重启服务器不会改变这一点。`,
  "upstream.enabled": ({ name }) => `${name} 已重新启用。`,
  "upstream.answered": ({ answered, asked }) => `${asked} 个上游中有 ${answered} 个应答。`,
  "jobs.columns": () => "编号\t状态\t次数\t时间\t内容",
  "jobs.state": ({ state }) => jobStates[state],
  "jobs.none": () => "没有等待重试的任务，也没有已放弃的任务。",
  "jobs.busy": ({ busy }) => `${busy} 个任务会自动重试，无需处理。`,
  "jobs.dead": ({ dead, busy }) =>
    `${dead} 个已放弃，${busy} 个会自动重试。\n下一步：granary jobs retry ID，或 granary jobs drop ID`,
  "jobs.retried": ({ id }) => `${id} 正在重试；结果见 granary jobs。`,
  "jobs.dropped": ({ id }) => `${id} 已丢弃。`,
};
