// What can be wrong with a module cache, and with a version that lies in it (`modcache verify`, `verify`).

import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";

type What = { readonly what: string };
type Counted = { readonly count: number };

export const cacheFindings = {
  CACHE_ZIP_CHANGED: kind<What>("fail", "modcache.md#verify", {
    en: {
      title: ({ what }) => `the zip of ${what} is not the one that was downloaded`,
      why: "Beside each zip go keeps its hash (.ziphash). The zip has another one now, so something has changed it since: a bad disk, a cut-off copy, a cleaner.",
      advice: "Remove the zip; go downloads it again when it needs it.",
    },
    "zh-CN": {
      title: ({ what }) => `${what} 的 zip 与下载时不同`,
      why: "go 在每个 zip 旁边保存其哈希（.ziphash）。现在两者不一致，说明下载之后 zip 被改动过：磁盘损坏、拷贝中断或清理工具所致。",
      advice: "删除该 zip，go 需要时会重新下载。",
    },
  }),
  CACHE_ZIP_BROKEN: kind<What>("fail", "modcache.md#verify", {
    en: {
      title: ({ what }) => `the zip of ${what} is not a module zip that go takes`,
      why: "It is cut off, or breaks the rules for module zips. While a .ziphash stands beside it go does not download it again.",
      advice: "Remove the zip and its hash; go downloads it again when it needs it.",
    },
    "zh-CN": {
      title: ({ what }) => `${what} 的 zip 不是 go 可接受的模块 zip`,
      why: "文件被截断，或违反模块 zip 的规则。只要旁边有 .ziphash，go 就不会重新下载。",
      advice: "删除该 zip 及其哈希，go 需要时会重新下载。",
    },
  }),
  CACHE_ZIPHASH_WRONG: kind<What>("fail", "modcache.md#verify", {
    en: {
      title: ({ what }) => `the .ziphash of ${what} is not the hash of its zip`,
      why: "The zip is the recorded one, its noted hash is not. go compares go.sum with the noted hash, so builds stop with a checksum mismatch for good bytes.",
      advice: "Remove the .ziphash; go hashes the zip again, without the network.",
    },
    "zh-CN": {
      title: ({ what }) => `${what} 的 .ziphash 不是其 zip 的哈希`,
      why: "zip 与记录一致，旁边记下的哈希却不对。go 用后者与 go.sum 比较，因此内容没有问题也会报 checksum mismatch。",
      advice: "删除 .ziphash，go 会重新计算，无需联网。",
    },
  }),
  CACHE_ZIPHASH_FORM: kind<What & { readonly reason: string }>("warn", "modcache.md#verify", {
    en: {
      title: ({ what, reason }) => `the .ziphash of ${what} is malformed: ${reason}`,
      why: "A .ziphash is `h1:` and 44 characters, 47 bytes without a newline. A write was cut off, or an editor was at it; go makes it anew from the zip.",
    },
    "zh-CN": {
      title: ({ what, reason }) => `${what} 的 .ziphash 格式不对：${reason}`,
      why: ".ziphash 是 `h1:` 加 44 个字符，共 47 字节，没有换行。可能是写入中断或被编辑过；go 会根据 zip 重新生成。",
    },
  }),
  CACHE_TREE_CHANGED: kind<What>("fail", "modcache.md#verify", {
    en: {
      title: ({ what }) => `the extracted files of ${what} were changed`,
      why: "Builds read these files and go does not check them again: what was edited, added or lost there is in every program built on this machine.",
      advice: "Remove the folder; go extracts it again from the zip, without the network.",
    },
    "zh-CN": {
      title: ({ what }) => `${what} 解压后的文件被改动过`,
      why: "构建直接读取这些文件，go 不会再次校验：在这里改过、添加或丢失的内容会进入本机构建的每个程序。",
      advice: "删除该目录，go 会从 zip 重新解压，无需联网。",
    },
  }),
  CACHE_GOSUM_MISMATCH: kind<What & { readonly file: string }>("fail", "modcache.md#poisoned", {
    en: {
      title: ({ what, file }) => `${what} in the cache is not what ${file} has`,
      why: "Zip and noted hash agree with each other and not with go.sum: the bytes were other ones from the start, or both were replaced. go stops with a SECURITY ERROR.",
      advice:
        "Remove it and download it from another proxy. If that one brings the same bytes, find out who changed go.sum.",
    },
    "zh-CN": {
      title: ({ what, file }) => `缓存中的 ${what} 与 ${file} 不符`,
      why: "zip 与旁边的哈希一致，却与 go.sum 不符：内容从一开始就不同，或两者都被替换。go 会以 SECURITY ERROR 停止。",
      advice: "删除后换一个代理重新下载；若内容仍相同，请查明是谁改了 go.sum。",
    },
  }),
  CACHE_SUMDB_MISMATCH: kind<What & { readonly database: string }>("fail", "modcache.md#poisoned", {
    en: {
      title: ({ what, database }) => `${what} in the cache is not what ${database} recorded`,
      why: "The checksum database has one record of each version, for everybody. go asks it only while go.sum has no line, so wrong bytes may lie in a cache unnoticed.",
      advice: "Remove it, find out which proxy gave it, and keep GOSUMDB on.",
    },
    "zh-CN": {
      title: ({ what, database }) => `缓存中的 ${what} 与 ${database} 的记录不符`,
      why: "校验和数据库对每个版本只有一条记录，对所有人相同。go 只在 go.sum 没有该行时才查询，因此错误内容可能一直留在缓存里。",
      advice: "删除它，查明来自哪个代理，并保持 GOSUMDB 开启。",
    },
  }),
  CACHE_GOSUM_UNLIKE_SUMDB: kind<What & { readonly file: string; readonly database: string }>(
    "fail",
    "modcache.md#poisoned",
    {
      en: {
        title: ({ what, file, database }) => `${file} has another hash of ${what} than ${database}`,
        why: "go trusts go.sum and does not ask the database about what is in it. Whoever wrote the line got other bytes than the rest of the world.",
        advice: "Look who changed the line. Remove it, and let go write it again with GOSUMDB on.",
      },
      "zh-CN": {
        title: ({ what, file, database }) => `${file} 中 ${what} 的哈希与 ${database} 不同`,
        why: "go 信任 go.sum，其中已有的行不再查询数据库。写入该行的人得到的内容与其他人不同。",
        advice: "查明是谁改了这一行；删除它，在 GOSUMDB 开启时让 go 重新写入。",
      },
    },
  ),
  CACHE_MOD_CHANGED: kind<What>("fail", "modcache.md#verify", {
    en: {
      title: ({ what }) => `the go.mod of ${what} in the cache is not the recorded one`,
      why: "Where go.sum has the go.mod, every go command stops with a SECURITY ERROR that blames the download. Where it has not, go downloads it again in every run. Neither mends the cache.",
      advice: "Remove the .mod; go downloads it again.",
    },
    "zh-CN": {
      title: ({ what }) => `缓存中 ${what} 的 go.mod 与记录不符`,
      why: "go.sum 中有该 go.mod 时，每个 go 命令都会以 SECURITY ERROR 停止，并归咎于下载；没有时，go 每次运行都重新下载。两种情况都不会修复缓存。",
      advice: "删除该 .mod，go 会重新下载。",
    },
  }),
  CACHE_MOD_UNLIKE_ZIP: kind<What>("warn", "modcache.md#verify", {
    en: {
      title: ({ what }) => `the .mod of ${what} is not the go.mod in its zip`,
      why: "go hashes the two apart from each other and never compares them. Neither go.sum nor a database tells here which one is right.",
      advice: "Download the version again: granary modcache refresh --module MODULE@VERSION.",
    },
    "zh-CN": {
      title: ({ what }) => `${what} 的 .mod 与其 zip 中的 go.mod 不同`,
      why: "go 分别计算两者的哈希，从不互相比较。这里 go.sum 和数据库都没有说明哪个正确。",
      advice: "重新下载该版本：granary modcache refresh --module MODULE@VERSION。",
    },
  }),
  CACHE_INFO_BROKEN: kind<What & { readonly reason: string }>("warn", "modcache.md#verify", {
    en: {
      title: ({ what, reason }) => `the .info of ${what} cannot be used: ${reason}`,
      why: "go passes it by and asks the proxy again in every run; with GOPROXY=off it fails.",
      advice: "Remove it; go downloads it again.",
    },
    "zh-CN": {
      title: ({ what, reason }) => `${what} 的 .info 无法使用：${reason}`,
      why: "go 会跳过它，每次都重新询问代理；GOPROXY=off 时会失败。",
      advice: "删除它，go 会重新下载。",
    },
  }),
  CACHE_PARTIAL: kind<What>("warn", "modcache.md#verify", {
    en: {
      title: ({ what }) => `${what} was extracted half-way and given up`,
      why: "A go command was ended while it extracted the zip. The next one that needs the version throws the half away and begins again.",
    },
    "zh-CN": {
      title: ({ what }) => `${what} 解压到一半就中断了`,
      why: "go 命令在解压 zip 时被终止。下一个需要该版本的 go 命令会丢弃这一半并重新解压。",
    },
  }),
  CACHE_LIST_DAMAGED: kind<{ readonly path: string; readonly nuls: number }>("warn", "modcache.md#verify", {
    en: {
      title: ({ path, nuls }) => `${path} has ${nuls} NUL bytes`,
      why: "A write was cut off, mostly by a power cut. Only readers of the cache as a file:// proxy look at it; go writes it anew with the next version of the module.",
      advice: "Remove it, or let --fix write it anew from the versions that are there.",
    },
    "zh-CN": {
      title: ({ path, nuls }) => `${path} 含有 ${nuls} 个 NUL 字节`,
      why: "写入被中断，多半是断电。只有把缓存当作 file:// 代理的读者才会读它；go 在写入该模块的下一个版本时会重写。",
      advice: "删除它，或用 --fix 根据现有版本重写。",
    },
  }),
  CACHE_TEMPS: kind<Counted & { readonly bytes: string }>("info", "modcache.md#verify", {
    en: {
      title: ({ count, bytes }) =>
        count === 1 ? `1 temporary file is left over (${bytes})` : `${count} temporary files are left over (${bytes})`,
      why: "go downloads into a temporary file beside the final one. What an ended go command left there is used by nobody.",
    },
    "zh-CN": {
      title: ({ count, bytes }) => `遗留 ${count} 个临时文件（${bytes}）`,
      why: "go 先下载到最终文件旁边的临时文件。被终止的 go 命令留下的临时文件不会再被使用。",
    },
  }),
  CACHE_UNREADABLE: kind<Counted>("fail", "modcache.md#permissions", {
    en: {
      title: ({ count }) =>
        count === 1 ? "1 path in the cache cannot be read" : `${count} paths in the cache cannot be read`,
      why: "go fails with `permission denied` as soon as a build needs one of them.",
      advice: "Give the files back to the user who builds.",
    },
    "zh-CN": {
      title: ({ count }) => `缓存中有 ${count} 个路径无法读取`,
      why: "构建一旦用到其中之一，go 就会报 `permission denied`。",
      advice: "把文件的属主改回执行构建的用户。",
    },
  }),
  CACHE_FOREIGN_OWNER: kind<Counted>("warn", "modcache.md#permissions", {
    en: {
      title: ({ count }) =>
        count === 1
          ? "1 version in the cache belongs to another user"
          : `${count} versions in the cache belong to another user`,
      why: "Somebody ran go as another user (often `sudo go install`) with this cache. go then cannot write beside these files: `permission denied`.",
      advice: "Give the cache back to the user who builds, and never run go with sudo.",
    },
    "zh-CN": {
      title: ({ count }) => `缓存中有 ${count} 个版本属于其他用户`,
      why: "有人以其他用户身份（常见于 `sudo go install`）用过这个缓存，go 无法在这些文件旁写入：`permission denied`。",
      advice: "把缓存的属主改回执行构建的用户，不要用 sudo 运行 go。",
    },
  }),
  CACHE_TREES_WRITABLE: kind<Counted>("info", "modcache.md#permissions", {
    en: {
      title: ({ count }) =>
        count === 1 ? "1 extracted folder is writable" : `${count} extracted folders are writable`,
      why: "go makes extracted folders read-only (0555), so that no editor changes them by mistake, unless -modcacherw is set.",
    },
    "zh-CN": {
      title: ({ count }) => `有 ${count} 个解压目录可写`,
      why: "go 把解压目录设为只读（0555），以免被编辑器误改，除非设置了 -modcacherw。",
    },
  }),
  CACHE_READ_ONLY: kind<{ readonly root: string }>("warn", "modcache.md#permissions", {
    en: {
      title: ({ root }) => `nothing can be written to the module cache ${root}`,
      why: "go builds with what lies there already. The first version that is missing fails with `permission denied` or `read-only file system`.",
      advice: "Point GOMODCACHE to a folder of your own, and use this cache as a file:// proxy in front of the others.",
    },
    "zh-CN": {
      title: ({ root }) => `模块缓存 ${root} 不可写`,
      why: "go 可以使用其中已有的内容；一旦缺少某个版本，就会报 `permission denied` 或 `read-only file system`。",
      advice: "把 GOMODCACHE 指向自己的目录，并把这个缓存作为 file:// 代理放在最前面。",
    },
  }),
  CACHE_BUSY: kind<What>("info", "modcache.md#locks", {
    en: {
      title: ({ what }) => `a go command is at work on ${what}; it was left alone`,
      why: "go holds the .lock of a version while it downloads or extracts it.",
    },
    "zh-CN": {
      title: ({ what }) => `go 命令正在处理 ${what}，未作改动`,
      why: "go 在下载或解压某个版本时持有其 .lock。",
    },
  }),
  CACHE_NO_LOCKS: kind<{ readonly root: string }>("warn", "modcache.md#locks", {
    en: {
      title: ({ root }) => `go's locks cannot be taken on this machine; ${root} was not changed`,
      why: "Whoever changes a version beside a running go must hold its lock, by flock(2). None of flock, perl and python3 is here, or the file system has no locks.",
      advice: "Install util-linux (flock), or end every go command and run go clean -modcache.",
    },
    "zh-CN": {
      title: ({ root }) => `本机无法取得 go 的锁，未改动 ${root}`,
      why: "与 go 并行修改某个版本时必须持有其锁（flock(2)）。本机没有 flock、perl 或 python3，或文件系统不支持锁。",
      advice: "安装 util-linux（flock），或结束所有 go 命令后执行 go clean -modcache。",
    },
  }),
  CACHE_NOT_CACHED: kind<What & { readonly root: string }>("info", "verify.md", {
    en: {
      title: ({ what, root }) => `${what} is not in ${root}`,
      why: "Nothing of it was downloaded here, so there are no bytes to compare.",
      advice: "Download it (go mod download MODULE@VERSION) and ask again.",
    },
    "zh-CN": {
      title: ({ what, root }) => `${root} 中没有 ${what}`,
      why: "这里没有下载过它，没有内容可比。",
      advice: "下载后再试（go mod download MODULE@VERSION）。",
    },
  }),
  CACHE_NO_PROOF: kind<What & { readonly reason: string }>("warn", "verify.md#no-proof", {
    en: {
      title: ({ what, reason }) => `nothing proves ${what}: ${reason}`,
      why: "No go.sum at hand has it and no checksum database vouches for it: what lies in the cache agrees with itself, and that is all that can be said.",
    },
    "zh-CN": {
      title: ({ what, reason }) => `无法证明 ${what}：${reason}`,
      why: "手头的 go.sum 没有它，也没有校验和数据库为它作证：只能说缓存内容自身一致。",
    },
  }),
  CACHE_SUMDB_UNPROVEN: kind<What & { readonly reason: string }>("fail", "verify.md#no-proof", {
    en: {
      title: ({ what, reason }) => `what was said about ${what} in the database's name does not verify: ${reason}`,
      why: "Records come with a signed tree head and a proof. One that does not verify was changed on the way, or the database shows two histories.",
      advice:
        "Ask through another proxy. If it is the same there, report it: granary sumdb lookup MODULE@VERSION --verify.",
    },
    "zh-CN": {
      title: ({ what, reason }) => `以数据库名义给出的 ${what} 的记录无法验证：${reason}`,
      why: "记录附有签名的树头和证明。无法验证说明途中被改动，或数据库展示了两种历史。",
      advice: "换一个代理再查；若仍相同请报告：granary sumdb lookup MODULE@VERSION --verify。",
    },
  }),
  CACHE_RETRACTED: kind<What & { readonly by: string }>("warn", "verify.md#life", {
    en: {
      title: ({ what, by }) => `${what} was retracted by its author (${by})`,
      why: "The go.mod of the newest version lists it under retract. go still builds with it, and no longer picks it by itself.",
    },
    "zh-CN": {
      title: ({ what, by }) => `${what} 已被作者撤回（${by}）`,
      why: "最新版本的 go.mod 在 retract 中列出了它。go 仍可用它构建，但不会再自动选用。",
    },
  }),
  CACHE_DOWNLOAD_FAILED: kind<What & { readonly reason: string }>("fail", "verify.md#smoke", {
    en: {
      title: ({ what, reason }) => `go cannot download ${what}: ${reason}`,
      why: "It was a real go command with this machine's settings and an empty module cache; a build without the module would fail in the same way.",
      advice: "granary doctor says which proxy, name or certificate is to blame.",
    },
    "zh-CN": {
      title: ({ what, reason }) => `go 无法下载 ${what}：${reason}`,
      why: "这是真实的 go 命令，使用本机设置和空的模块缓存；缺少该模块的构建会以同样方式失败。",
      advice: "granary doctor 会指出是哪个代理、域名或证书的问题。",
    },
  }),
  CACHE_DOWNLOAD_SLOW: kind<What & { readonly seconds: number }>("warn", "verify.md#smoke", {
    en: {
      title: ({ what, seconds }) => `go took ${seconds} s to download ${what}`,
      why: "It is a small module: one request for each of info, go.mod and zip, and some of the checksum database.",
      advice: "Look which request took the time, and put a nearer proxy first in GOPROXY.",
    },
    "zh-CN": {
      title: ({ what, seconds }) => `go 下载 ${what} 用了 ${seconds} 秒`,
      why: "这是一个小模块：info、go.mod、zip 各一个请求，另有少量校验和数据库的请求。",
      advice: "看是哪个请求耗时，把更近的代理放在 GOPROXY 最前面。",
    },
  }),
} as const satisfies Area;
