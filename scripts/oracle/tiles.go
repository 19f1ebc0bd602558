package main

import (
	"crypto/sha256"
	"encoding/hex"

	"golang.org/x/mod/sumdb/tlog"
)

var tileSeeds = []string{
	"tile/8/0/000", "tile/8/0/001.p/45", "tile/8/4/x001/x234/067", "tile/8/4/x001/x234/067.p/45", "tile/8/data/000", "tile/8/data/x001/000.p/1",
	"tile/1/63/000", "tile/30/0/999.p/1073741823", "tile/30/0/000.p/1073741824", "tile/8/0/000.p/256", "tile/8/0/000.p/0", "tile/8/0/x000/001",
	"tile/31/0/000", "tile/0/0/000", "tile/8/-1/000", "tile/8/64/000", "tile/8/00/000", "tile/08/0/000", "tile/8/0/1", "tile/8/0/1000", "tile/8/0/x001",
	"tile/8/0/000.p/", "tile/8/0/000.p", "tile/8/0", "tile/8/0/", "tile", "", "/tile/8/0/000", "tile/8/0/000/", "tile/8/0/X001/000",
	"tile/2/0/x999/x999/x999/x999/x999/999", "tile/2/0/x004/x503/x599/x627/x370/496",
}

var tileSnippets = []string{"/", "x", "0", "1", "9", "00", "000", ".p/", ".p", "data", "-", "+", "x000/", "tile/", " ", "_", "2"}

func (o *oracle) tiles() {
	r := o.rand("tile-path")
	for range o.count(10_000, 300) {
		path := r.mutated(tileSeeds, tileSnippets)
		var answer any
		if t, err := tlog.ParseTilePath(path); err == nil {
			answer = map[string]any{"height": t.H, "level": t.L, "index": t.N, "width": t.W}
		}
		o.print("tile-path", path, answer)
	}

	r = o.rand("tile-for-index")
	for range o.count(5_000, 150) {
		h, index := 1+r.intn(12), r.int63n(1<<uint(1+r.intn(45)))
		o.print("tile-for-index", []int64{int64(h), index}, tlog.TileForIndex(h, index).Path())
	}

	r = o.rand("new-tiles")
	for range o.count(5_000, 150) {
		from := r.int63n(1 << uint(1+r.intn(20)))
		to := from + r.int63n(300)
		h := pick(r, []int{2, 3, 8})
		o.print("new-tiles", []int64{int64(h), from, to}, paths(tlog.NewTiles(h, from, to)))
	}

	s := newStorage()
	for size := range int64(maxTree + 1) {
		for _, h := range []int{2, 3, 8} {
			read := map[string]string{}
			for _, t := range tlog.NewTiles(h, 0, size) {
				sum := sha256.Sum256(must(tlog.ReadTileData(t, s)))
				read[t.Path()] = hex.EncodeToString(sum[:4])
			}
			o.print("tile-data", []int64{int64(h), size}, read)
		}
	}
	o.tileReads(s)
}

func paths(tiles []tlog.Tile) []string {
	all := []string{}
	for _, t := range tiles {
		all = append(all, t.Path())
	}
	return all
}

// tileReads reads hashes through tiles of which at most one has a wrong bit.
func (o *oracle) tileReads(s storage) {
	r := o.rand("tile-read")
	for range o.count(10_000, 400) {
		size, h := 1+r.int63n(maxTree), 1+r.intn(4)
		tree := tlog.Tree{N: size, Hash: must(tlog.TreeHash(size, s))}
		indexes := []int64{}
		for n := 1 + r.intn(3); n > 0; n-- {
			indexes = append(indexes, r.int63n(tlog.StoredHashCount(size)))
		}
		bad := ""
		if r.chance(75) {
			bad = pick(r, tlog.NewTiles(h, 0, size)).Path()
		}
		at := r.intn(1 << 16)
		tiles := &tileReader{storage: s, height: h, bad: bad, at: at, saved: []string{}}
		hashes, err := tlog.TileHashReader(tree, tiles).ReadHashes(indexes)
		var answer any
		if err == nil {
			answer = map[string]any{"hashes": digest(hashes)[:16], "saved": tiles.saved}
		}
		o.print("tile-read", map[string]any{"size": size, "height": h, "indexes": indexes, "bad": bad, "at": at}, answer)
	}
}

type tileReader struct {
	storage storage
	height  int
	bad     string // the tile with a wrong bit
	at      int    // of which byte, modulo the length
	saved   []string
}

func (t *tileReader) Height() int { return t.height }

func (t *tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		bytes := must(tlog.ReadTileData(tile, t.storage))
		if tile.Path() == t.bad {
			bytes[t.at%len(bytes)] ^= 1
		}
		data = append(data, bytes)
	}
	return data, nil
}

func (t *tileReader) SaveTiles(tiles []tlog.Tile, _ [][]byte) {
	t.saved = append(t.saved, paths(tiles)...)
}
