// What Athens can be told: each key of its config.toml with the variable that overrides it, and the names that guides
// give it besides. Facts of its package pkg/config, as of 2026-06. What becomes of each is in athens-rules.ts, but for
// those that nothing here answers to: their reason stands beside them.

import type { ReasonName } from "./athens-texts.ts";

/** How a value is written: `variables` are NAME=VALUE pairs with `;` between, `pairs` a table of its own. */
export type AthensForm = "text" | "list" | "variables" | "whole" | "yes" | "fraction" | "pairs";

export type AthensKey = {
  /** `Storage.Disk.RootPath` stands below `[Storage.Disk]`. A key that only exists as a variable has its name. */
  readonly path: string;
  readonly env?: string;
  readonly form: AthensForm;
  readonly isSecret?: true;
  readonly ignored?: ReasonName;
};

type More = Pick<AthensKey, "isSecret" | "ignored">;

/** @param env "" for a key without a variable */
function key(path: string, env: string, form: AthensForm, more: More = {}): AthensKey {
  return { path, form, ...(env !== "" && { env }), ...more };
}
const secret = { isSecret: true } as const;
const ignored = (reason: ReasonName, more: More = {}): More => ({ ...more, ignored: reason });

const server: readonly AthensKey[] = [
  key("GoEnv", "GO_ENV", "text", ignored("goEnv")),
  key("Port", "ATHENS_PORT", "text"),
  key("PORT", "PORT", "text"),
  key("UnixSocket", "ATHENS_UNIX_SOCKET", "text"),
  key("TLSCertFile", "ATHENS_TLSCERT_FILE", "text"),
  key("TLSKeyFile", "ATHENS_TLSKEY_FILE", "text"),
  key("ForceSSL", "PROXY_FORCE_SSL", "yes", ignored("forceSsl")),
  key("PathPrefix", "ATHENS_PATH_PREFIX", "text"),
  key("BasicAuthUser", "BASIC_AUTH_USER", "text"),
  key("BasicAuthPass", "BASIC_AUTH_PASS", "text", secret),
  key("HomeTemplatePath", "ATHENS_HOME_TEMPLATE_PATH", "text", ignored("pages")),
  key("RobotsFile", "ATHENS_ROBOTS_FILE", "text", ignored("robots")),
  key("ShutdownTimeout", "ATHENS_SHUTDOWN_TIMEOUT", "whole"),
  key("ProtocolWorkers", "ATHENS_PROTOCOL_WORKERS", "whole", ignored("protocolWorkers")),
];

const watching: readonly AthensKey[] = [
  key("LogLevel", "ATHENS_LOG_LEVEL", "text"),
  key("LogFormat", "ATHENS_LOG_FORMAT", "text"),
  key("CloudRuntime", "ATHENS_CLOUD_RUNTIME", "text"),
  key("EnablePprof", "ATHENS_ENABLE_PPROF", "yes", ignored("pprof")),
  key("PprofPort", "ATHENS_PPROF_PORT", "text", ignored("pprof")),
  key("TraceExporter", "ATHENS_TRACE_EXPORTER", "text", ignored("traces")),
  key("TraceExporterURL", "ATHENS_TRACE_EXPORTER_URL", "text", ignored("traces")),
  key("TraceSamplingFraction", "ATHENS_TRACE_SAMPLING_FRACTION", "fraction", ignored("traces")),
  key("StatsExporter", "ATHENS_STATS_EXPORTER", "text", ignored("stats")),
];

const fetching: readonly AthensKey[] = [
  key("GoBinary", "GO_BINARY_PATH", "text", ignored("goBinary")),
  key("GoBinaryEnvVars", "ATHENS_GO_BINARY_ENV_VARS", "variables"),
  key("GoGetWorkers", "ATHENS_GOGET_WORKERS", "whole"),
  key("GoGetDir", "ATHENS_GOGET_DIR", "text"),
  key("Timeout", "ATHENS_TIMEOUT", "whole", ignored("timeout")),
  key("StashTimeout", "ATHENS_STASH_TIMEOUT", "whole"),
  key("NetworkMode", "ATHENS_NETWORK_MODE", "text"),
  key("DownloadMode", "ATHENS_DOWNLOAD_MODE", "text"),
  key("DownloadURL", "ATHENS_DOWNLOAD_URL", "text"),
  key("SumDBs", "ATHENS_SUM_DBS", "list"),
  key("NoSumPatterns", "ATHENS_GONOSUM_PATTERNS", "list"),
  key("NETRCPath", "ATHENS_NETRC_PATH", "text"),
  key("GithubToken", "ATHENS_GITHUB_TOKEN", "text", secret),
  key("HGRCPath", "ATHENS_HGRC_PATH", "text", ignored("mercurial")),
  key("FilterFile", "ATHENS_FILTER_FILE", "text"),
  key("GlobalEndpoint", "ATHENS_GLOBAL_ENDPOINT", "text", ignored("globalEndpoint")),
  key("ValidatorHook", "ATHENS_PROXY_VALIDATOR", "text"),
];

