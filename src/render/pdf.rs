//! The display list as PDF/A-3b (ISO 19005-3), the paper form of an archive.

use krilla::color::rgb;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::{PathBuilder, Point, Rect, Size, Transform};
use krilla::image::{BitsPerComponent, CustomImage, Image, ImageColorspace};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule, Stroke};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use krilla::{Data, Document, SerializeSettings};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use crate::voucher::Date;
use crate::voucher::template::{Colour, Pixels};

use super::RenderError;
use super::drawing::{Drawing, GlyphRun, Item};
use super::typeset::Typeface;

/// Units in a PDF's unit, the printer's point.
const UNITS_PER_POINT: f32 = 100.0;
/// The attached file's name, as in the archive.
const ATTACHMENT: &str = "voucher.json";

/// The typefaces in the form in which they are embedded, each read when it is first needed.
pub(super) struct Fonts([OnceLock<Font>; Typeface::ALL.len()]);

impl Fonts {
    pub(super) fn builtin() -> Fonts {
        Fonts(std::array::from_fn(|_| OnceLock::new()))
    }

    fn font(&self, typeface: Typeface) -> &Font {
        self.0[typeface as usize].get_or_init(|| {
            let data: Arc<dyn AsRef<[u8]> + Send + Sync> = Arc::new(typeface.file());
            // The fonts are part of the program, and a test draws with each of them.
            Font::new(Data::from(data), 0).expect("a built-in font is a font")
        })
    }
}

pub(super) fn write(fonts: &Fonts, drawing: &Drawing, data: &[u8]) -> Result<Vec<u8>, RenderError> {
    let fault = |what: &str| RenderError::Pdf(what.to_owned());
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_B)
        .finish()
        .map_err(|error| RenderError::Pdf(format!("{error:?}")))?;
    let mut document = Document::new_with(SerializeSettings {
        configuration,
        ..SerializeSettings::default()
    });
    document.set_metadata(metadata(drawing));
    document
        .embed_file(EmbeddedFile {
            path: ATTACHMENT.to_owned(),
            mime_type: MimeType::new("application/json"),
            description: Some("The voucher's data, from which this document was drawn".to_owned()),
            association_kind: AssociationKind::Source,
            data: Data::from(data.to_vec()),
            modification_date: Some(midnight(drawing.date)),
            compress: None,
            location: None,
        })
        .ok_or_else(|| fault("the data cannot be attached"))?;
    let size = PageSettings::from_wh(points(drawing.page.width.0), points(drawing.page.height.0))
        .ok_or_else(|| fault("the page has no size"))?;
    let images = images(drawing)?;
    for items in &drawing.pages {
        let mut page = document.start_page_with(size.clone());
        let mut surface = page.surface();
        for item in items {
            paint(fonts, &images, &mut surface, item);
        }
        surface.finish();
        page.finish();
    }
    document
        .finish()
        .map_err(|error| RenderError::Pdf(error.to_string()))
}

/// Each picture of a drawing in the form in which it is embedded, once for all pages.
type Images = HashMap<*const Pixels, Image>;

fn images(drawing: &Drawing) -> Result<Images, RenderError> {
    let mut images = Images::new();
    for item in drawing.pages.iter().flatten() {
        if let Item::Picture { pixels, .. } = item
            && let Entry::Vacant(vacant) = images.entry(Arc::as_ptr(pixels))
        {
            // PDF/A forbids interpolation (ISO 19005-3, 6.2.8).
            let image = Image::from_custom(Embedded(Arc::clone(pixels)), false);
            vacant.insert(image.map_err(RenderError::Pdf)?);
        }
    }
    Ok(images)
}

/// A picture as krilla wants to see it.
#[derive(Clone)]
struct Embedded(Arc<Pixels>);

impl Hash for Embedded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.width, self.0.height, &self.0.rgb).hash(state);
    }
}

impl CustomImage for Embedded {
    fn color_channel(&self) -> &[u8] {
        &self.0.rgb
    }

    fn alpha_channel(&self) -> Option<&[u8]> {
        None
    }

    fn bits_per_component(&self) -> BitsPerComponent {
        BitsPerComponent::Eight
    }

