// What may stand in a generated nginx configuration. nginx has its own rules for quotes, `$` and `;`, and they differ from
// directive to directive: instead of escaping, everything that any of them could read in another way is refused here.

/** `node1.example.com:8080`, `10.0.0.1:8080`, `[fd00::1]:8080`. */
export type NodeAddress = {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
};

/** Undefined for what is none. Without a scheme it is plain HTTP. */
export function parseNode(text: string): NodeAddress | undefined {
  const [, scheme = "http", rest = ""] = /^(?:(https?):\/\/)?([^/]*)\/?$/.exec(text) ?? [];
  const parts = hostPort(rest);
  return parts && { ...parts, isTls: scheme === "https" };
}

/** `443`, `127.0.0.1:8443`, `[::]:443`; without a host it is every IPv4 address. Undefined for what is none. */
export function parseListen(text: string): { readonly host: string | undefined; readonly port: number } | undefined {
  const port = portOf(text);
  return port === undefined ? hostPort(text) : { host: undefined, port };
}

/** A DNS name, `*.example.com` too; undefined for what is none. */
export function parseServerName(text: string): string | undefined {
  return dnsName.test(text.replace(/^\*\./, "")) ? text : undefined;
}

/** An absolute path of letters, digits and `. _ - + @ = , ~`; undefined for every other. */
export function parsePathText(text: string): string | undefined {
  const isPlain = /^\/[\p{L}\p{N}._+@=,~/-]*$/u.test(text);
  return isPlain && !text.split("/").includes("..") && text.length <= maxPath ? text : undefined;
}

/** `10g`, `512m`, `1GiB` as nginx writes it; undefined for what is none. */
export function parseSize(text: string): string | undefined {
  const [, number = "", unit = ""] = /^([1-9]\d{0,8})([kmg])(?:i?b)?$/i.exec(text) ?? [];
  return number === "" ? undefined : `${number}${unit.toLowerCase()}`;
}

/** `1.22`, `1.25.3`: parts; undefined for what is none. */
export function parseNginxVersion(text: string): readonly [number, number, number] | undefined {
  const [, major, minor, patch = "0"] = /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?$/.exec(text) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

/** Linux's PATH_MAX is 4,096; nobody's certificate lies so deep. */
const maxPath = 1_000;

const dnsName = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?)*$/i;

function hostPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, Math.max(colon, 0));
  const port = portOf(text.slice(colon + 1));
  const isHost = dnsName.test(host) || /^\[[0-9a-f:.]{2,45}\]$/i.test(host);
  return port === undefined || !isHost ? undefined : { host, port };
}

function portOf(text: string): number | undefined {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}