const locks: readonly AthensKey[] = [
  key("SingleFlightType", "ATHENS_SINGLE_FLIGHT_TYPE", "text"),
  key("SingleFlight.Etcd.Endpoints", "ATHENS_ETCD_ENDPOINTS", "text"),
  key("SingleFlight.Redis.Endpoint", "ATHENS_REDIS_ENDPOINT", "text"),
  key("SingleFlight.Redis.Password", "ATHENS_REDIS_PASSWORD", "text", secret),
  key("SingleFlight.Redis.Cluster", "ATHENS_REDIS_CLUSTER", "yes"),
  key("SingleFlight.Redis.LockConfig.TTL", "ATHENS_REDIS_LOCK_TTL", "whole"),
  key("SingleFlight.Redis.LockConfig.Timeout", "ATHENS_REDIS_LOCK_TIMEOUT", "whole"),
  key("SingleFlight.Redis.LockConfig.MaxRetries", "ATHENS_REDIS_LOCK_MAX_RETRIES", "whole"),
  key("SingleFlight.RedisSentinel.Endpoints", "ATHENS_REDIS_SENTINEL_ENDPOINTS", "list"),
  key("SingleFlight.RedisSentinel.MasterName", "ATHENS_REDIS_SENTINEL_MASTER_NAME", "text"),
  key("SingleFlight.RedisSentinel.SentinelPassword", "ATHENS_REDIS_SENTINEL_PASSWORD", "text", secret),
  key("SingleFlight.RedisSentinel.RedisUsername", "ATHENS_REDIS_USERNAME", "text"),
  key("SingleFlight.RedisSentinel.RedisPassword", "ATHENS_REDIS_PASSWORD", "text", secret),
  key("SingleFlight.RedisSentinel.DB", "ATHENS_REDIS_SENTINEL_DB", "whole"),
  key("SingleFlight.RedisSentinel.LockConfig.TTL", "ATHENS_REDIS_LOCK_TTL", "whole"),
  key("SingleFlight.RedisSentinel.LockConfig.Timeout", "ATHENS_REDIS_LOCK_TIMEOUT", "whole"),
  key("SingleFlight.RedisSentinel.LockConfig.MaxRetries", "ATHENS_REDIS_LOCK_MAX_RETRIES", "whole"),
  key("SingleFlight.GCP.StaleThreshold", "ATHENS_GCP_STALE_THRESHOLD", "whole"),
];

