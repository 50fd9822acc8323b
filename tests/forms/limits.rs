//! Hostile templates and data end in an error or a drawing, within named limits.

use serde_json::json;
use vouchsafe::render::{Drawing, Mark, RenderError, Renderer, Shortfall};
use vouchsafe::voucher::Voucher;
use vouchsafe::voucher::template::{ITEMS_MAX, TEMPLATE_MAX_BYTES, Template};

use crate::sample::Sample;

fn builtin() -> &'static str {
    Template::builtin("payment").unwrap()
}

/// The message that refuses a template.
fn refusal(text: &str) -> String {
    Template::from_toml(text).unwrap_err().to_string()
}

#[test]
fn deep_nesting_is_refused_and_does_not_overflow_the_stack() {
    for (open, close) in [("[", "]"), ("{a=", "}")] {
        for depth in [100, 10_000, 100_000] {
            let text = format!(
                "a = {}1{}\n{}",
                open.repeat(depth),
                close.repeat(depth),
                builtin()
            );
            assert!(!refusal(&text).is_empty());
        }
    }
    let keys = vec!["a"; 30_000].join(".");
    assert!(!refusal(&format!("{keys} = 1\n{}", builtin())).is_empty());
}

#[test]
fn size_and_number_of_items_are_limited() {
    let long = format!("{}\n#{}", builtin(), "x".repeat(TEMPLATE_MAX_BYTES));
    assert!(refusal(&long).contains("bytes"));
    let rule = "[[rules]]\nfrom = [1, 1]\nto = [2, 1]\nweight = 1\n";
    let many = format!("{}\n{}", builtin(), rule.repeat(ITEMS_MAX + 1));
    assert!(
        refusal(&many).contains("at most 400 items"),
        "{}",
        refusal(&many)
    );
    let picture = "[[pictures]]\nbox = [1, 1, 2, 2]\npng = \"\"\"\n@\"\"\"\n";
    let png = base64(&png(1, 1));
    let five = format!("{}\n{}", builtin(), picture.replace('@', &png).repeat(5));
    assert!(
        refusal(&five).contains("at most 4 pictures"),
        "{}",
        refusal(&five)
    );
}

fn base64(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let picture = image::GrayImage::from_pixel(width, height, image::Luma([255]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

#[test]
fn pictures_that_are_none_or_too_large_are_refused_with_their_place() {
    let with = |png: &str| {
        format!(
            "{}\n[[pictures]]\nbox = [1, 1, 20, 20]\npng = \"{png}\"\n",
            builtin()
        )
    };
    assert!(Template::from_toml(&with(&base64(&png(8, 8)))).is_ok());
    // A bomb: a few kilobytes that would be 16 million pixels.
    let bomb = png(4_000, 4_000);
    assert!(bomb.len() < TEMPLATE_MAX_BYTES / 2, "{}", bomb.len());
    let mut cut = png(64, 64);
    cut.truncate(cut.len() / 2);
    for (png, expected) in [
        ("no base64!".to_owned(), "not Base64"),
        (base64(b"GIF89a"), "not a PNG that can be read"),
        (base64(&cut), "not a PNG that can be read"),
        (
            base64(&bomb),
            "at most 1048576 pixels, this one is 4000 by 4000",
        ),
        (String::new(), "not a PNG that can be read"),
    ] {
        let error = Template::from_toml(&with(&png)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.key, "pictures[0].png", "{error}");
        assert!(error.line > 200 && error.column == 7, "{error}");
    }
}

/// A voucher with as much text as may be, on a form with as little room as may be.
#[test]
fn the_most_text_in_the_least_room_is_drawn_with_warnings() {
    let mut json: serde_json::Value =
        serde_json::from_slice(&Sample::new("payment", "usual").data).unwrap();
    let line = |side: &str| json!({"summary": "龘".repeat(200), "account": "W".repeat(400), "subaccount": "ｱ".repeat(100), side: "99999999999999.99"});
    json["lines"] = (0..50)
        .flat_map(|_| [line("debit"), line("credit")])
        .collect();
    let voucher = Voucher::from_json(json.to_string().as_bytes()).unwrap();
    let text = builtin().replace("rows = 8", "rows = 2");
    let template = Template::from_toml(&text).unwrap();
    let mark = Mark {
        place: format!("/{}", "很长".repeat(300)),
        digest: "0".repeat(64),
    };
    let renderer = Renderer::new();
    let drawing = renderer.draw(&template, &voucher, &mark).unwrap();
    assert_eq!(drawing.pages().len(), 99);
    let warned = |field: &str| drawing.warnings().iter().any(|it| it.field == field);
    for field in [
        "lines[0].summary",
        "lines[99].account",
        "lines[0].debit",
        "mark",
    ] {
        assert!(warned(field), "{field}: {:?}", drawing.warnings());
    }
    let pdf = renderer.pdf(&drawing, b"{}").unwrap();
    assert!(renderer.png(&pdf, drawing.png_resolution(200)).is_ok());
}

/// A voucher of a thousand lines.
fn thousand_lines() -> Voucher {
    let usual = Sample::new("payment", "usual").data;
    let mut json: serde_json::Value = serde_json::from_slice(&usual).unwrap();
    let line = |side: &str| json!({"summary": "x", "account": "y", side: "1"});
    json["lines"] = (0..500)
        .flat_map(|_| [line("debit"), line("credit")])
        .collect();
    Voucher::from_json(json.to_string().as_bytes()).unwrap()
}

fn draw(template: &str) -> Result<Drawing, RenderError> {
    let template = Template::from_toml(template).unwrap();
    let mark = Mark {
        place: "/a".to_owned(),
        digest: "0".repeat(64),
    };
    Renderer::new().draw(&template, &thousand_lines(), &mark)
}

#[test]
fn more_pages_than_a_document_may_have_are_refused() {
    let refused = draw(&builtin().replace("rows = 8", "rows = 4"));
    let too_many = RenderError::TooManyPages {
        pages: 333,
        limit: 300,
    };
    assert_eq!(refused, Err(too_many));
}

#[test]
fn a_thousand_lines_are_one_picture_that_browsers_draw() {
    let drawing = draw(Template::builtin("general").unwrap()).unwrap();
    assert_eq!(drawing.pages().len(), 200);
    assert_eq!(drawing.png_resolution(200), 200);
    assert_eq!(drawing.jpeg_resolution(200), 75);
    let renderer = Renderer::new();
    let pdf = renderer.pdf(&drawing, b"{}").unwrap();
    let png = renderer.png(&pdf, 100).unwrap();
    let side = |at: usize| u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]]);
    // Four columns of 65 pages of 827 by 500 pixels.
    assert_eq!((side(16), side(20)), (4 * 827, 65 * 500));
    let jpeg = renderer.jpeg(&pdf, drawing.jpeg_resolution(200)).unwrap();
    let jpeg = image::load_from_memory(&jpeg).unwrap();
    assert!(jpeg.width() * jpeg.height() <= 64_000_000 && jpeg.height() <= 32_767);
    let too_large = renderer.jpeg(&pdf, 200).unwrap_err();
    assert!(matches!(too_large, RenderError::PictureTooLarge { .. }));
}

