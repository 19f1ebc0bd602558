// Where Athens keeps modules and takes turns, in settings of Granary. Athens' own files and objects have another layout:
// nothing of ours is put among them, and nothing of them is read as ours.

import { isYes } from "./athens-config.ts";
import type { Said } from "./athens-config.ts";
import type { Translation } from "./athens-translation.ts";

/** Stands for a folder that is made at the start and removed at the end. */
export const temporaryStore = "(temporary)";

const bucketTypes = { s3: "Storage.S3", minio: "Storage.Minio" } as const;

export function mapStorage(t: Translation): void {
  const type = t.said("StorageType");
  if (type === undefined) mapDisk(t, undefined);
  else mapType(t, type);
  for (const said of t.open)
    if (/^Storage\./.test(said.key.path) && said.key.ignored === undefined) t.ignore(said, "otherStorage");
  const guides = t.said("ATHENS_DISK_CACHE_ROOT");
  if (guides !== undefined && t.open.includes(guides)) t.ignore(guides, "otherStorage");
}

function mapType(t: Translation, type: Said): void {
  switch (type.value) {
    case "memory":
      t.map(type, { setting: "store", value: temporaryStore, note: "temporary" });
      break;
    case "disk":
    case "redis":
      mapDisk(t, type);
      break;
    case "s3":
    case "minio":
      mapBucket(t, type, bucketTypes[type.value]);
      break;
    case "mongo":
    case "gcp":
    case "azureblob":
    case "external":
      t.refuse(type, "storage", ["s3.bucket", "store"]);
      break;
    default:
      throw t.bad(type, "storage");
  }
}

/** @param type undefined when only folders were named */
function mapDisk(t: Translation, type: Said | undefined): void {
  const root = t.said("Storage.Disk.RootPath");
  const guides = t.said("ATHENS_DISK_CACHE_ROOT");
  if (root !== undefined) t.map(root, { setting: "store", value: `${withoutSlash(root)}/granary`, note: "ownFolder" });
  if (guides !== undefined && root === undefined)
    t.map(guides, { setting: "store", value: withoutSlash(guides), note: "guideName" });
  if (type === undefined) return;
  const said = root ?? guides;
  if (type.value === "disk" && said === undefined) throw t.bad(type, "root");
  const store = root === undefined ? guides && withoutSlash(guides) : `${withoutSlash(root)}/granary`;
  if (
    type.value === "redis" &&
    t.said("ATHENS_REDIS_CONNECTION_STRING") === undefined &&
    redisEndpoint(t) === undefined
  )
    t.ignore(type, "noRedis");
  else if (store === undefined) t.ignore(type, "noRoot");
  else t.map(type, { setting: "store", value: store, ...(type.value === "redis" && { note: "redisStorage" }) });
}

function withoutSlash({ value }: Said): string {
  return String(value).replace(/(?<=.)\/+$/, "");
}

function mapBucket(t: Translation, type: Said, section: (typeof bucketTypes)[keyof typeof bucketTypes]): void {
  const bucket = t.said(`${section}.Bucket`);
  if (bucket === undefined) throw t.bad(type, "bucket");
  const value = `${String(bucket.value)}/granary`;
  t.map(type, { setting: "s3.bucket", value });
  t.map(bucket, { setting: "s3.bucket", value, note: "ownPrefix" });
  const region = t.said(`${section}.Region`);
  if (region !== undefined) t.map(region, { setting: "s3.region", value: region.value });
  mapEndpoint(t, section);
  if (section === "Storage.Minio") {
    t.put("s3.pathStyle", "on", type.origin);
    mapKeys(t, section);
    return;
  }
  const style = t.said(`${section}.ForcePathStyle`);
  if (style === undefined) t.put("s3.pathStyle", "off", type.origin);
  else t.map(style, { setting: "s3.pathStyle", value: isYes(style.value) ? "on" : "off" });
  for (const name of ["CredentialsEndpoint", "AwsContainerCredentialsRelativeURI"]) {
    const said = t.said(`${section}.${name}`);
    if (said !== undefined) t.ignore(said, "sdkKeys");
  }
  mapAwsKeys(t, section);
}

function mapEndpoint(t: Translation, section: string): void {
  const ssl = t.said(`${section}.EnableSSL`);
  const endpoint = t.said(`${section}.Endpoint`);
  if (endpoint === undefined) {
    if (section === "Storage.Minio") throw t.bad(t.said("StorageType") ?? missing, "endpoint");
    return;
  }
  const text = String(endpoint.value);
  const scheme = section === "Storage.Minio" && !(ssl !== undefined && isYes(ssl.value)) ? "http" : "https";
  const url = /^https?:\/\//.test(text) ? text : `${scheme}://${text}`;
  if (!URL.canParse(url)) throw t.bad(endpoint, "endpoint");
  t.map(endpoint, { setting: "s3.endpoint", value: url });
  if (ssl !== undefined) t.map(ssl, { setting: "s3.endpoint", value: url });
}

