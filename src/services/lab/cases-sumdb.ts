// Conformance: the checksum database behind /sumdb/<name>/ (cmd/go modfetch sumdb.go), proven as go proves it.
import { findSums, parseLookup } from "#protocol/record.ts";
import type { LogRecord } from "#protocol/record.ts";
import { hashGoMod } from "#protocol/dirhash.ts";
import { openCheckpoint } from "#protocol/checkpoint.ts";
import type { Checkpoint } from "#protocol/checkpoint.ts";
import { parseVerifierKey } from "#protocol/note.ts";
import { proveTree, recordHash, checkTree, isEqualHash, storedHashIndex } from "#protocol/tlog.ts";
import { readHashes, treeReader } from "#protocol/tree-reader.ts";
import type { TileReader } from "#protocol/tree-reader.ts";
import { formatTilePath, fullTile } from "#protocol/tile.ts";
import type { Tile } from "#protocol/tile.ts";
import { zipReport } from "./cases-files.ts";
import { describe, expect, mediaType, need } from "./conformance-lab.ts";
import type { ConformanceCase, Lab, ModuleSample } from "./conformance-lab.ts";
import { fileTarget, unknownModule, wire } from "./conformance-paths.ts";
import { holds } from "./conformance-rules.ts";

const tunnelSpec = "cmd/go modfetch sumdb.go initBase";
const serverSpec = "x/mod sumdb/server.go";
const clientSpec = "x/mod sumdb/client.go";
/** cmd/go never sets another. */
const tileHeight = 8;
const hashBytes = 32;

const tunnelCases: readonly ConformanceCase[] = [
  {
    id: "SUMDB-SUPPORTED",
    severity: "must",
    en: "/supported of the database is 200",
    zh: "数据库的 /supported 返回 200",
    spec: tunnelSpec,
    check: (lab) => lab.ok(`${root(lab)}/supported`),
  },
  {
    id: "SUMDB-UNKNOWN",
    severity: "must",
    en: "/supported of an unknown database is 404 or 410, so that go asks elsewhere",
    zh: "未知数据库的 /supported 返回 404 或 410，go 才会另寻来源",
    spec: tunnelSpec,
    check: (lab) => lab.absent("/sumdb/granary-conformance.invalid/supported"),
  },
  {
    id: "SUMDB-NO-RELAY",
    severity: "must",
    en: "/sumdb/<host>/… fetches nothing from hosts a client names (open relay, SSRF)",
    zh: "/sumdb/<主机>/… 不会访问客户端指定的主机（开放中继、SSRF）",
    spec: tunnelSpec,
    check: async (lab) => {
      const paths = ["latest", "lookup/rsc.io/quote@v1.5.2", "tile/8/0/000"];
      for (const host of ["127.0.0.1", "127.0.0.1:1", "localhost", "[::1]", "169.254.169.254", "example.invalid/x"]) {
        for (const path of paths) await lab.refused({ method: "GET", target: `/sumdb/${host}/${path}` });
      }
    },
  },
  {
    id: "SUMDB-OTHER-PATHS",
    severity: "must",
    en: "paths a checksum database does not have are refused",
    zh: "校验和数据库没有的路径会被拒绝",
    spec: serverSpec,
    check: async (lab) => {
      for (const path of ["", "/", "/admin", "/lookup", "/lookup/", "/tile", "/supported/x", "/../supported"]) {
        await lab.refused({ method: "GET", target: root(lab) + path });
      }
    },
  },
  {
    id: "SUMDB-LATEST",
    severity: "must",
    en: "/latest is a tree head the database signed",
    zh: "/latest 是数据库签名的树头",
    spec: serverSpec,
    check: (lab) => latestHead(lab),
  },
];

