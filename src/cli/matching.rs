use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::decoding::Apart;
use super::render::Given;
use super::{Failure, terminal};
use crate::config::Comparing;
use crate::matching::{
    DecodeError, Decoder, Form, MATCH_MAX_BYTES, Matcher, Reader, Report, Thresholds, Verdict,
};

#[derive(Args)]
#[command(
    after_help = "Exit status: 0 match, 1 mismatch, 4 unsure; 2 for a scan that cannot be read.\n\n\
    Text is read by a network whose files `make` puts into ~/.cache/vouchsafe/models (or $VOUCHSAFE_MODELS);\n\
    without them, what the glyphs alone cannot decide is unsure.\n\n\
    Example: vouchsafe match voucher.json scan-1.jpg --overlay match.png"
)]
pub struct Arguments {
    /// Voucher data
    voucher: PathBuf,
    /// Scan of the paper voucher: JPEG, PNG, TIFF or PDF
    scan: PathBuf,
    /// A template instead of the built-in one of the voucher's type
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// A picture to write: scan and rendition, with what differs framed
    #[arg(long, value_name = "FILE.png")]
    overlay: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Most comparisons at the same time.
const THREADS_MAX: usize = 64;

/// Matchers for an archive that is served, one for each comparison at the same time.
pub fn matchers(config: &Comparing, decoder: &Arc<dyn Decoder>) -> Result<Vec<Matcher>, Failure> {
    let wrong = |why: String| Failure::Wrong(format!("config.toml: matching: {why}"));
    if config.threads > THREADS_MAX {
        return Err(wrong(format!("threads: at most {THREADS_MAX}")));
    }
    let thresholds = config.thresholds.clone();
    let thresholds: Thresholds = thresholds
        .try_into()
        .map_err(|error: toml::de::Error| wrong(format!("thresholds: {error}")))?;
    let reader = match &config.models {
        Some(folder) => Some(load(folder).map_err(|error| wrong(format!("models: {error}")))?),
        None => reader(),
    };
    let matcher = |_| {
        Matcher::new(reader.as_ref().map(Reader::another), thresholds)
            .decoding_by(Arc::clone(decoder))
    };
    Ok((0..config.threads).map(matcher).collect())
}

/// The text recognition network, if its files are on this machine.
fn reader() -> Option<Reader> {
    let named = std::env::var_os("VOUCHSAFE_MODELS").map(PathBuf::from);
    let folder = named.or_else(|| {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        cache
            .or(home)
            .map(|cache| cache.join("vouchsafe").join("models"))
    })?;
    match load(&folder) {
        Ok(reader) => Some(reader),
        Err(error) => {
            tracing::warn!(
                "no text recognition, so that much is unsure ({error}); `make` puts it there"
            );
            None
        }
    }
}

fn load(folder: &Path) -> Result<Reader, String> {
    let content = |name: &str| fs::read(folder.join(name)).map_err(|error| error.to_string());
    Reader::new(content).map_err(|error| format!("{}/{error}", folder.display()))
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let given = Given::read(&arguments.voucher, arguments.template.as_deref())?;
    let size = fs::metadata(&arguments.scan)
        .map_err(|error| Failure::io(&arguments.scan, &error))?
        .len();
    // What is wrong with a scan is said of its file.
    let refused = |error: DecodeError| {
        let text = format!("{}: {error}", arguments.scan.display());
        match error {
            DecodeError::Busy(_) => Failure::Machine(text),
            _ => Failure::Wrong(text),
        }
    };
    if size > MATCH_MAX_BYTES {
        return Err(refused(DecodeError::TooLarge));
    }
    let scan = fs::read(&arguments.scan).map_err(|error| Failure::io(&arguments.scan, &error))?;
    let matcher =
        Matcher::new(reader(), Thresholds::default()).decoding_by(Arc::new(Apart::new()?));
    let (drawing, pdf) = given.sheet().pdf(matcher.renderer(), &given.template)?;
    let form = Form::new(matcher.renderer(), &drawing, &pdf)?;
    let comparison = matcher.compare(&form, &scan).map_err(refused)?;
    if let Some(file) = &arguments.overlay {
        let overlay = comparison
            .overlay(matcher.renderer(), &form)
            .map_err(refused)?;
        fs::write(file, overlay).map_err(|error| Failure::io(file, &error))?;
    }
    print(&comparison.report, arguments.json)?;
    match comparison.report.verdict {
        Verdict::Match => Ok(()),
        Verdict::Mismatch => Err(Failure::No(String::new())),
        Verdict::Unsure => Err(Failure::Unsure),
    }
}

fn print(report: &Report, json: bool) -> Result<(), Failure> {
    if json {
        let text =
            serde_json::to_string(report).map_err(|error| Failure::Machine(error.to_string()))?;
        return terminal::print_line(&text);
    }
    terminal::print_line(&format!("{}: {}", report.verdict.word(), report.reason))?;
    for field in report
        .fields
        .iter()
        .filter(|field| field.verdict != Verdict::Match)
    {
        terminal::print_line(&format!(
            "  {:9} {}: expected {:?}, seen {:?}: {}",
            field.verdict.word(),
            field.name,
            field.expected,
            field.seen,
            field.reason
        ))?;
    }
    for slot in report.pages.iter().flat_map(|page| &page.slots) {
        let ink = match (slot.present, slot.red) {
            (true, true) => "a red seal",
            (true, false) => "ink",
            (false, _) => "nothing",
        };
        terminal::print_line(&format!("  slot      {}: {ink}", slot.name))?;
    }
    Ok(())
}