const storage: readonly AthensKey[] = [
  key("StorageType", "ATHENS_STORAGE_TYPE", "text"),
  key("Storage.Disk.RootPath", "ATHENS_DISK_STORAGE_ROOT", "text"),
  key("Storage.S3.Region", "AWS_REGION", "text"),
  key("Storage.S3.Key", "AWS_ACCESS_KEY_ID", "text", secret),
  key("Storage.S3.Secret", "AWS_SECRET_ACCESS_KEY", "text", secret),
  key("Storage.S3.Token", "AWS_SESSION_TOKEN", "text", secret),
  key("Storage.S3.Bucket", "ATHENS_S3_BUCKET_NAME", "text"),
  key("Storage.S3.UseDefaultConfiguration", "AWS_USE_DEFAULT_CONFIGURATION", "yes"),
  key("Storage.S3.ForcePathStyle", "AWS_FORCE_PATH_STYLE", "yes"),
  key("Storage.S3.CredentialsEndpoint", "AWS_CREDENTIALS_ENDPOINT", "text"),
  key("Storage.S3.AwsContainerCredentialsRelativeURI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "text"),
  key("Storage.S3.Endpoint", "AWS_ENDPOINT", "text"),
  key("Storage.Minio.Endpoint", "ATHENS_MINIO_ENDPOINT", "text"),
  key("Storage.Minio.Key", "ATHENS_MINIO_ACCESS_KEY_ID", "text", secret),
  key("Storage.Minio.Secret", "ATHENS_MINIO_SECRET_ACCESS_KEY", "text", secret),
  key("Storage.Minio.Bucket", "ATHENS_MINIO_BUCKET_NAME", "text"),
  key("Storage.Minio.Region", "ATHENS_MINIO_REGION", "text"),
  key("Storage.Minio.EnableSSL", "ATHENS_MINIO_USE_SSL", "yes"),
  key("Storage.GCP.ProjectID", "GOOGLE_CLOUD_PROJECT", "text"),
  key("Storage.GCP.Bucket", "ATHENS_STORAGE_GCP_BUCKET", "text"),
  key("Storage.GCP.JSONKey", "ATHENS_STORAGE_GCP_JSON_KEY", "text", secret),
  key("Storage.Mongo.URL", "ATHENS_MONGO_STORAGE_URL", "text", secret),
  key("Storage.Mongo.DefaultDBName", "ATHENS_MONGO_DEFAULT_DATABASE", "text"),
  key("Storage.Mongo.DefaultCollectionName", "ATHENS_MONGO_DEFAULT_COLLECTION", "text"),
  key("Storage.Mongo.CertPath", "ATHENS_MONGO_CERT_PATH", "text"),
  key("Storage.Mongo.InsecureConn", "ATHENS_MONGO_INSECURE", "yes"),
  key("Storage.AzureBlob.AccountName", "ATHENS_AZURE_ACCOUNT_NAME", "text"),
  key("Storage.AzureBlob.AccountKey", "ATHENS_AZURE_ACCOUNT_KEY", "text", secret),
  key("Storage.AzureBlob.ManagedIdentityResourceID", "ATHENS_AZURE_MANAGED_IDENTITY_RESOURCE_ID", "text"),
  key("Storage.AzureBlob.CredentialScope", "ATHENS_AZURE_CREDENTIAL_SCOPE", "text"),
  key("Storage.AzureBlob.ContainerName", "ATHENS_AZURE_CONTAINER_NAME", "text"),
  key("Storage.External.URL", "ATHENS_EXTERNAL_STORAGE_URL", "text"),
  // In its example file, and read by nothing of it.
  key("Storage.CDN.Endpoint", "CDN_ENDPOINT", "text", ignored("unread")),
  key("Storage.Mongo.Insecure", "", "yes", ignored("unread")),
];

const index: readonly AthensKey[] = [
  key("IndexType", "ATHENS_INDEX_TYPE", "text", ignored("index")),
  key("Index.MySQL.Protocol", "ATHENS_INDEX_MYSQL_PROTOCOL", "text", ignored("index")),
  key("Index.MySQL.Host", "ATHENS_INDEX_MYSQL_HOST", "text", ignored("index")),
  key("Index.MySQL.Port", "ATHENS_INDEX_MYSQL_PORT", "whole", ignored("index")),
  key("Index.MySQL.User", "ATHENS_INDEX_MYSQL_USER", "text", ignored("index")),
  key("Index.MySQL.Password", "ATHENS_INDEX_MYSQL_PASSWORD", "text", ignored("index", secret)),
  key("Index.MySQL.Database", "ATHENS_INDEX_MYSQL_DATABASE", "text", ignored("index")),
  key("Index.MySQL.Params", "ATHENS_INDEX_MYSQL_PARAMS", "pairs", ignored("index")),
  key("Index.Postgres.Host", "ATHENS_INDEX_POSTGRES_HOST", "text", ignored("index")),
  key("Index.Postgres.Port", "ATHENS_INDEX_POSTGRES_PORT", "whole", ignored("index")),
  key("Index.Postgres.User", "ATHENS_INDEX_POSTGRES_USER", "text", ignored("index")),
  key("Index.Postgres.Password", "ATHENS_INDEX_POSTGRES_PASSWORD", "text", ignored("index", secret)),
  key("Index.Postgres.Database", "ATHENS_INDEX_POSTGRES_DATABASE", "text", ignored("index")),
  key("Index.Postgres.Params", "ATHENS_INDEX_POSTGRES_PARAMS", "pairs", ignored("index")),
];

/** Names that guides give to Athens and Athens does not have. */
const guides: readonly AthensKey[] = [
  key("ATHENS_DISK_CACHE_ROOT", "ATHENS_DISK_CACHE_ROOT", "text"),
  key("ATHENS_REDIS_CONNECTION_STRING", "ATHENS_REDIS_CONNECTION_STRING", "text", secret),
];

export const athensKeys: readonly AthensKey[] = [
  ...server,
  ...watching,
  ...fetching,
  ...locks,
  ...storage,
  ...index,
  ...guides,
];

/** True for keys that no config.toml can hold. */
export function isVariableOnly({ path, env }: AthensKey): boolean {
  return path === env;
}
