// The `webhooks:` section: who may tell us of new versions, and of which modules.
//
//   webhooks:
//     team:
//       forge: github
//       secret: file:/run/secrets/webhook
//       repositories: [git.corp.example/team, git.corp.example:3000/x=go.corp.example/x]

import { GranaryError } from "#services/errors/granary-error.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { forgeNames, minSecretChars, parseMapping } from "#services/sync/hooks.ts";
import type { Forge, Hook, Mapping } from "#services/sync/hooks.ts";
import type { FileEntry } from "./config-file.ts";
import { field, unknownField } from "./config-sections.ts";
import type { Field } from "./config-sections.ts";
import { listOf, oneOf, text } from "./config-kinds.ts";
import { readSecret } from "./config-secrets.ts";
import type { Machine } from "./go-env.ts";

/** Each is tried for each delivery, a stranger's too: so many HMACs over 4 MiB take a tenth of a second. */
export const maxWebhooks = 16;

export const webhookFields: Readonly<Record<"forge" | "repositories" | "secret", Field>> = {
  forge: field({
    kind: oneOf(...forgeNames),
    about: {
      en: "what sends it, and so where: /webhook/FORGE; Forgejo is a gitea",
      "zh-CN": "发送方，也决定地址 /webhook/FORGE；Forgejo 用 gitea",
    },
    reason: "Each forge proves its deliveries in its own way.",
  }),
  secret: field({
    kind: text(
      {
        en: `file:/path, env:NAME or plain; at least ${minSecretChars} characters`,
        "zh-CN": `file:/path、env:NAME 或明文；至少 ${minSecretChars} 个字符`,
      },
      (value) => value.length >= minSecretChars,
    ),
    about: { en: "the secret that the forge was given as well", "zh-CN": "与平台上填写的相同的密钥" },
    reason: "Without it nobody could tell a forge from a stranger.",
  }),
  repositories: field({
    kind: listOf(
      text(
        {
          en: "HOST[:PORT][/PATH], each with =MODULE behind it where the module path is another; with a port it must be",
          "zh-CN": "HOST[:PORT][/PATH]，模块路径不同时后加 =MODULE；有端口时必须加",
        },
        (value) => parseMapping(value) !== undefined,
      ),
      ",",
    ),
    about: {
      en: "repositories, or prefixes of them, that it may speak of",
      "zh-CN": "它可以通知的仓库，或仓库前缀",
    },
    reason: "A secret that leaks from one repository must not speak for another.",
  }),
};

type FieldKey = keyof typeof webhookFields;
type Given = Partial<Record<FieldKey, unknown>>;

export type WebhookSection = {
  readonly webhooks: readonly Hook[];
  /** Secrets that stand in the file itself. */
  readonly warnings: { readonly key: string; readonly origin: string }[];
};

/** Reads the section. Throws GranaryError on unknown keys, bad values, and what is missing. */
export async function readWebhooks(
  entries: readonly FileEntry[],
  machine: Machine,
  lang: Lang,
): Promise<WebhookSection> {
  const named = new Map<string, { readonly origin: string; readonly fields: Given }>();
  const warnings: { key: string; origin: string }[] = [];
  for (const entry of entries) {
    const [, name = "", key = ""] = entry.path;
    if (entry.path.length !== 3 || !isField(key)) throw unknownField(key, Object.keys(webhookFields), entry);
    const fields: Given = named.get(name)?.fields ?? {};
    named.set(name, { origin: entry.origin, fields });
    if (key === "secret" && typeof entry.value === "string") {
      const secret = await readSecret({ ...entry, value: entry.value }, machine);
      if (secret.isPlain) warnings.push({ key: entry.key, origin: entry.origin });
      fields[key] = readField(key, { ...entry, value: secret.value }, lang);
    } else fields[key] = readField(key, entry, lang);
  }
  const webhooks = [...named].map(([name, { origin, fields }]) => hookOf(name, fields, { origin, lang }));
  if (webhooks.length > maxWebhooks) {
    const accepted = lang === "en" ? `at most ${maxWebhooks} webhooks` : `最多 ${maxWebhooks} 个 webhook`;
    const [origin = ""] = entries.map((entry) => entry.origin);
    throw new GranaryError("GRANARY_BAD_CONFIG", { origin, key: "webhooks", value: String(webhooks.length), accepted });
  }
  return { webhooks, warnings };
}

function hookOf(name: string, fields: Given, at: { readonly origin: string; readonly lang: Lang }): Hook {
  for (const key of Object.keys(webhookFields) as FieldKey[]) {
    if (fields[key] !== undefined) continue;
    const accepted = webhookFields[key].kind.accepted[at.lang];
    throw new GranaryError("GRANARY_BAD_CONFIG", {
      origin: at.origin,
      key: `webhooks.${name}.${key}`,
      value: "",
      accepted,
    });
  }
  return {
    name,
    forge: fields.forge as Forge,
    secret: fields.secret as string,
    repositories: (fields.repositories as readonly string[]).map(parseMapping) as Mapping[],
  };
}

function readField(key: FieldKey, entry: FileEntry, lang: Lang): unknown {
  const { kind } = webhookFields[key];
  const items =
    kind.listSeparator !== undefined && typeof entry.value === "string"
      ? entry.value.split(kind.listSeparator).map((item) => item.trim())
      : entry.value;
  const read = kind.schema.safeParse(items);
  if (read.success) return read.data;
  const value = key === "secret" ? "…" : [entry.value].flat().join(", ");
  throw new GranaryError("GRANARY_BAD_CONFIG", {
    origin: entry.origin,
    key: entry.key,
    value,
    accepted: kind.accepted[lang],
  });
}

function isField(key: string): key is FieldKey {
  return Object.hasOwn(webhookFields, key);
}
