// Where Redis is, out of a URL, and texts about it without its password.

export type RedisAddress = {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
};

const defaultPort = 6379;
/** Redis has 16 unless told otherwise. */
const maxDatabase = 65_535;

/** `redis[s]://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`; the reason as a text when it is none. Never quotes the URL. */
export function parseRedisUrl(text: string): RedisAddress | string {
  if (!URL.canParse(text)) return "it is not a URL";
  const url = new URL(text);
  if (url.protocol !== "redis:" && url.protocol !== "rediss:") return "it begins with neither redis:// nor rediss://";
  if (url.hostname === "") return "it names no host";
  if (url.search !== "" || url.hash !== "") return "nothing may follow the database's number";
  const [, digits] = /^\/?(\d{0,5})$/.exec(url.pathname) ?? [];
  if (digits === undefined || Number(digits) > maxDatabase) return "its path is not the number of a database";
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (username === undefined || password === undefined) return "its user or password is not percent-encoded";
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? defaultPort : Number(url.port),
    tls: url.protocol === "rediss:",
    username: username === "" ? undefined : username,
    password: password === "" ? undefined : password,
    database: Number(digits),
  };
}

/** Why these cannot be nodes of one cluster; undefined when they can. */
export function whyNoCluster(addresses: readonly RedisAddress[]): string | undefined {
  const [first] = addresses;
  if (addresses.some(({ database }) => database !== 0)) return "a cluster has only database 0";
  const isLikeFirst = ({ tls, username, password }: RedisAddress): boolean =>
    tls === first?.tls && username === first.username && password === first.password;
  return addresses.every(isLikeFirst) ? undefined : "the nodes of a cluster share scheme, user and password";
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

const maxReason = 200;

/** What went wrong, in one line and without a secret. */
export function reasonOf(error: unknown, addresses: readonly RedisAddress[]): string {
  let text = error instanceof Error ? messageOf(error) : String(error);
  for (const secret of addresses.flatMap(secretsOf)) text = text.replaceAll(secret, "***");
  return text
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .slice(0, maxReason);
}

/** A failure to connect to a name with several addresses says so in its parts only. */
function messageOf(error: Error): string {
  if (error.message !== "" || !(error instanceof AggregateError)) return error.message || error.name;
  const [first] = error.errors as readonly unknown[];
  return first instanceof Error ? first.message : error.name;
}

function secretsOf({ username, password }: RedisAddress): readonly string[] {
  const known = [password, username].filter((secret) => secret !== undefined);
  return known.flatMap((secret) => [secret, encodeURIComponent(secret)]);
}
