// The zip of a module fixture, written by the product's own canonical writer.
import { writeModuleZip } from "#protocol/zip-write.ts";
import type { ModuleFixture } from "./modules.ts";

export function fixtureZip(module: ModuleFixture): Uint8Array {
  const files = [...module.files].map(([name, text]) => ({ name, content: Buffer.from(text) }));
  return writeModuleZip(module, files);
}
