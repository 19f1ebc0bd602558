// One life of a connection: to one Redis, or to all masters of a cluster. It is never mended: whatever breaks ends it, and
// the link (_redis-link.ts) makes a new one. So no command waits here for a connection, to be run minutes later.

import type * as driverModule from "./_driver-redis.ts";
import type { RedisAddress } from "./_redis-address.ts";

/** What Redis answers in version 2 of its protocol. */
export type Reply = string | number | null | readonly Reply[];

export interface Wire {
  /** Rejects when no command can be sent. */
  connect(): Promise<void>;
  /** @param key by which a cluster finds the node; undefined for any. Rejects with what Redis or the socket said. */
  send(key: string | undefined, args: readonly string[]): Promise<Reply>;
  /** Hears these channels until the connection ends. */
  subscribe(channels: readonly string[], hear: (message: string, channel: string) => void): Promise<void>;
  /** Ends it at once; what was sent and not answered rejects. Idempotent. */
  destroy(): void;
}

export type WireOptions = {
  readonly addresses: readonly RedisAddress[];
  readonly ca: readonly string[] | undefined;
  /** As `CLIENT LIST` shows it. */
  readonly name: string;
  /** What is not on the socket after this is taken back. */
  readonly timeoutMs: number;
};

/** Redis answered, and its answer was an error. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** Called once the connection is of no use any more. */
type OnBroken = (error: unknown) => void;

const connectTimeoutMs = 2_000;
/** Commands on their way at once; with 100 ms for each this is far more than one node sends. */
const maxCommands = 10_000;

type Driver = typeof driverModule;

function socketOf({ host, port, tls }: RedisAddress, ca: readonly string[] | undefined): Record<string, unknown> {
  const common = { host, port, connectTimeout: connectTimeoutMs, reconnectStrategy: false };
  return tls ? { ...common, tls: true, ...(ca === undefined ? {} : { ca }) } : common;
}

function commonOptions(
  { username, password }: RedisAddress,
  { name, timeoutMs }: WireOptions,
): Record<string, unknown> {
  return {
    RESP: 2,
    name,
    disableOfflineQueue: true,
    commandsQueueMaxLength: maxCommands,
    maintNotifications: "disabled",
    disableClientInfo: true,
    commandOptions: { timeout: timeoutMs },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

/** A connection to one Redis, the only kind that can subscribe: in a cluster every node hears every channel. */
export function openOne(
  driver: Driver,
  options: WireOptions & { readonly address: RedisAddress },
  onBroken: OnBroken,
): Wire {
  const { address, ca } = options;
  const client = driver.createClient({
    ...commonOptions(address, options),
    database: address.database,
    socket: socketOf(address, ca),
  });
  client.on("error", onBroken);
  client.on("end", () => onBroken(new Error("the connection ended")));
  return {
    async connect() {
      await client.connect();
    },
    send: (_key, args) => answerTo(driver, client.sendCommand([...args])),
    async subscribe(channels, hear) {
      await client.subscribe([...channels], hear);
    },
    destroy: () => quietly(() => client.destroy()),
  };
}

/** Connections to all masters of a cluster, found through any of the addresses. */
export function openCluster(driver: Driver, options: WireOptions, onBroken: OnBroken): Wire {
  const { addresses, ca, timeoutMs } = options;
  const [first] = addresses;
  if (first === undefined) throw new TypeError("a cluster without an address");

  const cluster = driver.createCluster({
    RESP: 2,
    rootNodes: addresses.map(({ host, port }) => ({ socket: { host, port } })),
    defaults: { ...commonOptions(first, options), socket: socketOf(first, ca) },
    commandOptions: { timeout: timeoutMs },
    // A slot that moves answers MOVED once; more turns mean that nobody knows.
    maxCommandRedirections: 3,
  });
  let isConnected = false;
  cluster.on("error", (error: unknown) => {
    if (isConnected) onBroken(error);
  });
  cluster.on("node-error", (error: unknown) => {
    if (isConnected) onBroken(error);
  });
  return {
    async connect() {
      await cluster.connect();
      isConnected = true;
    },
    send: (key, args) => answerTo(driver, cluster.sendCommand(key, false, [...args])),
    subscribe: () => Promise.reject(new TypeError("subscribe to one node")),
    destroy: () => quietly(() => cluster.destroy()),
  };
}

async function answerTo(driver: Driver, sent: Promise<unknown>): Promise<Reply> {
  try {
    return (await sent) as Reply;
  } catch (error) {
    throw error instanceof driver.ErrorReply ? new Refused(error.message) : error;
  }
}

/** The client throws when it is closed already. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // It is closed, as it should be.
  }
}
