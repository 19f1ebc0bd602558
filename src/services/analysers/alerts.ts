// TLS alerts (RFC 8446 §6) in Go's words (crypto/tls alertText), and how OpenSSL's verdicts are called.

const texts: Readonly<Record<number, string>> = {
  0: "close notify",
  10: "unexpected message",
  20: "bad record MAC",
  22: "record overflow",
  40: "handshake failure",
  42: "bad certificate",
  43: "unsupported certificate",
  44: "revoked certificate",
  45: "expired certificate",
  46: "unknown certificate",
  47: "illegal parameter",
  48: "unknown certificate authority",
  49: "access denied",
  50: "error decoding message",
  51: "error decrypting message",
  70: "protocol version not supported",
  71: "insufficient security level",
  80: "internal error",
  86: "inappropriate fallback",
  90: "user canceled",
  109: "missing extension",
  110: "unsupported extension",
  112: "unrecognized name",
  116: "certificate required",
  120: "no application protocol",
};

/** `remote error: tls: unrecognized name` */
export function goAlert(alert: number): string {
  return `remote error: tls: ${texts[alert] ?? `alert(${alert})`}`;
}

/** `X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT` for Node's `DEPTH_ZERO_SELF_SIGNED_CERT`. */
export function opensslName(code: string): string {
  return /^[A-Z0-9_]+$/.test(code) ? `X509_V_ERR_${code}` : code;
}