    fn size(&self) -> (u32, u32) {
        (self.0.width, self.0.height)
    }

    fn icc_profile(&self) -> Option<&[u8]> {
        None
    }

    fn color_space(&self) -> ImageColorspace {
        ImageColorspace::Rgb
    }
}

fn metadata(drawing: &Drawing) -> Metadata {
    Metadata::new()
        .title(drawing.title.clone())
        .description(drawing.place.clone())
        .keywords(vec![format!("blake3:{}", drawing.digest)])
        .language(drawing.locale.tag().to_owned())
        .creator("Vouchsafe".to_owned())
        .producer("Vouchsafe".to_owned())
        .document_id(format!("{}#{}", drawing.place, drawing.digest))
        .creation_date(midnight(drawing.date))
}

/// The voucher's own date: a file that is drawn again on another day must have the same bytes.
fn midnight(date: Date) -> DateTime {
    DateTime::new(date.year().unsigned_abs())
        .month(date.month().unsigned_abs())
        .day(date.day().unsigned_abs())
        .hour(0)
        .minute(0)
        .second(0)
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

fn points(units: i32) -> f32 {
    units as f32 / UNITS_PER_POINT
}

fn paint(fonts: &Fonts, images: &Images, surface: &mut Surface, item: &Item) {
    match item {
        Item::Glyphs(run) => glyphs(fonts, surface, run),
        Item::Fill { rectangles, colour } => {
            let mut path = PathBuilder::new();
            for shape in rectangles {
                let (left, top) = (points(shape.x), points(shape.y));
                let (right, bottom) = (points(shape.right()), points(shape.bottom()));
                if let Some(rectangle) = Rect::from_ltrb(left, top, right, bottom) {
                    path.push_rect(rectangle);
                }
            }
            if let Some(path) = path.finish() {
                surface.set_stroke(None);
                surface.set_fill(Some(fill(*colour)));
                surface.draw_path(&path);
            }
        }
        Item::Picture { rectangle, pixels } => {
            let size = Size::from_wh(points(rectangle.width), points(rectangle.height));
            if let (Some(image), Some(size)) = (images.get(&Arc::as_ptr(pixels)), size) {
                let place = Transform::from_translate(points(rectangle.x), points(rectangle.y));
                surface.push_transform(&place);
                surface.draw_image(image.clone(), size);
                surface.pop();
            }
        }
        Item::Stroke {
            from,
            to,
            weight,
            colour,
        } => {
            let mut path = PathBuilder::new();
            path.move_to(points(from.x), points(from.y));
            path.line_to(points(to.x), points(to.y));
            if let Some(path) = path.finish() {
                surface.set_fill(None);
                surface.set_stroke(Some(Stroke {
                    paint: paint_of(*colour).into(),
                    width: points(*weight),
                    ..Stroke::default()
                }));
                surface.draw_path(&path);
            }
        }
    }
}

fn paint_of(colour: Colour) -> rgb::Color {
    rgb::Color::new(colour.red, colour.green, colour.blue)
}

fn fill(colour: Colour) -> Fill {
    Fill {
        paint: paint_of(colour).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::NonZero,
    }
}

fn glyphs(fonts: &Fonts, surface: &mut Surface, run: &GlyphRun) {
    let Some(first) = run.glyphs.first() else {
        return;
    };
    let mut text = String::with_capacity(run.glyphs.len() * 3);
    let mut placed = Vec::with_capacity(run.glyphs.len());
    for (index, glyph) in run.glyphs.iter().enumerate() {
        let start = text.len();
        text.push(glyph.character);
        let next = run
            .glyphs
            .get(index + 1)
            .map_or(run.size, |next| next.x - glyph.x);
        let advance = next as f32 / run.size as f32;
        let id = GlyphId::new(u32::from(glyph.id));
        placed.push(KrillaGlyph::new(
            id,
            advance,
            0.0,
            0.0,
            0.0,
            start..text.len(),
            None,
        ));
    }
    surface.set_stroke(None);
    surface.set_fill(Some(fill(run.colour)));
    let start = Point::from_xy(points(first.x), points(run.baseline));
    let font = fonts.font(run.typeface).clone();
    surface.draw_glyphs(start, &placed, font, &text, points(run.size), false);
}
