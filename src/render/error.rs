/// Why a voucher was not drawn. The sender can mend the first two; the rest are faults of the program
/// or of a damaged file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The lines need more pages on this form than a document may have.
    #[error("the voucher needs {pages} pages on this form, more than {limit}")]
    TooManyPages {
        /// Pages needed.
        pages: usize,
        /// Pages allowed.
        limit: usize,
    },
    /// The picture would be too large for its format or for memory.
    #[error(
        "a picture of {width} by {height} pixels is too large: draw it with fewer dots per inch"
    )]
    PictureTooLarge {
        /// Pixels across.
        width: u64,
        /// Pixels down.
        height: u64,
    },
    /// A resolution that is not drawn.
    #[error("{0} dots per inch: between 50 and 600 are drawn")]
    Resolution(u32),
    /// The PDF could not be written.
    #[error("cannot write the PDF: {0}")]
    Pdf(String),
    /// The PDF could not be read or its picture not written.
    #[error("cannot draw the picture: {0}")]
    Picture(String),
}
