// The program's sentences, by key and language.

import { messagesEn } from "./messages-en.ts";
import { messagesZh } from "./messages-zh-cn.ts";
import type { MessageKey, Messages, MessageTable, None } from "./messages.ts";
import type { Lang } from "./sentences.ts";

export const messageTables: Readonly<Record<Lang, MessageTable>> = { en: messagesEn, "zh-CN": messagesZh };

/** The sentence in the language; keys without fields take none. */
export function say<K extends MessageKey>(
  lang: Lang,
  key: K,
  ...fields: Messages[K] extends None ? [] : [Messages[K]]
): string {
  const [known = {} as Messages[K]] = fields as readonly Messages[K][];
  return messageTables[lang][key](known);
}
