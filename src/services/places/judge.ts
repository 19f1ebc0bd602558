// What `granary store check` concludes from what was seen of a store: which things are well, and what is not, with what
// mends it.

import { found } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import type { Fix } from "#services/findings/fix.ts";
import { storeFindings } from "#services/findings/store.ts";
import { bucketTries } from "#services/store/ports.ts";
import type { BucketSeen, BucketTry, DiskSeen, TryOutcome } from "#services/store/ports.ts";

/** `passed`: what was tried and is well. */
export type Judged = { readonly passed: readonly (BucketTry | DiskCheck)[]; readonly findings: readonly Finding[] };
export type DiskCheck = "writable" | "fsync" | "space" | "layout";

/** Signatures end to be taken at 15 minutes; a clock that is this far off is on its way there. */
const maxSkewMs = 60_000;
/** The size of some zips of the largest kind. */
const lowSpaceBytes = 2 * 2 ** 30;
/** Days that what was removed stays in a bucket that keeps versions. */
const keptDays = 30;

export function judgeBucket(seen: BucketSeen): Judged {
  const { tries } = seen;
  const passed = bucketTries.filter((name) => tries[name]?.is === "good" && name !== "versioning");
  const findings = bucketTries.flatMap((name) => {
    const outcome = tries[name];
    return outcome === undefined || outcome.is === "good" ? [] : judgeTry(name, outcome, seen);
  });
  return {
    passed,
    findings: [...eachOnce(findings), ...judgeVersions(seen), ...judgeClock(seen), ...judgeScheme(seen)],
  };
}

export function judgeDisk(seen: DiskSeen, current: number): Judged {
  const { dir, trouble, layout, freeBytes } = seen;
  if (trouble?.is === "unwritable")
    return { passed: [], findings: [found(storeFindings, "STORE_DISK_UNWRITABLE", { dir, reason: trouble.said })] };
  if (trouble?.is === "too-new")
    return {
      passed: [],
      findings: [found(storeFindings, "STORE_LAYOUT_NEW", { dir, layout: trouble.found, known: trouble.supported })],
    };
  if (trouble?.is === "fsync")
    return {
      passed: ["writable"],
      findings: [found(storeFindings, "STORE_NO_FSYNC", { dir, reason: trouble.said })],
    };
  const isLow = freeBytes !== undefined && freeBytes < lowSpaceBytes;
  const isOld = layout !== undefined && layout < current;
  return {
    passed: ["writable", "fsync", ...(isLow ? [] : ["space" as const]), ...(isOld ? [] : ["layout" as const])],
    findings: [
      ...(isLow ? [found(storeFindings, "STORE_LOW_SPACE", { dir, megabytes: Math.floor(freeBytes / 1e6) })] : []),
      ...(isOld ? [found(storeFindings, "STORE_LAYOUT_OLD", { dir, layout }, { fixes: [migrate] })] : []),
    ],
  };
}

/** One refusal strikes several tries: it is told once. */
function eachOnce(findings: readonly Finding[]): readonly Finding[] {
  const isSame = (a: Finding, b: Finding) => a.code === b.code && JSON.stringify(a.fields) === JSON.stringify(b.fields);
  return findings.filter((finding, n) => findings.findIndex((other) => isSame(other, finding)) === n);
}

const migrate: Fix = { kind: "run", argv: ["granary", "store", "migrate"] };

function judgeTry(name: BucketTry, outcome: TryOutcome, seen: BucketSeen): readonly Finding[] {
  if (outcome.is === "failed") return [failedFinding(name, outcome, seen)];
  const { bucket } = seen;
  switch (name) {
    case "create":
      return [found(storeFindings, "S3_CREATE_OVERWRITES", { bucket, request: "PutObject" })];
    case "parts":
      return [found(storeFindings, "S3_CREATE_OVERWRITES", { bucket, request: "CompleteMultipartUpload" })];
    case "stale":
      return [found(storeFindings, "S3_REPLACE_UNGUARDED", { bucket })];
    case "read":
    case "remove":
      return [found(storeFindings, "S3_STALE_READS", { bucket })];
    case "link":
      return [found(storeFindings, "S3_LINK_FAILS", { bucket })];
    case "recreate":
      return [found(storeFindings, "S3_MARKER_BLOCKS", { bucket })];
    case "revive":
      return [found(storeFindings, "S3_MARKER_REPLACED", { bucket })];
    case "list":
    case "write":
    case "replace":
    case "versioning":
      return [];
  }
}

type Failed = Extract<TryOutcome, { readonly is: "failed" }>;

