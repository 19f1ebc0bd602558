// The Go project's official services. Their hosts are composed here, from the domain and the service's label, and
// spelled nowhere else; the one exception is Go's own alias of the database in mainland China (cmd/go modfetch.dbDial).

export const officialDomain = "golang.org";

const databaseLabel = "sum";

export const officialProxyHost = `proxy.${officialDomain}`;
export const officialProxyURL = `https://${officialProxyHost}`;

/** The name of the public checksum database, as clients write it in GOSUMDB. */
export const sumdbName = `${databaseLabel}.${officialDomain}`;

/** Its verifier key, as built into the go command (cmd/go modfetch/key.go). */
export const sumdbKey = `${sumdbName}+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8`;

/** Go's own alias of the public database, on another domain. A GOSUMDB of exactly this host means it, fetched from here. */
export const sumdbMirrorChina = `${databaseLabel}.golang.google.cn`;

/** GOPROXY in the go.env of the official distribution. */
export const goDefaultProxyList = `${officialProxyURL},direct`;
