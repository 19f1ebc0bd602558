// What mirrors gave for one version, before anybody compares.

export const checkedFiles = ["info", "mod", "zip"] as const;
export type CheckedFile = (typeof checkedFiles)[number];

export type MirrorFile = {
  /** Undefined when no answer came: `failure` says why. */
  readonly status: number | undefined;
  readonly failure: string | undefined;
  /** What came, or what Content-Length promised of what was too long to fetch. */
  readonly bytes: number;
  readonly ms: number;
  readonly etag: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly lastModifiedMs: number | undefined;
  /** Of go.mod and zip; `invalid` for a zip that go refuses; undefined when nothing came, or too much. */
  readonly h1: string | undefined;
};

export type CheckedMirror = {
  readonly name: string;
  readonly url: string;
  readonly files: Readonly<Record<CheckedFile, MirrorFile>>;
};
