use serde::Deserialize;

/// How a form writes what has to be put into words: long dates, amounts in words, lists. The names are
/// BCP 47 language tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Locale {
    /// Chinese, mainland: 2024年3月5日, 壹万贰仟元整
    #[default]
    #[serde(rename = "zh-CN")]
    Chinese,
    /// English, day first: 5 March 2024
    #[serde(rename = "en-GB")]
    British,
    /// English, month first: March 5, 2024
    #[serde(rename = "en-US")]
    American,
}

impl Locale {
    /// The BCP 47 language tag, as in templates and documents.
    pub fn tag(self) -> &'static str {
        match self {
            Locale::Chinese => "zh-CN",
            Locale::British => "en-GB",
            Locale::American => "en-US",
        }
    }
}
