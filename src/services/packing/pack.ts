// A tree of files becomes a module zip, which is then read and judged as any server would judge it.

import { createHash } from "node:crypto";
import { hashGoMod } from "#protocol/dirhash.ts";
import type { H1 } from "#protocol/dirhash.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { legacyGoMod, maxGoModBytes } from "#protocol/gomod.ts";
import { chooseModuleFiles, goVersionOf } from "#protocol/module-files.ts";
import type { Omitted, Refused } from "#protocol/module-files.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import { streamModuleZip } from "#protocol/zip-stream.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { SourceFile, SourceTree, ZipFile } from "./ports.ts";

/** What a module zip is made of, and what is not in it. */
export type Packing = {
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly omitted: readonly Omitted[];
  /** When there is anything here, no zip was written. */
  readonly refused: readonly Refused[];
};

export type Packed = Packing & {
  readonly zip:
    | {
        readonly size: number;
        /** Of its bytes, in hexadecimal. */
        readonly sha256: string;
        readonly h1: string;
        readonly goModH1: H1;
      }
    | undefined;
};

/** Writes the zip. Throws GRANARY_NOT_PUBLISHABLE for what the rules did not foresee: a file that changes meanwhile. */
export async function packModule(id: ModuleVersion, tree: SourceTree, zip: ZipFile): Promise<Packed> {
  const goMod = await readRootGoMod(tree.files);
  const { taken, omitted, refused } = chooseModuleFiles(tree.files, goVersionOf(goMod));
  const packing: Packing = {
    files: taken.map(({ path, size }) => ({ path, size })),
    omitted: [...tree.omitted, ...omitted],
    refused,
  };
  if (refused.length > 0) return { ...packing, zip: undefined };
  const size = await judged(id, () =>
    streamModuleZip(
      id,
      taken.map(({ path, size: bytes, chunks }) => ({ name: path, size: bytes, chunks })),
      zip,
    ),
  );
  return { ...packing, zip: { size, ...checkWritten(id, zip), sha256: await sha256Of(zip) } };
}

function checkWritten(id: ModuleVersion, zip: ZipFile): { h1: string; goModH1: H1 } {
  const source = zip.open();
  try {
    const { problems, h1, goMod } = checkModuleZip(source, id);
    const [first] = problems;
    if (first !== undefined)
      throw new GranaryError("GRANARY_NOT_PUBLISHABLE", {
        what: formatModuleVersion(id),
        reason: [first.name, first.reason].filter((text) => text !== "").join(": "),
      });
    return { h1, goModH1: hashGoMod(goMod ?? Buffer.from(legacyGoMod(id.path))) };
  } finally {
    source.close();
  }
}

async function sha256Of(zip: ZipFile): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of zip.body()) hash.update(chunk);
  return hash.digest("hex");
}

/** Undefined when there is none, or one so large that it is refused anyway. */
async function readRootGoMod(files: readonly SourceFile[]): Promise<Uint8Array | undefined> {
  const file = files.find(({ path, kind }) => path === "go.mod" && kind === "regular");
  if (file === undefined || file.size > maxGoModBytes) return undefined;
  const pieces: Uint8Array[] = [];
  for await (const chunk of file.chunks()) pieces.push(chunk);
  return Buffer.concat(pieces);
}

async function judged<T>(id: ModuleVersion, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const what = formatModuleVersion(id);
    throw new GranaryError("GRANARY_NOT_PUBLISHABLE", { what, reason: error.message }, { cause: error });
  }
}
