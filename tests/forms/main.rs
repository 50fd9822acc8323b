//! The standard forms, from the outside: golden digests and pictures, and what tools that are not ours say of
//! the PDFs. `make golden` renews the first and makes a page that shows old, new and difference.

mod golden;
mod limits;
mod pdf;
mod sample;
mod second_rasteriser;
