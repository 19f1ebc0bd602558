// nginx in front of one Granary or several: a file for its conf.d, which stands inside of `http { … }`.
//
// What has to hold, and why it is written as it is (docs/nginx.md says it to operators):
// - Request targets reach a node byte for byte: `proxy_pass` has no URI part, so nginx hands on what the client sent.
//   With one, or with a rewrite, it would decode `%21` and merge slashes.
// - A node's own 502, 503 and 504 are answers about one module. They are not tried again at the next node, which would ask
//   the same upstreams; nor do they count against the node, or three requests for one broken module would take all out.
// - Nothing that a token was needed for is ever on nginx's disk: not stored, and not in a temporary file either.

import type { NodeAddress } from "./nginx-values.ts";

export type NginxCache = {
  readonly dir: string;
  /** Bytes on disk, `10g`. */
  readonly size: string;
  /** Memory for keys, `10m`. */
  readonly zone: string;
};

export type NginxTls = {
  readonly cert: string;
  readonly key: string;
  /** `hardened`: TLS 1.3 only; `compat`: 1.2 and 1.3. */
  readonly profile: "hardened" | "compat";
  /** `directive`: `http2 on;`, from 1.25.1 on. `listen`: the older form, which newer ones take with a warning. */
  readonly http2: "listen" | "directive" | "off";
};

export type NginxOptions = {
  /** At least one; all with TLS or none. */
  readonly nodes: readonly NodeAddress[];
  /** Authorities of the nodes' certificates, and the name in these: for nodes with TLS. */
  readonly nodeTrust: { readonly ca: string; readonly name: string } | undefined;
  readonly serverName: string;
  /** As it stands behind `listen`. */
  readonly listen: string;
  readonly tls: NginxTls | undefined;
  readonly cache: NginxCache | undefined;
};

/** How the file begins: whoever writes one knows its own again. */
export const nginxHeader = "# Granary behind nginx. Made by `granary gen nginx`";

/** From this version on HTTP/2 has a directive of its own. */
export const http2DirectiveSince = [1, 25, 1] as const;

/** The whole file. */
export function nginxConfig(options: NginxOptions): string {
  const { cache } = options;
  const blocks = [
    `${nginxHeader}; it belongs inside of http { … },\n# for example as /etc/nginx/conf.d/granary.conf.\n`,
    upstreamBlock(options.nodes),
    ...(cache === undefined ? [] : [cacheBlock(cache)]),
    serverBlock(options),
  ];
  return blocks.join("\n");
}

function upstreamBlock(nodes: readonly NodeAddress[]): string {
  const addresses = nodes.map(({ host, port }) => `${host}:${port}`);
  return `upstream granary {
    # Shared by all workers of nginx, or each would count connections for itself.
    zone granary_nodes 256k;
    least_conn;
    # nginx (the open-source one) notices a dead node by its failures alone: it asks nobody for /-/readyz.
${addresses.map((address) => `    server ${address} max_fails=1 fail_timeout=5s;`).join("\n")}
    # The same once more, used only while all of the above count as failed: after a restart of all of them in a row,
    # or nginx would answer 502 for seconds though they are back.
${addresses.map((address) => `    server ${address} backup max_fails=0;`).join("\n")}
    keepalive 64;
    # Shorter than a node keeps an idle connection (120 s), so that nginx closes it and not the node.
    keepalive_timeout 60s;
    keepalive_requests 100000;
}
`;
}

function cacheBlock({ dir, size, zone }: NginxCache): string {
  return `# ${zone} of memory for keys (8,000 keys in each megabyte), ${size} of disk for what they name. Beyond either, what was
# unused longest leaves; what nobody asked for in 30 days leaves too.
proxy_cache_path ${dir} levels=1:2 keys_zone=granary_cache:${zone} max_size=${size} inactive=30d use_temp_path=off;

# A client's "Cache-Control: no-cache" asks upstreams anew: it must reach a node.
map $http_cache_control $granary_anew {
    default 0;
    ~*no-cache 1;
}

# Only good answers are stored: a 404 that is stored would be repeated for as long as all nodes are away. (304 says that
# what is stored is still good.)
map $upstream_status $granary_failed {
    default 0;
    ~(30[0-35-9]|[45]\\d\\d)$ 1;
}

# What a node said of its cache when the answer was stored is old news: these two headers speak of nginx where it answered.
map $upstream_cache_status $granary_cache_header {
    default $upstream_http_x_go_proxy_cache;
    ~^(HIT|STALE|UPDATING|REVALIDATED)$ HIT;
}
map $upstream_cache_status $granary_status_header {
    default $upstream_http_x_go_proxy_status;
    HIT "-|HIT";
    ~^(STALE|UPDATING)$ "-|STALE";
    REVALIDATED "HIT|EXPIRED";
}
`;
}

