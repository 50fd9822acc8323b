use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::control::{Change, change};
use super::render::{Sheet, read};
use super::{Failure, sample, terminal};
use crate::archive::Records;
use crate::catalog::Layout;
use crate::voucher::Voucher;
use crate::voucher::template::{Length, Template, TemplateError, UNITS_PER_INCH};

#[derive(Subcommand)]
#[command(after_help = "Example: vouchsafe template check payment.toml --preview payment.png")]
pub enum Command {
    /// Read a template and say what is wrong, with line and column; draw a preview
    #[command(after_help = "The preview shows a sample voucher, or yours.\n\n\
        Example: vouchsafe template check payment.toml --preview payment.png")]
    Check(Check),
    /// Publish a new version of a type's template, in effect at once for new vouchers
    #[command(
        after_help = "The file's name says the type unless you do. Vouchers that are filed keep their version.\n\n\
        Example: vouchsafe template publish payment.toml --archive /srv/archive"
    )]
    Publish(Publish),
    /// Every version of every template
    #[command(after_help = "Example: vouchsafe template list --archive /srv/archive")]
    List(List),
}

#[derive(Args)]
pub struct Check {
    /// The template
    file: PathBuf,
    /// A picture or PDF to draw: .png, .jpg or .pdf
    #[arg(long, value_name = "FILE")]
    preview: Option<PathBuf>,
    /// Voucher data for the preview instead of a sample
    #[arg(long, value_name = "FILE", requires = "preview")]
    voucher: Option<PathBuf>,
    /// Dots per inch of a picture
    #[arg(long, value_name = "N", default_value_t = 200)]
    dpi: u32,
}

#[derive(Args)]
pub struct Publish {
    /// The template
    file: PathBuf,
    /// The archive's folder (also while it is served)
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// The voucher type; without it, the file's name without .toml
    #[arg(long = "type", value_name = "TYPE")]
    voucher_type: Option<String>,
}

#[derive(Args)]
pub struct List {
    /// The archive's folder (also while it is served)
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// The versions as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Check(arguments) => check(&arguments),
        Command::Publish(arguments) => publish(arguments),
        Command::List(arguments) => list(&arguments),
    }
}

fn text(file: &Path) -> Result<String, Failure> {
    String::from_utf8(read(file)?)
        .map_err(|_| Failure::Wrong(format!("{}: not UTF-8", file.display())))
}

/// The type that a template's file is named after.
fn type_of(file: &Path) -> Option<String> {
    let stem = file.file_name()?.to_str()?.strip_suffix(".toml")?;
    Some(stem.to_owned())
}

fn check(arguments: &Check) -> Result<(), Failure> {
    let file = arguments.file.display();
    let template = Template::read(&text(&arguments.file)?).map_err(|errors| {
        let line = |error: &TemplateError| {
            let TemplateError {
                line,
                column,
                key,
                error,
            } = error;
            let key = if key.is_empty() {
                String::new()
            } else {
                format!("{key}: ")
            };
            format!("{file}:{line}:{column}: {key}{error}")
        };
        let lines: Vec<String> = errors.iter().map(line).collect();
        Failure::Wrong(format!(
            "the template is not good\n{}\n  templates/README.md describes the grammar",
            lines.join("\n")
        ))
    })?;
    let millimetres = |length: Length| f64::from(length.0) * 25.4 / f64::from(UNITS_PER_INCH);
    terminal::print_line(&format!(
        "{file}: {}, {:.1} x {:.1} mm, {} fields, {} columns, {} rows a page: good",
        template.title,
        millimetres(template.page.width),
        millimetres(template.page.height),
        template.fields.len(),
        template.table.columns.len(),
        template.table.rows,
    ))?;
    match &arguments.preview {
        Some(preview) => draw(arguments, &template, preview),
        None => Ok(()),
    }
}

/// Draws the preview of a good template.
fn draw(arguments: &Check, template: &Template, preview: &Path) -> Result<(), Failure> {
    let data = match &arguments.voucher {
        Some(file) => read(file)?,
        None => {
            let known = type_of(&arguments.file).filter(|name| Template::builtin(name).is_some());
            let voucher_type = known.unwrap_or_else(|| "payment".to_owned());
            let place = ["acme", "gl", "2024-03", &voucher_type, "0001"];
            sample::voucher(place, 1_234_500).to_string().into_bytes()
        }
    };
    let voucher = Voucher::from_json(&data)?;
    let sheet = Sheet {
        place: Layout::builtin().place(&voucher)?.to_string(),
        voucher: &voucher,
        data: &data,
    };
    sheet.draw(template, preview, arguments.dpi)
}

fn publish(arguments: Publish) -> Result<(), Failure> {
    let Publish {
        file,
        archive,
        voucher_type,
    } = arguments;
    let voucher_type = voucher_type.or_else(|| type_of(&file)).ok_or_else(|| {
        let file = file.display();
        Failure::Wrong(format!("{file}: say the voucher type with --type"))
    })?;
    let asked = Change::PublishTemplate {
        voucher_type: voucher_type.clone(),
        text: text(&file)?,
    };
    let version = change(&archive, asked)?;
    terminal::print_line(&format!("{voucher_type} is at version {version}"))
}

fn list(arguments: &List) -> Result<(), Failure> {
    let versions = Records::open_to_read(&arguments.archive)?.template_versions()?;
    if arguments.json {
        return terminal::print_json(&versions);
    }
    for version in versions {
        terminal::print_line(&format!(
            "{:<12} {:>4}  {}  {:<12} {}",
            version.voucher_type, version.version, version.published, version.by, version.blake3
        ))?;
    }
    Ok(())
}
