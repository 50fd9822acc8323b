//! Vouchsafe: an archive of electronic accounting vouchers whose log anyone can verify.
//!
//! The rooms, from the ground up; imports only go down (`tests/architecture.rs` holds them to it).

pub mod voucher;

pub mod catalog;
pub mod config;
pub mod render;
pub mod store;

pub mod access;
pub mod matching;
pub mod watermark;

pub mod archive;

pub mod anchor;
pub mod api;
pub mod cli;
pub mod dav;
pub mod http;
pub mod pages;
