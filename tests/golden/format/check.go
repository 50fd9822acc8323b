// Checks a published Vouchsafe log with the packages of the Go checksum database and nothing else:
// golang.org/x/mod/sumdb/note and golang.org/x/mod/sumdb/tlog.
//
//	check LOG VKEY [OLDER-CHECKPOINT|PROOF.tlog-proof ...]
//
// LOG is the folder with checkpoint and tile/: data/log of an export, or _audit of a mounted drive. It checks the
// checkpoint's signature, the inclusion of every entry, the consistency of the log with itself at many
// sizes and with each older checkpoint, and each tlog-proof.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Tiles of C2SP tlog-tiles: those of the checksum database with height 8, without the height in their path.
type tiles struct{ folder string }

func (tiles) Height() int                     { return 8 }
func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(t.folder, path))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func fail(format string, arguments ...interface{}) {
	fmt.Printf("NOT WELL: "+format+"\n", arguments...)
	os.Exit(1)
}

func must(err error, what string) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

// The signed tree: origin, size and root (C2SP tlog-checkpoint).
func checkpoint(text []byte, keys note.Verifiers, what string) tlog.Tree {
	signed, err := note.Open(text, keys)
	must(err, what)
	lines := strings.Split(signed.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err, what)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	must(err, what)
	if lines[0] != signed.Sigs[0].Name || len(root) != tlog.HashSize {
		fail("%s: of the log %s, signed by %s", what, lines[0], signed.Sigs[0].Name)
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree
}

// The entries of a bundle: each behind its length.
func bundle(path string) [][]byte {
	data, err := os.ReadFile(path)
	must(err, path)
	var entries [][]byte
	for len(data) > 0 {
		length := int(binary.BigEndian.Uint16(data))
		entries = append(entries, data[2:2+length])
		data = data[2+length:]
	}
	return entries
}

func indexPath(index, width int64) string {
	path := fmt.Sprintf("%03d", index%1000)
	for rest := index / 1000; rest > 0; rest /= 1000 {
		path = fmt.Sprintf("x%03d/%s", rest%1000, path)
	}
	if width < 256 {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}

// Every entry that can be read is in the tree, at its place.
func checkEntries(folder string, tree tlog.Tree, reader tlog.HashReader) int {
	checked := 0
	check := func(index int64, entry []byte) {
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		must(err, fmt.Sprintf("entry %d", index))
		must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)), fmt.Sprintf("entry %d", index))
		checked++
	}
	singles, _ := filepath.Glob(filepath.Join(folder, "entries", "*.json"))
	for _, single := range singles {
		index, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(single), ".json"), 10, 64)
		must(err, single)
		entry, err := os.ReadFile(single)
		must(err, single)
		check(index, entry)
	}
	if _, err := os.Stat(filepath.Join(folder, "tile", "entries")); err != nil {
		return checked
	}
	for first := int64(0); first < tree.N; first += 256 {
		width := tree.N - first
		if width > 256 {
			width = 256
		}
		entries := bundle(filepath.Join(folder, "tile", "entries", indexPath(first/256, width)))
		if int64(len(entries)) != width {
			fail("bundle %d has %d entries", first/256, len(entries))
		}
		for at, entry := range entries {
			check(first+int64(at), entry)
		}
	}
	return checked
}

func checkConsistency(old, tree tlog.Tree, reader tlog.HashReader, what string) {
	if old.N == 0 {
		return
	}
	proof, err := tlog.ProveTree(tree.N, old.N, reader)
	must(err, what)
	must(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash), what)
}

// A C2SP tlog-proof whose extra data is the entry.
func checkProof(text string, keys note.Verifiers, what string) {
	parts := strings.SplitN(text, "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	if len(parts) != 2 || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		fail("%s: not a tlog-proof", what)
	}
	tree := checkpoint([]byte(parts[1]), keys, what)
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	must(err, what)
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	must(err, what)
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		data, err := base64.StdEncoding.DecodeString(line)
		must(err, what)
		var hash tlog.Hash
		copy(hash[:], data)
		proof = append(proof, hash)
	}
	must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)), what)
}

func main() {
	if len(os.Args) < 3 {
		fmt.Println("usage: check LOG VKEY [OLDER-CHECKPOINT|PROOF.tlog-proof ...]")
		os.Exit(2)
	}
	folder := os.Args[1]
	verifier, err := note.NewVerifier(strings.TrimSpace(os.Args[2]))
	must(err, "vkey")
	keys := note.VerifierList(verifier)
	text, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	must(err, "checkpoint")
	tree := checkpoint(text, keys, "checkpoint")
	reader := tlog.TileHashReader(tree, tiles{folder})
	entries := checkEntries(folder, tree, reader)
	step := tree.N/64 + 1
	pairs := 0
	for size := tree.N; size > 0; size -= step {
		for old := size; old > 0; old -= step {
			var some, other tlog.Tree
			some.N, other.N = size, old
			some.Hash, err = tlog.TreeHash(size, reader)
			must(err, "tree")
			other.Hash, err = tlog.TreeHash(old, reader)
			must(err, "tree")
			checkConsistency(other, some, reader, fmt.Sprintf("consistency of %d with %d", old, size))
			pairs++
		}
	}
	for _, file := range os.Args[3:] {
		text, err := os.ReadFile(file)
		must(err, file)
		if strings.HasSuffix(file, ".tlog-proof") {
			checkProof(string(text), keys, file)
			continue
		}
		old := checkpoint(text, keys, file)
		if old.N > tree.N {
			fail("%s: %d entries were signed, and the log has %d", file, old.N, tree.N)
		}
		checkConsistency(old, tree, reader, file)
	}
	fmt.Printf("all is well: %d entries of %d, %d pairs of sizes, %d files\n", entries, tree.N, pairs, len(os.Args)-3)
}