const lookupCases: readonly ConformanceCase[] = [
  {
    id: "LOOKUP-RECORD",
    severity: "must",
    en: "a lookup holds both hash lines of the version, in the record itself",
    zh: "lookup 的记录本身包含该版本的两行哈希",
    spec: clientSpec,
    check: (lab) => sumsOf(lab, lab.fixtures.module),
  },
  {
    id: "LOOKUP-TYPE",
    severity: "should",
    en: "a lookup is text/plain",
    zh: "lookup 的类型是 text/plain",
    spec: serverSpec,
    check: async (lab) => {
      const found = mediaType(await lab.ok(lookupTarget(lab, lab.fixtures.module)));
      expect(found === "text/plain", `Content-Type is ${found}`);
    },
  },
  {
    id: "LOOKUP-SIGNED",
    severity: "must",
    en: "a lookup comes with a signed tree head that covers its record",
    zh: "lookup 附带覆盖该记录的已签名树头",
    spec: clientSpec,
    check: async (lab) => {
      const { record, head } = await lookup(lab, lab.fixtures.module);
      expect(head.size > record.id, `record ${record.id} in a tree of ${head.size}`);
    },
  },
  {
    id: "LOOKUP-INCLUDED",
    severity: "must",
    en: "the record is in the tree: proven through the proxy's own tiles",
    zh: "记录确在树中：用代理自身的 tile 证明",
    spec: clientSpec,
    check: async (lab) => {
      const { record, head } = await lookup(lab, lab.fixtures.module);
      const found = await holds("tiles", () => readHashes(head, tiles(lab), [storedHashIndex(0, record.id)]));
      const [leaf] = found;
      expect(leaf !== undefined && isEqualHash(leaf, recordHash(record.text)), "another record is at its place");
    },
  },
  {
    id: "LOOKUP-CONSISTENT",
    severity: "must",
    en: "the lookup's head and the latest head are of one tree (no fork)",
    zh: "lookup 的树头与最新树头属于同一棵树（无分叉）",
    spec: clientSpec,
    check: async (lab) => {
      const [one, two] = [(await lookup(lab, lab.fixtures.module)).head, await latestHead(lab)];
      const [older, newer] = one.size <= two.size ? [one, two] : [two, one];
      await holds("consistency", async () => {
        const proof = await proveTree(newer.size, older.size, treeReader(newer, tiles(lab)));
        checkTree(proof, newer, older);
      });
    },
  },
  {
    id: "LOOKUP-ZIP",
    severity: "must",
    en: "the zip served has the h1 on record",
    zh: "提供的 zip 与记录的 h1 一致",
    spec: clientSpec,
    check: async (lab) => {
      const { zip } = await sumsOf(lab, lab.fixtures.module);
      const { h1 } = await zipReport(lab, lab.fixtures.module);
      expect(zip === h1, `served ${h1}, on record ${zip}`);
    },
  },
  {
    id: "LOOKUP-MOD",
    severity: "must",
    en: "the go.mod served has the h1 on record",
    zh: "提供的 go.mod 与记录的 h1 一致",
    spec: clientSpec,
    check: async (lab) => {
      const { mod } = await sumsOf(lab, lab.fixtures.module);
      const found = hashGoMod((await lab.ok(fileTarget(lab.fixtures.module, "mod"))).body);
      expect(mod === found, `served ${found}, on record ${mod}`);
    },
  },
  {
    id: "LOOKUP-UPPER",
    severity: "must",
    en: "a path with upper case is looked up under its escaped spelling (%21)",
    zh: "含大写字母的路径以转义写法（%21）查询",
    spec: serverSpec,
    check: (lab) => sumsOf(lab, need(lab.fixtures.upperPath, "a path with upper case")),
  },
  {
    id: "LOOKUP-UNKNOWN",
    severity: "must",
    en: "a lookup of a module nobody knows is 404 or 410",
    zh: "查询无人知晓的模块返回 404 或 410",
    spec: serverSpec,
    check: async (lab) => {
      await lab.absent(lookupTarget(lab, { path: unknownModule, version: "v1.0.0" }));
    },
  },
  {
    id: "LOOKUP-MALFORMED",
    severity: "must",
    en: "a lookup without a full version is refused",
    zh: "没有完整版本的 lookup 会被拒绝",
    spec: serverSpec,
    check: async (lab) => {
      const path = wire(lab.fixtures.module.path);
      for (const end of ["", "@", "@master", "@v1", "@latest", "@v1.0.0@v1.0.0"]) {
        await lab.refused({ method: "GET", target: `${root(lab)}/lookup/${path}${end}` });
      }
    },
  },
];