/// As many different characters that no typeface has as voucher data can hold: one warning for each field, and no
/// work that grows with their square.
#[test]
fn a_field_of_missing_characters_is_one_warning() {
    let usual = Sample::new("payment", "usual").data;
    let mut json: serde_json::Value = serde_json::from_slice(&usual).unwrap();
    // CJK Extension B, of which the typefaces have 52.
    let text = |line: u32| -> String {
        let characters = (0..400).map(|index| 0x20000 + (line * 400 + index) % 42_000);
        characters.filter_map(char::from_u32).collect()
    };
    let side = |line: u32| ["debit", "credit"][line as usize % 2];
    json["lines"] = (0..600)
        .map(|line| json!({"summary": text(line), "account": "y", side(line): "1"}))
        .collect();
    let data = json.to_string();
    assert!(data.len() > 900_000);
    let voucher = Voucher::from_json(data.as_bytes()).unwrap();
    let template = Template::from_toml(builtin()).unwrap();
    let mark = Mark {
        place: "/a".to_owned(),
        digest: "0".repeat(64),
    };
    let drawing = Renderer::new().draw(&template, &voucher, &mark).unwrap();
    let missing = drawing
        .warnings()
        .iter()
        .filter(|warning| matches!(warning.shortfall, Shortfall::NoGlyph(_)));
    assert_eq!(missing.count(), 600);
}

/// A usual voucher with something changed.
fn changed(change: impl FnOnce(&mut serde_json::Value)) -> serde_json::Value {
    let usual = Sample::new("payment", "usual").data;
    let mut json = serde_json::from_slice(&usual).unwrap();
    change(&mut json);
    json
}

fn draw_on(template: &str, json: &serde_json::Value) -> Drawing {
    let voucher = Voucher::from_json(json.to_string().as_bytes()).unwrap();
    let template = Template::from_toml(template).unwrap();
    let mark = Mark {
        place: "/a".to_owned(),
        digest: "0".repeat(64),
    };
    Renderer::new().draw(&template, &voucher, &mark).unwrap()
}

fn warned(drawing: &Drawing, field: &str) -> bool {
    let warnings = drawing.warnings().iter();
    warnings
        .clone()
        .any(|it| it.field == field && it.shortfall == Shortfall::Shortened)
}

/// Four hundred thousand characters of accounts once took minutes for each page.
#[test]
fn a_thousand_long_accounts_are_shortened_and_not_worked_through() {
    let json = changed(|json| {
        let side = |line: usize| ["debit", "credit"][line % 2];
        let account = |line: usize| format!("{line:04}{}", "W".repeat(396));
        json["lines"] = (0..1_000)
            .map(|line| json!({"summary": "x", "account": account(line), side(line): "1"}))
            .collect();
    });
    for form in ["payment", "receipt"] {
        let drawing = draw_on(Template::builtin(form).unwrap(), &json);
        let accounts = |field: &vouchsafe::render::FieldBox| {
            field.name.starts_with("accounts.") && field.text.chars().count() < 3_000
        };
        assert!(drawing.fields().iter().any(accounts), "{form}");
        let shortened = ["accounts.credit", "accounts.debit"];
        assert!(
            shortened.iter().any(|field| warned(&drawing, field)),
            "{form}"
        );
    }
}

