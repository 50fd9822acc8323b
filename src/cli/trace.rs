use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::decoding::Apart;
use super::{Failure, terminal};
use crate::archive::{Records, Trace};
use crate::matching::{Decoder as _, MATCH_MAX_BYTES};
use crate::watermark::{ViewId, find};

#[derive(Args)]
#[command(
    after_help = "Exit status: 0 found, 1 it cannot be told, 2 for a picture that cannot be read.\n\n\
    A mark says which user was shown the copy that the picture shows. It does not say who took the picture.\n\n\
    Example: vouchsafe trace photo.jpg --archive /srv/archive"
)]
pub struct Arguments {
    /// A photograph, screenshot or scan of a marked copy or of a part of it: JPEG, PNG, TIFF or PDF
    #[arg(required_unless_present = "id")]
    photo: Option<PathBuf>,
    /// The id that can be read on a copy, such as K3F7Q-9XA2B, instead of a picture
    #[arg(long, value_name = "TEXT", conflicts_with = "photo")]
    id: Option<String>,
    /// The archive's folder (also while it is served)
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Found {
    /// The mark, if one was read.
    view: Option<String>,
    traces: Vec<Trace>,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let view = match (&arguments.id, &arguments.photo) {
        (Some(text), _) => {
            let view = text.parse();
            Some(view.map_err(|error| Failure::Wrong(format!("{text}: {error}")))?)
        }
        (None, Some(photo)) => read(photo)?,
        // The arguments require one of them.
        (None, None) => None,
    };
    let traces = match view {
        Some(view) => Records::open_to_read(&arguments.archive)?.traces_of_view(view)?,
        None => Vec::new(),
    };
    let found = Found {
        view: view.map(|it| it.to_string()),
        traces,
    };
    print(&found, arguments.json)?;
    match found.traces.is_empty() {
        true => Err(Failure::No(String::new())),
        false => Ok(()),
    }
}

/// The mark that one of the pages of a picture has.
fn read(photo: &Path) -> Result<Option<ViewId>, Failure> {
    let wrong = |why: String| Failure::Wrong(format!("{}: {why}", photo.display()));
    let size = fs::metadata(photo)
        .map_err(|error| Failure::io(photo, &error))?
        .len();
    if size > MATCH_MAX_BYTES {
        return Err(wrong(format!("more than {MATCH_MAX_BYTES} bytes")));
    }
    let content = fs::read(photo).map_err(|error| Failure::io(photo, &error))?;
    let mut view = None;
    // A picture that is asked about comes from a stranger.
    let read = Apart::new()?.each_page(&content, &mut |_, page| {
        view = find(&page);
        view.is_none()
    });
    read.map_err(|error| wrong(error.to_string()))?;
    Ok(view)
}

fn print(found: &Found, json: bool) -> Result<(), Failure> {
    if json {
        return terminal::print_json(found);
    }
    let Some(view) = &found.view else {
        return terminal::print_line("it cannot be told: no mark could be read in the picture");
    };
    let Some(first) = found.traces.first() else {
        let text = format!("it cannot be told: this archive has no trace of a view {view}");
        return terminal::print_line(&text);
    };
    let same =
        |it: &Trace| (&it.user, &it.path, &it.file) == (&first.user, &first.path, &first.file);
    if !found.traces.iter().all(same) {
        terminal::print_line("several people or files share this id; one of them it was")?;
    }
    terminal::print_line(&format!(
        "view {view}: {} was shown {}/{} ({} times in this window)",
        first.name,
        first.path,
        first.file,
        found.traces.len()
    ))?;
    for trace in &found.traces {
        let client = if trace.client.is_empty() {
            "a client without a name"
        } else {
            &trace.client
        };
        terminal::print_line(&format!(
            "  {}  {} ({})  {}/{}  from {} with {client}  entry {}",
            trace.time, trace.name, trace.user, trace.path, trace.file, trace.from, trace.entry
        ))?;
    }
    Ok(())
}
