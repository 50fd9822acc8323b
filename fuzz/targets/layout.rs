//! Any bytes are voucher data or an error; every voucher is laid out on every form, or has too many pages.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vouchsafe::render::{Item, Mark, RenderError, Renderer};
use vouchsafe::voucher::Voucher;
use vouchsafe::voucher::template::Template;

static RENDERER: LazyLock<Renderer> = LazyLock::new(Renderer::new);
static FORMS: LazyLock<Vec<Template>> = LazyLock::new(|| {
    let form =
        |name| Template::from_toml(Template::builtin(name).expect("a form")).expect("a template");
    ["payment", "receivable", "general", "journal"]
        .map(form)
        .into()
});

fuzz_target!(|data: &[u8]| {
    let Ok(voucher) = Voucher::from_json(data) else {
        return;
    };
    for form in FORMS.iter() {
        let mark = Mark {
            place: format!("/{}/{}", voucher.company, voucher.number),
            digest: "0".repeat(64),
        };
        match RENDERER.draw(form, &voucher, &mark) {
            Ok(drawing) => {
                for item in drawing.pages().iter().flatten() {
                    if let Item::Glyphs(run) = item {
                        assert!(run.glyphs.iter().all(|glyph| glyph.id != 0));
                    }
                }
                assert!(RENDERER.pdf(&drawing, data).is_ok());
            }
            Err(error) => assert!(matches!(error, RenderError::TooManyPages { .. }), "{error}"),
        }
    }
});
