// The low-water mark as people write it: a size, a share of the file system, or both, of which the smaller counts.

import { z } from "zod";
import type { LowWater } from "#services/store/room.ts";
import { formatSize, parseSize } from "./config-kinds.ts";
import type { Kind } from "./config-kinds.ts";

export const lowWaterKind: Kind<LowWater> = {
  schema: z.string().transform((text, context) => {
    const mark = parseLowWater(text);
    if (mark !== undefined) return mark;
    context.addIssue({ code: "custom", message: "not of the accepted form" });
    return z.NEVER;
  }),
  accepted: {
    en: "a size such as 1GiB, a share such as 5%, or the smaller of both: 1GiB,5%; 0 for none",
    "zh-CN": "大小（如 1GiB）、比例（如 5%），或二者取小：1GiB,5%；0 表示不设",
  },
  format: ({ bytes, share }) => {
    const size = bytes === Infinity ? [] : [formatSize(bytes)];
    return [...size, ...(share === 1 ? [] : [`${share * 100}%`])].join(",");
  },
};

/** Undefined for what is no mark. */
function parseLowWater(text: string): LowWater | undefined {
  const [first = "", second, ...more] = text.split(",");
  if (more.length > 0) return undefined;
  const share = parseShare(second ?? first);
  if (second === undefined && share !== undefined) return { bytes: Infinity, share };
  const bytes = parseSize(first);
  if (Number.isNaN(bytes)) return undefined;
  if (second === undefined) return { bytes, share: 1 };
  return share === undefined ? undefined : { bytes, share };
}

/** More than half of a disk is a slip of the pen. */
function parseShare(text: string): number | undefined {
  const [, percent] = /^(\d{1,2}(?:\.\d{1,3})?)%$/.exec(text) ?? [];
  const share = Number(percent ?? NaN) / 100;
  return share > 0 && share <= 0.5 ? share : undefined;
}
