// Upstreams that are known without configuration: those of the mirrors' registry that are marked so. What a mirror can do
// is probed at run time, never trusted.

import { registry } from "#services/mirrors/registry.ts";

export type Preset = {
  readonly name: string;
  readonly url: string;
  /** Its 404 is final. */
  readonly authoritative: boolean;
};

export const presets: readonly Preset[] = registry.flatMap(({ name, url, preset }) =>
  preset === undefined ? [] : [{ name, url, authoritative: preset.authoritative }],
);

/** The presets as a GOPROXY list. With `|` a mirror follows whatever the one before it does wrong, in mode `go` too. */
export const presetList: string = presets.map(({ url }) => url).join("|");
