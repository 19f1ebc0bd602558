// The settings table as the command line sees it.

import type { SettingFlag, SettingFlags } from "#doors/cli/services.ts";
import type { Lang } from "#services/errors/sentences.ts";
import type { Flags } from "./config.ts";
import { isSettingKey, settingKeys, settingOf } from "./config-schema.ts";

/** Settings that have a flag, with their texts in the language. */
export function settingFlagsOf(lang: Lang): readonly SettingFlag[] {
  return settingKeys.flatMap((key) => {
    const { flag, about, initial, initialInDocs, kind, group } = settingOf(key);
    if (flag === undefined || group === "cache" || group === "limits" || group === "client") return [];
    const shown = initialInDocs === undefined ? [initial].flat().join(", ") : "";
    return [{ key, flag, about: about[lang], initial: shown, isList: kind.listSeparator !== undefined, group }];
  });
}

/** What was typed, for loadConfig(). */
export function toFlags({ values, config, profile }: SettingFlags): Flags {
  const known = Object.entries(values).filter(([key]) => isSettingKey(key));
  return { values: Object.fromEntries(known), config, profile };
}