const missing: Said = { key: { path: "StorageType", form: "text" }, value: "", origin: "default" };

function mapKeys(t: Translation, section: string): void {
  for (const [name, setting] of [
    ["Key", "s3.accessKey"],
    ["Secret", "s3.secretKey"],
  ] as const) {
    const said = t.said(`${section}.${name}`);
    if (said === undefined) continue;
    const isVariable = said.origin.startsWith("env ");
    t.map(said, { setting, value: isVariable ? `env:${said.key.env ?? ""}` : said.value });
  }
}

/** The SDK reads keys of the environment itself, with the token that belongs to those that expire. */
function mapAwsKeys(t: Translation, section: string): void {
  const isDefault = t.said(`${section}.UseDefaultConfiguration`);
  const isLeft = isDefault !== undefined && isYes(isDefault.value);
  const all = ["Key", "Secret", "Token"].map((name) => t.said(`${section}.${name}`));
  const said = all.filter((each) => each !== undefined);
  if (isDefault !== undefined) t.ignore(isDefault, "sdkKeys");
  const token = all[2];
  if (isLeft || said.every(({ origin }) => origin.startsWith("env ")))
    for (const each of said) t.ignore(each, "sdkKeys");
  else if (token === undefined) mapKeys(t, section);
  else for (const each of said) t.refuse(each, "sessionToken", ["s3.accessKey"]);
}

// ---- taking turns ----

/** The Redis of locks, when one is chosen. */
function redisEndpoint(t: Translation): Said | undefined {
  const isAsked = t.text("SingleFlightType") === "redis" || t.text("StorageType") === "redis";
  return isAsked ? t.said("SingleFlight.Redis.Endpoint") : undefined;
}

export function mapLocks(t: Translation): void {
  const type = t.said("SingleFlightType");
  const named = t.said("ATHENS_REDIS_CONNECTION_STRING");
  if (named !== undefined) t.map(named, { setting: "redis.url", value: [redisUrl(named, "", t)], note: "guideName" });
  const endpoint = redisEndpoint(t);
  const password = t.said("SingleFlight.Redis.Password");
  const cluster = t.said("SingleFlight.Redis.Cluster");
  if (endpoint !== undefined && named === undefined) {
    const seeds = cluster !== undefined && isYes(cluster.value) ? String(endpoint.value).split(",") : [endpoint.value];
    const urls = seeds.map((seed) =>
      redisUrl({ ...endpoint, value: String(seed).trim() }, String(password?.value ?? ""), t),
    );
    for (const said of [endpoint, password, cluster])
      if (said !== undefined)
        t.map(said, { setting: "redis.url", value: urls, ...(said === endpoint && optionsNote(endpoint)) });
  }
  for (const said of endpoint === undefined ? [] : [endpoint, password, cluster])
    if (said !== undefined && named !== undefined) t.ignore(said, "connectionString");
  mapLockType(t, type);
  const isRedis = type?.value === "redis" || endpoint !== undefined;
  for (const said of t.open) {
    if (!said.key.path.startsWith("SingleFlight.")) continue;
    // One variable is of several keys: what became of it is told once.
    if (t.isTold(said)) continue;
    const isOfLock = isRedis && said.key.path.startsWith("SingleFlight.Redis.LockConfig.");
    t.ignore(said, isOfLock ? "locks" : "otherLock");
  }
}

function mapLockType(t: Translation, type: Said | undefined): void {
  if (type === undefined) return;
  switch (type.value) {
    case "memory":
      t.ignore(type, "memoryLock");
      return;
    case "redis": {
      const url = t.entries.find(({ key }) => key === "redis.url")?.value ?? ["redis://127.0.0.1:6379"];
      t.map(type, { setting: "redis.url", value: url });
      return;
    }
    case "redis-sentinel":
    case "etcd":
    case "gcp":
    case "azureblob":
      t.ignore(type, "noSuchLock");
      return;
    default:
      throw t.bad(type, "lock");
  }
}

function optionsNote({ value }: Said): { readonly note?: "redisOptions" } {
  return String(value).includes("?") ? { note: "redisOptions" } : {};
}

/** `HOST:PORT`, or a URL, without the options of Athens' client behind `?`; a password of its own goes into it. */
function redisUrl(said: Said, password: string, t: Translation): string {
  const text = String(said.value);
  const url = /^rediss?:\/\//.test(text) ? text : `redis://${text}`;
  if (!URL.canParse(url) || (url !== text && !/^\[?[\w.:-]+\]?:\d{1,5}$/.test(text))) throw t.bad(said, "redis");
  const parsed = new URL(url);
  if (parsed.search === "" && password === "") return url;
  if (parsed.pathname === "" || parsed.pathname === "/") parsed.pathname = parsed.searchParams.get("db") ?? "";
  parsed.search = "";
  if (password === "") return parsed.href;
  if (parsed.password !== "" && decodeURIComponent(parsed.password) !== password) throw t.bad(said, "redis");
  parsed.password = encodeURIComponent(password);
  return parsed.href;
}