#[test]
fn a_megabyte_in_one_field_is_cut_with_a_warning_in_any_fit_and_direction() {
    let json = changed(|json| json["extra"] = json!({"k": "W".repeat(900_000)}));
    for keys in [
        "size = 9",
        "size = 72\nfit = \"ellipsis\"",
        "size = 9\nfit = \"wrap\"",
        "size = 9\nflow = \"down\"",
    ] {
        let field = format!("\n[[fields]]\nvalue = \"extra.k\"\nbox = [20, 20, 60, 20]\n{keys}\n");
        let drawing = draw_on(&(builtin().to_owned() + &field), &json);
        assert!(warned(&drawing, "extra.k"), "{keys}");
        for item in drawing.pages().iter().flatten() {
            if let vouchsafe::render::Item::Glyphs(run) = item {
                assert!(run.size >= 400, "{keys}: {}", run.size);
                let right = run.glyphs.iter().map(|glyph| glyph.x).max();
                assert!(right < Some(drawing.width().0), "{keys}");
            }
        }
    }
}

#[test]
fn pictures_are_counted_before_they_are_decoded() {
    let broken = "[[pictures]]\nbox = [1, 1, 2, 2]\npng = \"AAAA\"\n";
    let five = format!("{}\n{}", builtin(), broken.repeat(5));
    let errors = Template::read(&five).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].error.contains("at most 4 pictures"), "{errors:?}");
}

#[test]
fn what_xml_cannot_hold_is_in_no_title_and_no_voucher() {
    for text in ["A\u{FFFE}B", "A\u{FFFF}", "A\u{1FFFE}", "A\u{FDD0}"] {
        let title = builtin().replace("title = \"付款凭证\"", &format!("title = \"{text}\""));
        assert!(refusal(&title).contains("invisible"), "{text:?}");
        let json = changed(|json| json["number"] = json!(text));
        assert!(Voucher::from_json(json.to_string().as_bytes()).is_err());
        let json = changed(|json| json["preparer"] = json!(text));
        assert!(Voucher::from_json(json.to_string().as_bytes()).is_err());
    }
}

#[test]
fn any_number_of_rows_is_refused_or_drawn() {
    for rows in ["0", "61", "2000000", "4294967295"] {
        let text = builtin().replace("rows = 8", &format!("rows = {rows}"));
        assert!(refusal(&text).contains("between 2 and 60 rows"), "{rows}");
    }
}

#[test]
fn no_built_in_form_shortens_its_own_words_on_many_pages() {
    for form in Template::builtin_names() {
        let drawing = Sample::new(form, "many").draw(&Renderer::new());
        assert!(drawing.pages().len() > 3);
        assert_eq!(drawing.warnings(), [], "{form}");
    }
}

#[test]
fn letters_and_their_accents_are_one_also_in_labels() {
    let text = builtin().replace("核算单位：", "Socie\u{301}te\u{301}");
    let drawing = draw_on(&text, &changed(|_| {}));
    assert_eq!(drawing.warnings(), []);
}

/// A part of an amount would be another amount.
#[test]
fn an_amount_without_room_is_no_shorter_amount() {
    let json = changed(|json| {
        json["lines"] = json!([
            {"summary": "x", "account": "y", "debit": "123456789.00"},
            {"summary": "x", "account": "y", "credit": "123456789.00"}]);
    });
    let narrow = Template::builtin("general")
        .unwrap()
        .replace("width = 27.94", "width = 9");
    let drawing = draw_on(&narrow, &json);
    let amount = |name: &str| drawing.fields().iter().find(|it| it.name == name).unwrap();
    for name in ["lines[0].debit", "lines[1].credit", "total.debit"] {
        assert_eq!(amount(name).text, "###");
        let told = drawing.warnings().iter();
        assert!(
            told.clone()
                .any(|it| it.field == name && it.shortfall == Shortfall::TooWide)
        );
    }
}

#[test]
fn totals_have_room_for_their_label_and_frames_for_their_lines() {
    let general = Template::builtin("general").unwrap();
    let amount_first = general.replacen("value = \"summary\"", "value = \"debit\"", 1);
    assert!(refusal(&amount_first).contains("begin with another column"));
    let frame = |box_: &str| format!("{}\n[[frames]]\nbox = {box_}\nweight = 0.3\n", builtin());
    assert!(refusal(&frame("[0, 0, 239.8, 139.8]")).contains("beyond the page"));
    assert!(Template::from_toml(&frame("[0, 0, 239, 139]")).is_ok());
}
