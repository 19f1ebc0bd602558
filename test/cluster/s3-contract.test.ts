// The storage contract on real S3 services, in buckets with and without versions.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { storageContract } from "../contract/storage.ts";
import type { Opened } from "../contract/storage.ts";
import { makeBucket, s3StorageOf } from "../support/s3-store.ts";
import { missingS3, s3Kinds, startS3 } from "../support/servers/s3.ts";
import type { S3Server } from "../support/servers/s3.ts";

for (const kind of s3Kinds) {
  const missing = missingS3(kind);
  if (missing !== undefined) {
    test(`storage contract: s3 on ${kind}`, { skip: missing }, () => undefined);
    continue;
  }
  let server: S3Server;
  let folder: string;
  let count = 0;
  const ends: (() => Promise<void> | void)[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "granary-s3-contract-"));
    server = await startS3({ after: (work) => void ends.push(work as () => Promise<void>) }, kind);
    await makeBucket(server, "plain");
    await makeBucket(server, "versioned", { isVersioned: true });
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
    await rm(folder, { recursive: true, force: true });
  });

  const openIn = (bucket: string) => async (): Promise<Opened> => {
    const prefix = `p${count++}`;
    const all: { close(): Promise<void> }[] = [];
    const reopen = async () => {
      const storage = await s3StorageOf(server, { bucket, prefix, folder: join(folder, prefix) });
      all.push(storage);
      return storage;
    };
    const dispose = async () => {
      await Promise.all(all.map((each) => each.close()));
    };
    return { storage: await reopen(), reopen, dispose };
  };
  storageContract(`s3 on ${kind}`, openIn("plain"));
  // Half a minute each.
  if (process.env["LONG"] === undefined) continue;
  storageContract(`s3 on ${kind}, in a bucket that keeps versions`, openIn("versioned"));
  if (kind === "versitygw")
    storageContract("faulty, nothing armed, over s3", async () => {
      const opened = await openIn("plain")();
      return { storage: new FaultyStorage(opened.storage), dispose: opened.dispose };
    });
}
