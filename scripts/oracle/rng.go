package main

import "unicode/utf8"

// rng is SplitMix64: small, and the same on every machine and in every Go version.
type rng struct{ state uint64 }

func (r *rng) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *rng) intn(n int) int          { return int(r.next() % uint64(n)) }
func (r *rng) int63n(n int64) int64    { return int64(r.next() % uint64(n)) }
func (r *rng) chance(percent int) bool { return r.intn(100) < percent }

func pick[T any](r *rng, from []T) T { return from[r.intn(len(from))] }

// mutated is a seed, as it is or with up to three small changes: parts cut, doubled, replaced by or joined with a
// snippet or another seed. It is always valid UTF-8.
func (r *rng) mutated(seeds, snippets []string) string {
	s := pick(r, seeds)
	for n := pick(r, []int{0, 0, 1, 1, 1, 2, 3}); n > 0; n-- {
		s = r.mutate(s, seeds, snippets)
	}
	if !utf8.ValidString(s) {
		return r.mutated(seeds, snippets)
	}
	return s
}

func (r *rng) mutate(s string, seeds, snippets []string) string {
	at := r.intn(len(s) + 1)
	to := min(len(s), at+1+r.intn(3))
	switch r.intn(8) {
	case 0:
		return s[:at] + s[to:]
	case 1:
		return s[:to] + s[at:]
	case 2, 3:
		return s[:at] + pick(r, snippets) + s[to:]
	case 4, 5:
		return s[:at] + pick(r, snippets) + s[at:]
	case 6:
		other := pick(r, seeds)
		return s[:at] + other[r.intn(len(other)+1):]
	default:
		if at == len(s) {
			return s + pick(r, snippets)
		}
		b := []byte(s)
		if c := b[at] ^ 0x20; b[at] >= 'A' && c < 0x7f {
			b[at] = c // the other case
		}
		return string(b)
	}
}

const oddBytes = "\n\x00 +-/09Az\xff\x80"

// mutateBytes changes, cuts or inserts a few bytes.
func (r *rng) mutateBytes(b []byte, changes int) []byte {
	b = append([]byte(nil), b...)
	for ; changes > 0 && len(b) > 0; changes-- {
		at := r.intn(len(b))
		switch r.intn(6) {
		case 0:
			b = append(b[:at], b[at+1:]...)
		case 1:
			b = append(b[:at], append([]byte{byte(r.next())}, b[at:]...)...)
		case 2:
			b[at] ^= 1 << r.intn(8)
		case 3:
			b[at] = byte(r.next())
		default:
			b[at] = oddBytes[r.intn(len(oddBytes))]
		}
	}
	return b
}
