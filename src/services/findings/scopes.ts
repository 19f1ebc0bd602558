// Where variables are set beside the go env file, and what comes of it.

import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";

const direnvEn = {
  "not-installed": "there is no direnv on PATH",
  "not-hooked": "no shell file has direnv's hook",
  "not-allowed": "this content is not allowed",
  "not-loaded": "this terminal has not loaded it",
} as const;
const direnvZh = {
  "not-installed": "PATH 中没有 direnv",
  "not-hooked": "shell 文件中没有 direnv 的钩子",
  "not-allowed": "当前内容未被允许",
  "not-loaded": "本终端没有加载它",
} as const;

export const scopeFindings = {
  SCOPE_VALUE_CUT: kind<{ name: string; place: string }>("fail", "env-setup.md#values-that-are-cut", {
    en: {
      title: ({ name, place }) => `${name} is cut off at ${place}`,
      why: "Outside quotes a shell takes `|` for a pipe, `;` for the end and a blank for the next word; a systemd unit does so with a blank.",
      advice: "Put the whole value in single quotes: export GOPROXY='https://a.example|direct'.",
    },
    "zh-CN": {
      title: ({ name, place }) => `${place} 处 ${name} 的值被截断`,
      why: "不加引号时，shell 把 `|` 当作管道，把 `;` 当作结束，把空格当作下一个词；systemd 单元中的空格也是如此。",
      advice: "用单引号括住整个值：export GOPROXY='https://a.example|direct'。",
    },
  }),
  SCOPE_EXPORT_IGNORED: kind<{ name: string; place: string }>("fail", "env-setup.md#systemd-units", {
    en: {
      title: ({ name, place }) => `${place}: \`export ${name}=…\` sets nothing`,
      why: "EnvironmentFile= is no shell: a line is NAME=VALUE, and systemd drops any other name with a warning (systemd.exec).",
      advice: "Take `export ` away.",
    },
    "zh-CN": {
      title: ({ name, place }) => `${place}：\`export ${name}=…\` 不起作用`,
      why: "EnvironmentFile= 不是 shell：每行是 NAME=VALUE，其他写法被 systemd 忽略并告警（systemd.exec）。",
      advice: "去掉 `export `。",
    },
  }),
  SCOPE_NOT_EXPORTED: kind<{ name: string; place: string }>("warn", "env-setup.md#what-each-place-reaches", {
    en: {
      title: ({ name, place }) => `${name} is set at ${place} but not exported`,
      why: "Without export the variable belongs to the shell alone, and go does not see it.",
      advice: "Write `export` before it, or keep the value with go env -w.",
    },
    "zh-CN": {
      title: ({ name, place }) => `${place} 设置了 ${name}，但没有 export`,
      why: "没有 export 的变量只属于 shell 本身，go 看不到。",
      advice: "在前面加上 `export`，或用 go env -w 保存。",
    },
  }),
  SCOPE_SHADOWED: kind<{ name: string; file: string }>("warn", "env-setup.md#two-values-for-one-variable", {
    en: {
      title: ({ name, file }) => `${name} in this terminal hides what ${file} says`,
      why: "The process environment wins over the go env file, so that go env -w changes nothing here (cmd/go cfg.Getenv).",
      advice: "Keep the value in one place: remove the line that exports it, then open a new terminal.",
    },
    "zh-CN": {
      title: ({ name, file }) => `本终端的 ${name} 覆盖了 ${file} 中的值`,
      why: "进程环境优先于 go env 文件，因此 go env -w 在这里不起作用（cmd/go cfg.Getenv）。",
      advice: "只保留一处：删除导出它的那一行，再打开新终端。",
    },
  }),
  SCOPE_DIFFERENT: kind<{ name: string }>("warn", "env-setup.md#two-values-for-one-variable", {
    en: {
      title: ({ name }) => `${name} has different values on this machine`,
      why: "Which one go gets depends on how it was started: from a terminal, from an IDE, by cron.",
      advice: "Keep the value in one place; go env -w reaches every go that this user starts.",
    },
    "zh-CN": {
      title: ({ name }) => `本机上 ${name} 有不同的值`,
      why: "go 得到哪一个取决于启动方式：终端、IDE 或 cron。",
      advice: "只保留一处；go env -w 对该用户启动的所有 go 有效。",
    },
  }),
  SCOPE_ONLY_INTERACTIVE: kind<{ name: string; file: string }>("warn", "env-setup.md#what-each-place-reaches", {
    en: {
      title: ({ name, file }) => `${name} is set in ${file} alone`,
      why: "Only interactive shells read that file: services, cron, CI and many IDEs start go without it.",
      advice: "Keep it with go env -w, which needs no shell.",
    },
    "zh-CN": {
      title: ({ name, file }) => `${name} 只在 ${file} 中设置`,
      why: "只有交互式 shell 读取该文件：服务、cron、CI 和许多 IDE 启动的 go 看不到。",
      advice: "改用 go env -w 保存，与 shell 无关。",
    },
  }),
  SCOPE_OTHER_ELSEWHERE: kind<{ name: string }>("info", "env-setup.md#two-values-for-one-variable", {
    en: {
      title: ({ name }) => `${name} is another one in units, CI or images than here`,
      why: "A build there may get other modules, or fail where this one succeeds.",
    },
    "zh-CN": {
      title: ({ name }) => `${name} 在单元、CI 或镜像构建中与这里不同`,
      why: "那里的构建可能得到不同的模块，或者在这里成功而在那里失败。",
    },
  }),
  SCOPE_UNIT_NO_HOME: kind<{ unit: string }>("fail", "env-setup.md#systemd-units", {
    en: {
      title: ({ unit }) => `${unit} has no HOME`,
      why: "A system unit without User= gets no HOME (systemd.exec): go then has no env file, no module cache and no build cache.",
      advice: 'Add to [Service]: User=app, or Environment="HOME=/var/lib/app".',
    },
    "zh-CN": {
      title: ({ unit }) => `${unit} 没有 HOME`,
      why: "没有 User= 的系统单元不会得到 HOME（systemd.exec）：go 因此没有 env 文件、模块缓存和构建缓存。",
      advice: '在 [Service] 中加入 User=app，或 Environment="HOME=/var/lib/app"。',
    },
  }),
  SCOPE_UNIT_UNSEEN: kind<{ unit: string; names: string; file: string }>("warn", "env-setup.md#systemd-units", {
    en: {
      title: ({ unit, names }) => `${unit} does not see what go env -w keeps: ${names}`,
      why: "A go env file belongs to one user, and nobody's shell hands variables to a system unit.",
      advice: "Add the lines above to [Service].",
    },
    "zh-CN": {
      title: ({ unit, names }) => `${unit} 看不到 go env -w 保存的值：${names}`,
      why: "go env 文件属于单个用户，系统单元也不会从 shell 得到变量。",
      advice: "把上面的行加入 [Service]。",
    },
  }),
  SCOPE_SECRET_IN_FILE: kind<{ name: string; place: string }>("warn", "env-setup.md#ci-and-images", {
    en: {
      title: ({ name, place }) => `${name} has a password at ${place}`,
      why: "Whoever can read the repository or the image can read it.",
      advice: "Put it into the CI system's secrets, or into a netrc file, and change the password.",
    },
    "zh-CN": {
      title: ({ name, place }) => `${place} 处的 ${name} 含有密码`,
      why: "能读取仓库或镜像的人都能看到。",
      advice: "放入 CI 系统的密钥变量或 netrc 文件，并更换密码。",
    },
  }),
  SCOPE_FROM_CI_SETTINGS: kind<{ name: string; variable: string }>("info", "env-setup.md#ci-and-images", {
    en: {
      title: ({ name, variable }) => `${name} comes from ${variable}, which the CI file does not set`,
      why: "It is set in the project's CI settings; a protected variable is absent on unprotected branches, and go then uses its default.",
    },
    "zh-CN": {
      title: ({ name, variable }) => `${name} 来自 ${variable}，而 CI 文件没有设置它`,
      why: "它在项目的 CI 设置中；受保护的变量在未受保护的分支上不存在，此时 go 使用默认值。",
    },
  }),
  SCOPE_WISH_UNMET: kind<{ name: string; wish: string; actual: string }>(
    "fail",
    "env-setup.md#does-the-project-get-what-it-asks-for",
    {
      en: {
        title: ({ name, wish, actual }) => `${name} should be ${wish} and is ${actual}`,
        why: "The project's files ask for it, and nothing has applied them to this terminal.",
        advice: "With direnv: direnv allow. Without: granary env shell.",
      },
      "zh-CN": {
        title: ({ name, wish, actual }) => `${name} 应为 ${wish}，实际为 ${actual}`,
        why: "项目文件要求如此，但本终端没有应用这些文件。",
        advice: "使用 direnv：direnv allow。不使用：granary env shell。",
      },
    },
  ),
  SCOPE_DIRENV_OFF: kind<{ state: "not-installed" | "not-hooked" | "not-allowed" | "not-loaded" }>(
    "warn",
    "env-setup.md#direnv",
    {
      en: {
        title: ({ state }) => `.envrc is not in force: ${direnvEn[state]}`,
        why: "direnv loads .envrc only when its hook is in the shell's file and the user has allowed the file as it stands now.",
        advice: "Add the hook, open a new terminal, run direnv allow. Or do without direnv: granary env shell.",
      },
      "zh-CN": {
        title: ({ state }) => `.envrc 未生效：${direnvZh[state]}`,
        why: "只有在 shell 文件中加入钩子、并且用户允许了当前内容的 .envrc，direnv 才会加载它。",
        advice: "加入钩子，打开新终端，运行 direnv allow。也可不用 direnv：granary env shell。",
      },
    },
  ),
} as const satisfies Area;
