//! Scans to match: vouchers of chance, forged or not, printed and degraded. Seeded, so that every case can be made
//! again. Used by the figures (`make bench PART=match`) and by the tests.

#![allow(dead_code)]

pub mod added;
pub mod condition;
pub mod foreign;
pub mod forge;
pub mod paper;
pub mod random;
pub mod scanner;
pub mod vouchers;

use std::path::{Path, PathBuf};

use image::RgbImage;
use serde_json::Value;
use vouchsafe::matching::{Form, Reader};
use vouchsafe::render::{Drawing, Mark, Renderer};
use vouchsafe::voucher::Voucher;
use vouchsafe::voucher::template::Template;

use condition::Condition;
use foreign::Setting;
use random::Random;

/// A voucher on its form.
pub struct Printed {
    pub data: Vec<u8>,
    pub drawing: Drawing,
    pub pdf: Vec<u8>,
}

impl Printed {
    /// `mark` is what the QR mark says: a forger leaves it as it was.
    pub fn new(renderer: &Renderer, voucher: &Value, mark: Option<&Mark>) -> Printed {
        let data = voucher.to_string().into_bytes();
        let typed = Voucher::from_json(&data).unwrap_or_else(|error| panic!("{error}: {voucher}"));
        let template = Template::builtin(&typed.voucher_type).unwrap();
        let template = Template::from_toml(template).unwrap();
        let own = own_mark(voucher);
        let drawing = renderer
            .draw(&template, &typed, mark.unwrap_or(&own))
            .unwrap();
        let pdf = renderer.pdf(&drawing, &data).unwrap();
        Printed { data, drawing, pdf }
    }

    pub fn form(&self, renderer: &Renderer) -> Form {
        Form::new(renderer, &self.drawing, &self.pdf).unwrap()
    }

    /// The first page as the form's own printer prints it.
    pub fn page(&self, renderer: &Renderer, dots_per_inch: u32) -> RgbImage {
        let page = renderer.pages(&self.pdf, dots_per_inch).unwrap().remove(0);
        let bytes = page.pixels.into_iter().flatten().collect();
        RgbImage::from_raw(page.width as u32, page.height as u32, bytes).unwrap()
    }

    /// Where people sign, in millimetres.
    pub fn signed(&self, random: &mut Random) -> Vec<(f64, f64)> {
        let slots = self
            .drawing
            .slots()
            .iter()
            .filter(|slot| slot.name.starts_with("signature"));
        let middle = |at: i32, length: i32| f64::from(at + length / 2) / 7_200.0 * 25.4;
        let places = slots.map(|slot| {
            let shape = slot.rectangle;
            (middle(shape.x, shape.width), middle(shape.y, shape.height))
        });
        // Beside the printed name mostly, sometimes over it.
        let beside = |(x, y): (f64, f64), random: &mut Random| {
            let over = random.chance(0.03);
            (
                if over {
                    x
                } else {
                    x + random.between(7.0, 11.0)
                },
                y,
            )
        };
        let places: Vec<(f64, f64)> = places.collect();
        let places: Vec<(f64, f64)> = places.into_iter().filter(|_| random.chance(0.5)).collect();
        places
            .into_iter()
            .map(|place| beside(place, random))
            .collect()
    }
}

pub fn own_mark(voucher: &Value) -> Mark {
    let text = |key: &str| voucher[key].as_str().unwrap().to_owned();
    let steps = ["company", "ledger", "period", "type", "number"].map(text);
    Mark {
        place: format!("/{}", steps.join("/")),
        digest: blake3::hash(voucher.to_string().as_bytes())
            .to_hex()
            .to_string(),
    }
}

/// Where `make` puts the networks.
pub fn models() -> PathBuf {
    let home = std::env::var("HOME").unwrap_or_default();
    let cache = std::env::var("CACHE").unwrap_or(format!("{home}/.cache/vouchsafe"));
    Path::new(&cache).join("models")
}

/// The networks; none if they are not there.
pub fn reader() -> Option<Reader> {
    let folder = models();
    Reader::new(|name| std::fs::read(folder.join(name)).map_err(|error| error.to_string())).ok()
}

/// One scan with what is claimed of it.
pub struct Case {
    pub seed: u64,
    pub condition: Condition,
    /// How it was forged; none if it is true.
    pub forgery: Option<&'static str>,
    /// Whether another system printed it.
    pub foreign: bool,
    pub claim: Value,
    pub claimed: Printed,
    pub scan: Vec<u8>,
    /// Names of the fields that differ, and what the paper says.
    pub differing: Vec<(String, String)>,
}

/// Makes a case; none if this voucher offers no place for the forgery.
pub fn case(
    renderer: &Renderer,
    fonts: &[Vec<u8>],
    seed: u64,
    kind: &'static str,
    forgery: Option<&'static str>,
) -> Option<Case> {
    let mut random = Random::new(seed);
    let form = random.pick(&vouchers::FORMS);
    let claim = vouchers::voucher(&mut random, form);
    let claimed = Printed::new(renderer, &claim, None);
    let mark = own_mark(&claim);
    let (in_data, in_print) = match forgery {
        Some(added::FORGERY) => (None, true),
        other => (other, false),
    };
    let paper_voucher = match in_data {
        Some(forgery) => forge::forge(&claim, forgery, &mut random)?,
        None => claim.clone(),
    };
    let keeps_mark = forgery != Some("other-voucher");
    let printed = Printed::new(renderer, &paper_voucher, keeps_mark.then_some(&mark));
    let texts = |printed: &Printed| -> Vec<(String, String)> {
        let fields = printed.drawing.fields().iter().filter(|it| it.page == 0);
        fields
            .map(|it| (it.name.clone(), it.text.clone()))
            .collect()
    };
    let (own, other) = (texts(&claimed), texts(&printed));
    let mut differing: Vec<(String, String)> = own
        .iter()
        .filter_map(|(name, text)| {
            let seen = other
                .iter()
                .find(|it| it.0 == *name)
                .map_or("", |it| it.1.as_str());
            (seen != text).then(|| (name.clone(), seen.to_owned()))
        })
        .collect();
    let is_changed = !differing.is_empty() || own.len() != other.len();
    if in_data.is_some() && !is_changed {
        return None;
    }
    let foreign = kind == "foreign";
    let condition = Condition::draw(if foreign { "clean" } else { kind }, &mut random);
    let mut fonts = fonts;
    let mut page = if foreign {
        let font = random.below(fonts.len());
        fonts = &fonts[font..=font];
        foreign::print(
            &printed.drawing,
            0,
            &fonts[0],
            condition.dots_per_inch,
            Setting {
                shift: 0.6,
                // A sequence of its own: all else of a case stays as it is.
                wider: Random::new(!seed).chance(0.5).then_some(1.0),
            },
            &mut random,
        )
    } else {
        printed.page(renderer, condition.dots_per_inch)
    };
    if in_print {
        let printers = added::Printers {
            own: renderer,
            others: fonts,
            is_own_page: !foreign,
        };
        let dots_per_inch = condition.dots_per_inch;
        let added = added::add(&mut page, &printed, &printers, dots_per_inch, &mut random)?;
        differing.push(added);
    }
    let signed = printed.signed(&mut random);
    let scan = paper::scan(page, &condition, &signed, &mut random);
    Some(Case {
        seed,
        condition,
        forgery,
        foreign,
        claim,
        claimed,
        scan,
        differing,
    })
}
