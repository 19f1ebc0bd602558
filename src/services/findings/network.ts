// The network: TLS and TCP, DNS.

import type { Area } from "./finding.ts";
import { tlsFindings } from "./network-tls.ts";

export const networkFindings = { ...tlsFindings } as const satisfies Area;