function serverBlock(options: NginxOptions): string {
  const { tls, cache, serverName } = options;
  return `server {
${listenLines(options)}
    server_name ${serverName};
    server_tokens off;
${tls === undefined ? plainLines : tlsLines(tls)}
    # Targets are read by the nodes, as they were sent.
    merge_slashes off;
    # It would change the bytes that an ETag names.
    gzip off;
    # Of the sentences that nginx answers with itself.
    default_type text/plain;

    # go keeps an idle connection for 90 s: it closes first.
    keepalive_timeout 100s;
    keepalive_requests 100000;
    client_header_timeout 20s;
    client_body_timeout 60s;
    send_timeout 120s;
    # go takes no larger module zip (500 MiB); a node has its own limits besides.
    client_max_body_size 501m;

    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    # Tells a node on this machine that it is not asked by this machine's own user, who may read private modules.
    # Nobody's word is believed otherwise: the address itself is not used.
    proxy_set_header X-Forwarded-For $remote_addr;
${nodeTrustLines(options)}
    proxy_connect_timeout 2s;
    proxy_send_timeout 120s;
    # A node answers when a version is proven: for a large zip over a slow link that takes minutes.
    proxy_read_timeout 600s;

    # Only a node that cannot be reached, or breaks off before it answers: its own 502, 503 and 504 are about a module.
    proxy_next_upstream error timeout;
    proxy_next_upstream_tries 4;
    proxy_next_upstream_timeout 30s;

    # No temporary files (answers to be stored aside): a zip goes through memory at the client's pace.
    proxy_buffering on;
    proxy_buffer_size 16k;
    proxy_buffers 16 64k;
    proxy_busy_buffers_size 128k;
    proxy_max_temp_file_size 0;
    # An upload goes through as it comes; \`granary publish\` repeats one that fails.
    proxy_request_buffering off;
    proxy_redirect off;

    location / {
        proxy_pass ${scheme(options)}://granary;${cache === undefined ? "" : cacheLines}
    }

    # Whether some node answers, and takes requests. Never from a cache.
    location = /-/livez {
        proxy_pass ${scheme(options)}://granary;
    }
    location = /-/readyz {
        proxy_pass ${scheme(options)}://granary;
    }
    location ^~ /-/chunks/ {
        proxy_pass ${scheme(options)}://granary;
    }

    # The house of each node (metrics, status, jobs) is asked at the node itself.
    location = / {
        return 404 "Ask each node for its status page.\\n";
    }
    location ^~ /-/ {
        return 404 "Ask each node for this.\\n";
    }
    location = /metrics {
        return 404 "Ask each node for its metrics.\\n";
    }
}
`;
}

const cacheLines = `

        proxy_cache granary_cache;
        # The target as it was sent; GET and HEAD share an entry.
        proxy_cache_key $request_uri;
        # How long, and whether at all, is what a node says in Cache-Control: private modules are never stored.
        proxy_cache_bypass $http_authorization $http_disable_module_fetch $granary_anew;
        proxy_no_cache $http_authorization $http_disable_module_fetch $granary_failed;
        # While no node answers, what is stored is served, however old: a version's bytes do not change.
        proxy_cache_use_stale error timeout updating http_502 http_503 http_504;
        proxy_cache_background_update on;
        # What has grown old is compared by its ETag, not sent again.
        proxy_cache_revalidate on;
        # One of many who ask at once fetches; the others wait this long for it, then ask a node, which lets them share.
        proxy_cache_lock on;
        proxy_cache_lock_timeout 2s;
        proxy_cache_lock_age 10s;
        proxy_hide_header X-Go-Proxy-Cache;
        proxy_hide_header X-Go-Proxy-Status;
        add_header X-Go-Proxy-Cache $granary_cache_header always;
        add_header X-Go-Proxy-Status $granary_status_header always;
        add_header X-Cache-Status $upstream_cache_status always;`;

function scheme({ nodes }: NginxOptions): "http" | "https" {
  return nodes.some(({ isTls }) => isTls) ? "https" : "http";
}

function listenLines({ listen, tls }: NginxOptions): string {
  if (tls === undefined) return `    listen ${listen};`;
  if (tls.http2 === "directive") return `    listen ${listen} ssl;\n    http2 on;`;
  return `    listen ${listen} ssl${tls.http2 === "listen" ? " http2" : ""};`;
}

const plainLines = `    # PLAIN HTTP: whoever is on the way reads along. Give no tokens to clients, or make this file with --tls-cert and
    # --tls-key.
`;

/** Those with forward secrecy and authenticated encryption alone (RFC 9325 §4.2). */
const compatCiphers = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

function tlsLines({ cert, key, profile, http2 }: NginxTls): string {
  const protocols =
    profile === "hardened"
      ? "    ssl_protocols TLSv1.3;"
      : `    ssl_protocols TLSv1.2 TLSv1.3;\n    ssl_ciphers ${compatCiphers};\n    ssl_prefer_server_ciphers off;`;
  return `
    ssl_certificate ${cert};
    ssl_certificate_key ${key};
${protocols}
    ssl_session_cache shared:granary_tls:10m;
    ssl_session_timeout 1d;
    # Keys of tickets are as old as nginx's start: forward secrecy would end there.
    ssl_session_tickets off;
${http2 === "off" ? "" : "    http2_max_concurrent_streams 250;\n"}`;
}

function nodeTrustLines({ nodeTrust }: NginxOptions): string {
  if (nodeTrust === undefined) return "";
  return `    proxy_ssl_protocols TLSv1.2 TLSv1.3;
    proxy_ssl_verify on;
    proxy_ssl_verify_depth 4;
    proxy_ssl_trusted_certificate ${nodeTrust.ca};
    proxy_ssl_server_name on;
    proxy_ssl_name ${nodeTrust.name};
`;
}
