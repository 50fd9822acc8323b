//! Figures beside their peers; `benches/README.md` says which. Run by `make bench`.

mod appends;
mod forms;
mod listing;
mod log;
mod matching;
mod memory;
mod peer;
mod people;
mod rare;
mod render;
#[path = "../scans/mod.rs"]
mod scans;
mod server;
mod uploads;
mod views;
mod watermark;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    // Cargo adds `--bench`; what else is given names the parts to run.
    let parts: Vec<String> = std::env::args()
        .skip(1)
        .filter(|part| !part.starts_with('-'))
        .collect();
    let wanted = |name: &str| parts.is_empty() || parts.iter().any(|part| part == name);
    if wanted("render") {
        render::measure();
    }
    if wanted("match-speed") {
        matching::speed();
    }
    if wanted("match") {
        matching::measure();
    }
    if wanted("match-rare") {
        rare::measure();
    }
    if wanted("watermark") {
        watermark::measure();
    }
    if wanted("appends") {
        appends::measure();
    }
    if wanted("log") {
        log::measure();
    }
    if wanted("uploads") {
        uploads::measure();
    }
    if wanted("memory") {
        memory::measure();
    }
    if wanted("listing") || wanted("views") || wanted("people") {
        let filled = server::Filled::new(10_000);
        if wanted("listing") {
            listing::measure(&filled);
        }
        if wanted("views") {
            views::measure(&filled);
        }
        if wanted("people") {
            people::measure(&filled);
        }
    }
}