function failedFinding(name: BucketTry, outcome: Failed, seen: BucketSeen): Finding {
  const { bucket, endpoint } = seen;
  const { status, code, said } = outcome;
  const where = endpoint === "" ? "AWS" : endpoint;
  const evidence = [
    { kind: "seen" as const, text: `${name}: ${status === undefined ? code : `${status} ${code}`}: ${said}` },
  ];
  if (status === undefined) {
    if (/Credentials|Token/.test(code)) return found(storeFindings, "S3_NO_CREDENTIALS", { bucket }, { evidence });
    if (/TLS|SSL|CERT|UNABLE|SELF_SIGNED|HOSTNAME/.test(code))
      return found(storeFindings, "S3_TLS", { endpoint: where, reason: code }, { evidence });
    return found(storeFindings, "S3_UNREACHABLE", { endpoint: where, reason: code }, { evidence });
  }
  if (code === "NoSuchBucket" || (name === "list" && status === 404))
    return found(storeFindings, "S3_NO_BUCKET", { bucket }, { evidence, fixes: [madeBucket(seen)] });
  if (keyProblems.has(code)) return found(storeFindings, "S3_BAD_KEY", { bucket, code }, { evidence });
  if (status === 403 || status === 401) {
    const severity = name === "versioning" ? ("info" as const) : undefined;
    return found(
      storeFindings,
      "S3_DENIED",
      { bucket, action: actions[name] },
      {
        evidence,
        fixes: [allowed(seen)],
        ...(severity !== undefined && { severity }),
      },
    );
  }
  return found(
    storeFindings,
    "S3_UNSUPPORTED",
    { bucket, action: actions[name], code },
    { evidence, ...(name === "versioning" && { severity: "info" as const }) },
  );
}

const keyProblems = new Set(["InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId", "ExpiredToken"]);

/** What the policy must allow for a try. */
const actions = {
  list: "s3:ListBucket",
  write: "s3:PutObject",
  read: "s3:GetObject",
  create: "s3:PutObject",
  parts: "s3:PutObject",
  stale: "s3:PutObject",
  replace: "s3:PutObject",
  link: "s3:GetObject",
  versioning: "s3:GetBucketVersioning",
  remove: "s3:DeleteObject",
  recreate: "s3:PutObject",
  revive: "s3:PutObject",
} as const satisfies Readonly<Record<BucketTry, string>>;

function judgeVersions(seen: BucketSeen): readonly Finding[] {
  const { bucket, versioning } = seen;
  if (versioning === undefined) return [];
  if (versioning !== "on")
    return [
      found(
        storeFindings,
        "S3_UNVERSIONED",
        { bucket },
        { fixes: [aws(seen, "put-bucket-versioning", "--versioning-configuration", "Status=Enabled")] },
      ),
    ];
  const rules = JSON.stringify({
    Rules: [
      {
        ID: "granary",
        Status: "Enabled",
        Filter: { Prefix: seen.prefix === "" ? "" : `${seen.prefix}/` },
        NoncurrentVersionExpiration: { NoncurrentDays: keptDays },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
      },
    ],
  });
  const rule = aws(seen, "put-bucket-lifecycle-configuration", "--lifecycle-configuration", rules);
  return [found(storeFindings, "S3_VERSIONS_STAY", { bucket }, { fixes: [rule] })];
}

function judgeClock({ endpoint, skewMs }: BucketSeen): readonly Finding[] {
  if (skewMs === undefined || Math.abs(skewMs) < maxSkewMs) return [];
  const seconds = Math.round(skewMs / 1000);
  return [found(storeFindings, "S3_CLOCK", { endpoint: endpoint === "" ? "AWS" : endpoint, seconds })];
}

function judgeScheme({ endpoint }: BucketSeen): readonly Finding[] {
  if (!endpoint.startsWith("http://")) return [];
  const { hostname } = new URL(endpoint);
  if (hostname === "localhost" || hostname.startsWith("127.") || hostname === "[::1]") return [];
  return [found(storeFindings, "S3_PLAIN_HTTP", { endpoint })];
}

function madeBucket(seen: BucketSeen): Fix {
  return aws(seen, "create-bucket");
}

function aws({ endpoint, bucket }: BucketSeen, command: string, ...args: readonly string[]): Fix {
  const at = endpoint === "" ? [] : ["--endpoint-url", endpoint];
  return { kind: "run", argv: ["aws", "s3api", command, ...at, "--bucket", bucket, ...args] };
}

/** The least that Granary needs of the bucket, for the user whose key it has. */
function allowed({ bucket, prefix }: BucketSeen): Fix {
  const below = prefix === "" ? "*" : `${prefix}/*`;
  const policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketVersioning"],
        Resource: `arn:aws:s3:::${bucket}`,
      },
      {
        Effect: "Allow",
        Action: [
          "s3:GetObject",
          "s3:GetObjectVersion",
          "s3:PutObject",
          "s3:DeleteObject",
          "s3:DeleteObjectVersion",
          "s3:AbortMultipartUpload",
        ],
        Resource: `arn:aws:s3:::${bucket}/${below}`,
      },
    ],
  });
  const argv = ["aws", "iam", "put-user-policy", "--user-name", "granary", "--policy-name", "granary"];
  return { kind: "run", argv: [...argv, "--policy-document", policy] };
}
