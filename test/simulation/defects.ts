// What the simulation must be able to find: a server that is wrong in one way.

export const defects = {
  "manifest-first": "the storage writes a manifest before the files it names",
  "acknowledged-early": "the storage says that a change is durable before it is",
  "stages-stay": "stages that are not kept are never given back",
  "unverified-relay": "bytes from upstream are kept and served without asking a checksum database",
  "unchecked-reads": "kept zips are served without holding them against their manifest",
  "absent-when-in-doubt": "an upstream's failure is told to the client as 404",
  "list-forgets": "a list that no upstream vouches for lacks its newest version",
  "record-of-another": "a checksum lookup answers with the record of another version",
  "evictions-forget": "an eviction takes the manifests too, so that nobody knows which bytes were given out",
  "joiners-forgotten": "who asks for what another client is being answered waits for ever",
} as const;

export type Defect = keyof typeof defects;

export function isDefect(name: string): name is Defect {
  return Object.hasOwn(defects, name);
}
