// The network: TLS and TCP, DNS.

import type { Area } from "./finding.ts";
import { dnsFindings } from "./network-dns.ts";
import { tlsFindings } from "./network-tls.ts";

export const networkFindings = { ...tlsFindings, ...dnsFindings } as const satisfies Area;
