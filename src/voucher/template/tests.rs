use super::*;
use proptest::prelude::*;

fn payment() -> String {
    Template::builtin("payment").unwrap().to_owned()
}

/// The error of the payment form with one part of its text replaced.
fn fault(from: &str, to: &str) -> TemplateError {
    let text = payment();
    assert!(text.contains(from), "{from}");
    Template::from_toml(&text.replacen(from, to, 1)).unwrap_err()
}

#[test]
fn the_built_in_templates_are_templates() {
    for (name, text) in BUILTIN {
        let template = Template::from_toml(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(template.page.width.0 % 72 == 0 && template.page.height.0 % 72 == 0);
        assert!(template.mark.is_some() && !template.fields.is_empty());
    }
    assert_eq!(Template::builtin("unheard-of"), None);
}

#[test]
fn errors_name_the_key_and_its_line_and_column() {
    let unknown = fault("title = \"付款凭证\"", "title = \"付款凭证\"\ncolour = 3");
    assert_eq!((unknown.line, unknown.column), (4, 1), "{unknown}");
    assert!(
        unknown.error.contains("unknown field `colour`"),
        "{unknown}"
    );

    let value = fault("value = \"company\"", "value = \"companny\"");
    assert_eq!(value.key, "fields[0].value", "{value}");
    assert!(value.column == 9 && value.error.contains("no value is called \"companny\""));

    let syntax = fault("format = 1", "format = ");
    assert_eq!((syntax.line, syntax.column), (2, 10), "{syntax}");

    let type_size = fault("size = 22", "size = 0.5");
    assert_eq!(type_size.key, "labels[0].size", "{type_size}");

    let ink = fault("\"#147\"", "\"blue\"");
    assert_eq!((ink.key.as_str(), ink.column), ("inks.form", 8), "{ink}");
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (from, to, key) in [
        ("format = 1", "format = 2", "format"),
        ("width = 240", "width = 30", "page"),
        (
            "box = [90, 6, 60, 10]",
            "box = [190, 6, 60, 10]",
            "labels[0].box",
        ),
        ("to = [155.194, 17.018]", "to = [155.194, 18]", "rules[0]"),
        ("rows = 8", "rows = 1", "table.rows"),
        ("rows = 8", "rows = 20", "table"),
        ("digits = 11", "digits = 40", "table.columns[3].digits"),
        ("fit = \"wrap\"", "digits = 11", "table.columns[0].digits"),
        ("text = \"年\"", "text = \"年\\n\"", "labels[4].text"),
    ] {
        let error = fault(from, to);
        assert_eq!(error.key, key, "{from} -> {to}: {error}");
        assert!(error.line > 1, "{error}");
    }
}

#[test]
fn lengths_are_finite_and_the_text_bounded() {
    for number in ["nan", "inf", "-1", "1e300"] {
        let error = fault(
            "box = [90, 6, 60, 10]",
            &format!("box = [90, 6, 60, {number}]"),
        );
        assert!(error.key.starts_with("labels[0].box"), "{error}");
    }
    let long = payment() + &"#".repeat(TEMPLATE_MAX_BYTES);
    assert!(
        Template::from_toml(&long)
            .unwrap_err()
            .error
            .contains("at most")
    );
    let label = "[[labels]]\ntext = \"x\"\nbox = [0, 0, 1, 1]\nsize = 5\n";
    let many = payment().replacen("# Heading", &label.repeat(ITEMS_MAX), 1);
    assert!(
        Template::from_toml(&many)
            .unwrap_err()
            .error
            .contains("items")
    );
}

proptest! {
    #[test]
    fn hostile_texts_never_panic(text in "\\PC{0,200}") {
        prop_assert!(Template::from_toml(&text).is_err());
    }

    #[test]
    fn a_damaged_template_is_refused_with_a_place_or_still_a_template(at in any::<prop::sample::Index>(),
                                                                      replacement in "\\PC{0,3}") {
        let text = payment();
        let characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len());
        let damaged: String = characters[..at].iter().chain(&replacement.chars().collect::<Vec<_>>())
            .chain(&characters[at + 1..]).collect();
        if let Err(error) = Template::from_toml(&damaged) {
            prop_assert!(error.line >= 1 && error.line <= damaged.lines().count() + 1);
        }
    }
}