const tileCases: readonly ConformanceCase[] = [
  {
    id: "TILE-FULL",
    severity: "must",
    en: "a complete tile has exactly 256 hashes",
    zh: "完整的 tile 恰有 256 个哈希",
    spec: serverSpec,
    check: async (lab) => {
      const { size } = await latestHead(lab);
      need(size >= 256 || undefined, "a tree with a complete tile");
      const answer = await lab.ok(`${root(lab)}/tile/8/0/000`);
      expect(answer.body.length === 256 * hashBytes, `${answer.body.length} bytes`);
    },
  },
  {
    id: "TILE-TYPE",
    severity: "should",
    en: "tiles are application/octet-stream",
    zh: "tile 的类型是 application/octet-stream",
    spec: serverSpec,
    check: async (lab) => {
      const found = mediaType(await lab.ok(`${root(lab)}/${formatTilePath(await edgeTile(lab))}`));
      expect(found === "application/octet-stream", `Content-Type is ${found}`);
    },
  },
  {
    id: "TILE-PARTIAL",
    severity: "must",
    en: "the partial tile at the edge of the tree has exactly the width in its name",
    zh: "树边缘的部分 tile 恰有其名称中的宽度",
    spec: serverSpec,
    check: async (lab) => {
      const tile = await edgeTile(lab);
      const answer = await lab.ok(`${root(lab)}/${formatTilePath(tile)}`);
      expect(answer.body.length === tile.width * hashBytes, `${answer.body.length} bytes, want ${tile.width} hashes`);
    },
  },
  {
    id: "TILE-NARROWER",
    severity: "must",
    en: "a narrower width of that tile is cut exactly, or is 404 or 410",
    zh: "同一 tile 的更小宽度要么精确截取，要么返回 404 或 410",
    spec: clientSpec,
    check: async (lab) => {
      const tile = await edgeTile(lab);
      need(tile.width > 1 || undefined, "a partial tile of more than one hash");
      const whole = await lab.ok(`${root(lab)}/${formatTilePath(tile)}`);
      const answer = await lab.get(`${root(lab)}/${formatTilePath({ ...tile, width: tile.width - 1 })}`);
      if ([404, 410].includes(answer.status)) return;
      const want = Buffer.from(whole.body.subarray(0, (tile.width - 1) * hashBytes));
      expect(answer.status === 200 && want.equals(answer.body), `${describe(answer)}, or other bytes`);
    },
  },
  {
    id: "TILE-NOT-YET",
    severity: "must",
    en: "a partial tile is never given out as the full one",
    zh: "部分 tile 绝不会冒充完整 tile",
    spec: clientSpec,
    check: async (lab) => {
      const path = formatTilePath(fullTile(await edgeTile(lab)));
      const answer = await lab.get(`${root(lab)}/${path}`);
      // The tree may have grown meanwhile: then it is complete, and complete it must be.
      const complete = answer.status === 200 && answer.body.length === 256 * hashBytes;
      expect(
        complete || (answer.status >= 400 && answer.status < 500),
        `${describe(answer)}, ${answer.body.length} bytes`,
      );
    },
  },
  {
    id: "TILE-BEYOND",
    severity: "must",
    en: "a tile beyond the tree is 404 or 410",
    zh: "超出树范围的 tile 返回 404 或 410",
    spec: serverSpec,
    check: (lab) => lab.absent(`${root(lab)}/tile/8/0/x999/x999/999`),
  },
  {
    id: "TILE-MALFORMED",
    severity: "must",
    en: "tile names have one spelling; others are refused",
    zh: "tile 名称只有一种写法，其余会被拒绝",
    spec: "x/mod tlog.ParseTilePath",
    check: async (lab) => {
      for (const name of [
        "8/0/0",
        "8/0/000.p/0",
        "8/0/000.p/256",
        "8/0/000.p/01",
        "8/0/x000/000",
        "0/0/000",
        "8/-1/000",
        "8/0/000.p/",
        "99/0/000",
      ]) {
        await lab.refused({ method: "GET", target: `${root(lab)}/tile/${name}` });
      }
    },
  },
];

export const sumdbCases: readonly ConformanceCase[] = [...tunnelCases, ...lookupCases, ...tileCases];

function root(lab: Lab): string {
  return `/sumdb/${need(lab.fixtures.database, "a checksum database").name}`;
}

function lookupTarget(lab: Lab, sample: ModuleSample): string {
  return `${root(lab)}/lookup/${wire(sample.path)}@${wire(sample.version)}`;
}

async function latestHead(lab: Lab): Promise<Checkpoint> {
  const { body } = await lab.ok(`${root(lab)}/latest`);
  return openHead(lab, body);
}

function openHead(lab: Lab, bytes: Uint8Array): Promise<Checkpoint> {
  const { key } = need(lab.fixtures.database, "a checksum database");
  return holds("tree head", () => openCheckpoint(bytes, parseVerifierKey(key)));
}

async function lookup(lab: Lab, sample: ModuleSample): Promise<{ record: LogRecord; head: Checkpoint }> {
  const { body } = await lab.ok(lookupTarget(lab, sample));
  const { checkpointNote, ...record } = await holds("lookup", () => parseLookup(body));
  return { record, head: await openHead(lab, checkpointNote) };
}

async function sumsOf(lab: Lab, sample: ModuleSample): Promise<{ zip: string; mod: string }> {
  const { record } = await lookup(lab, sample);
  const { zip, mod } = await holds("record", () => findSums(record.text, sample.path, sample.version));
  expect(zip !== undefined && mod !== undefined, "a line is missing from the record");
  return { zip, mod };
}

/** The last tile of the latest head's lowest level, when it is a partial one. */
async function edgeTile(lab: Lab): Promise<Tile> {
  const { size } = await latestHead(lab);
  const width = need(size % 256 || undefined, "a partial tile at the edge of the tree");
  return { height: tileHeight, level: 0, index: Math.floor(size / 256), width };
}

/** Tiles as go reads them: the exact width first, then the full tile, cut. */
function tiles(lab: Lab): TileReader {
  return {
    height: tileHeight,
    readTiles: (wanted) => Promise.all(wanted.map((tile) => readTile(lab, tile))),
    saveTiles: () => undefined,
  };
}

async function readTile(lab: Lab, tile: Tile): Promise<Uint8Array> {
  const exact = await lab.get(`${root(lab)}/${formatTilePath(tile)}`);
  if (exact.status === 200) return exact.body;
  const full = await lab.ok(`${root(lab)}/${formatTilePath(fullTile(tile))}`);
  return full.body.subarray(0, tile.width * hashBytes);
}
