// Real S3 servers: VersityGW and MinIO, whichever is on this machine.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { freePort } from "../loopback.ts";
import { programPath } from "./programs.ts";
import { serverFolder, startServer } from "./server.ts";
import type { RunningServer } from "./server.ts";

export type S3Kind = "versitygw" | "minio";

export type S3Server = RunningServer & {
  readonly kind: S3Kind;
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
};

export const s3Kinds: readonly S3Kind[] = ["versitygw", "minio"];

/** Why there is none on this machine, for a skip; undefined when there is. */
export function missingS3(kind: S3Kind): string | undefined {
  return programPath(kind) === undefined
    ? `no ${kind} on this machine: node scripts/launch.cjs scripts/cluster-servers.ts`
    : undefined;
}

const accessKey = "testkey";
const secretKey = "testsecret";

/** Starts one without any bucket. @param options.port so that a server that was stopped can be met again where it was */
export async function startS3(t: Pick<TestContext, "after">, kind: S3Kind): Promise<S3Server> {
  const program = programPath(kind);
  if (program === undefined) throw new Error(missingS3(kind));
  const folder = await serverFolder(t, kind);
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  for (const each of ["data", "versions"]) await mkdir(join(folder, each));
  const data = join(folder, "data");
  const running = await startServer(t, {
    name: kind,
    port,
    folder,
    command:
      kind === "minio"
        ? [program, "server", "--quiet", "--address", address, data]
        : [program, "--quiet", "--port", address, "posix", "--versioning-dir", join(folder, "versions"), data],
    env:
      kind === "minio"
        ? { MINIO_ROOT_USER: accessKey, MINIO_ROOT_PASSWORD: secretKey, MINIO_BROWSER: "off" }
        : { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
    ...(kind === "minio" && {
      isReady: async () => (await fetch(`http://${address}/minio/health/ready`)).status === 200,
    }),
  });
  return { ...running, kind, endpoint: `http://${address}`, accessKey, secretKey };
}
