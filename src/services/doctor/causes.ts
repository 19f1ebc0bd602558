// Which finding is the cause when several are seen at once. A name that resolves to a wrong address makes TLS fail, which
// makes every request fail: the first of these is what to mend.

/** From cause to consequence; of two codes the one whose prefix stands earlier is told first. The longest prefix decides. */
const order: readonly string[] = [
  // Without these no go command runs as people think it does.
  "GO_",
  "ENV_",
  "SCOPE_HOME",
  // What go is told to do.
  "CHAIN_",
  "SUMDB_",
  // The way to a host, from the bottom up.
  "DNS_",
  "TCP_",
  "TLS_",
  // A list that stops where another entry would have done is mended sooner than the server that made it stop.
  "CHAIN_SEEN_STOP",
  "HTTP_",
  // What came.
  "CHAIN_SEEN_",
  "MIRROR_",
  "CACHE_",
  "SCOPE_",
  // The go command's own words for what stands above.
  "GO_ERR_",
  "GO_BUILD_LIST",
  "GO_MISSING",
];

/** 0 for the deepest cause. */
export function rankOf(code: string): number {
  let rank = order.length;
  let length = 0;
  for (const [at, prefix] of order.entries())
    if (code.startsWith(prefix) && prefix.length > length) [rank, length] = [at, prefix.length];
  return rank;
}
