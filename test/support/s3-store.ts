// Buckets and stores in them, on a server of test/support/servers/s3.ts.
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { openS3Storage } from "#adapters/storage/s3.ts";
import type { S3Options, S3Storage } from "#adapters/storage/s3.ts";
import type { S3Server } from "./servers/s3.ts";

type Server = Pick<S3Server, "endpoint" | "accessKey" | "secretKey">;

/** A client of the test's own. The caller destroys it. */
export function s3Client({ endpoint, accessKey, secretKey }: Server): S3Client {
  return new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
}

export async function makeBucket(
  server: Server,
  bucket: string,
  options: { readonly isVersioned?: boolean } = {},
): Promise<void> {
  const client = s3Client(server);
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    if (options.isVersioned === true)
      await client.send(
        new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }),
      );
  } finally {
    client.destroy();
  }
}

/** Opens a store in a bucket, whose stages lie in `folder`. */
export async function s3StorageOf(
  server: Server,
  options: Partial<S3Options> & { readonly bucket: string; readonly folder: string },
): Promise<S3Storage> {
  return await openS3Storage(await s3OptionsFor(server, options));
}

export async function s3OptionsFor(
  server: Server,
  { folder, ...options }: Partial<S3Options> & { readonly bucket: string; readonly folder: string },
): Promise<S3Options> {
  const { endpoint, accessKey, secretKey } = server;
  return {
    prefix: "",
    endpoint,
    region: "us-east-1",
    pathStyle: true,
    accessKey,
    secretKey,
    ca: undefined,
    timeoutMs: 30_000,
    partBytes: 5 << 20,
    staging: await openDiskStorage(folder, { fsync: "never" }),
    spoolDir: folder,
    ...options,
  };
}
