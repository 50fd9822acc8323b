use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use vouchsafe_evidence::digest::Digest;

use super::{Failure, terminal};
use crate::catalog::Layout;
use crate::render::{Drawing, Mark, RenderError, Renderer};
use crate::voucher::template::Template;
use crate::voucher::{VOUCHER_MAX_BYTES, Voucher};

#[derive(Args)]
#[command(
    after_help = "The ending of FILE says what is drawn: .png, .jpg or .pdf.\n\n\
    Example: vouchsafe render voucher.json --out voucher.png --dpi 300"
)]
pub struct Arguments {
    /// Voucher data
    voucher: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A template instead of the built-in one of the voucher's type
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// Dots per inch of a picture
    #[arg(long, value_name = "N", default_value_t = 200)]
    dpi: u32,
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Failure {
        match error {
            RenderError::Pdf(_) | RenderError::Picture(_) => Failure::Machine(error.to_string()),
            _ => Failure::Wrong(error.to_string()),
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let given = Given::read(&arguments.voucher, arguments.template.as_deref())?;
    given
        .sheet()
        .draw(&given.template, &arguments.out, arguments.dpi)
}

/// A voucher and the template that it is drawn on, from files.
pub struct Given {
    data: Vec<u8>,
    voucher: Voucher,
    place: String,
    pub template: Template,
}

impl Given {
    /// Reads the voucher's data, and the template that is named or else the built-in one of its type.
    pub fn read(voucher: &Path, template: Option<&Path>) -> Result<Given, Failure> {
        let data = read(voucher)?;
        let of_file = |invalid| Failure::from(invalid).of_file(voucher);
        let voucher = Voucher::from_json(&data).map_err(of_file)?;
        let place = Layout::builtin().place(&voucher).map_err(of_file)?;
        let place = place.to_string();
        let text = template_text(template, &voucher)?;
        let named = template.unwrap_or(Path::new("template"));
        let template = Template::from_toml(&text)
            .map_err(|error| Failure::Wrong(error.to_string()).of_file(named))?;
        Ok(Given {
            data,
            voucher,
            place,
            template,
        })
    }

    pub fn sheet(&self) -> Sheet<'_> {
        Sheet {
            voucher: &self.voucher,
            data: &self.data,
            place: self.place.clone(),
        }
    }
}

/// A voucher that is drawn without an archive.
pub struct Sheet<'a> {
    pub voucher: &'a Voucher,
    /// The bytes of `voucher.json`.
    pub data: &'a [u8],
    pub place: String,
}

impl Sheet<'_> {
    /// Lays it out on the template and writes the PDF.
    pub fn pdf(
        &self,
        renderer: &Renderer,
        template: &Template,
    ) -> Result<(Drawing, Vec<u8>), RenderError> {
        let mark = Mark {
            place: self.place.clone(),
            digest: Digest::blake3(self.data).to_string(),
        };
        let drawing = renderer.draw(template, self.voucher, &mark)?;
        let pdf = renderer.pdf(&drawing, self.data)?;
        Ok((drawing, pdf))
    }

    /// Draws it to a file, whose ending says as what, and says so.
    pub fn draw(&self, template: &Template, out: &Path, dpi: u32) -> Result<(), Failure> {
        let renderer = Renderer::new();
        let (drawing, pdf) = self.pdf(&renderer, template)?;
        let content = match out.extension().and_then(|ending| ending.to_str()) {
            Some("pdf") => pdf,
            Some("png") => renderer.png(&pdf, dpi)?,
            Some("jpg" | "jpeg") => renderer.jpeg(&pdf, dpi)?,
            _ => {
                let error = format!(
                    "{}: name a file that ends in .png, .jpg or .pdf",
                    out.display()
                );
                return Err(Failure::Wrong(error));
            }
        };
        fs::write(out, content).map_err(|error| Failure::io(out, &error))?;
        for warning in drawing.warnings() {
            eprintln!("vouchsafe: warning: {warning}");
        }
        terminal::print_line(&format!("drew {}", out.display()))
    }
}

/// The text of the template that was named, or of the built-in one of the voucher's type.
fn template_text(named: Option<&Path>, voucher: &Voucher) -> Result<String, Failure> {
    if let Some(file) = named {
        return String::from_utf8(read(file)?)
            .map_err(|_| Failure::Wrong(format!("{}: not UTF-8", file.display())));
    }
    let builtin = Template::builtin(&voucher.voucher_type).map(str::to_owned);
    builtin.ok_or_else(|| {
        let voucher_type = &voucher.voucher_type;
        Failure::Wrong(format!(
            "no built-in template for {voucher_type}: name one with --template"
        ))
    })
}

/// Reads a file of a size that can be voucher data or a template.
pub fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let size = fs::metadata(file)
        .map_err(|error| Failure::io(file, &error))?
        .len();
    if size > VOUCHER_MAX_BYTES as u64 {
        return Err(Failure::Wrong(format!(
            "{}: larger than {VOUCHER_MAX_BYTES} bytes",
            file.display()
        )));
    }
    fs::read(file).map_err(|error| Failure::io(file, &error))
}
