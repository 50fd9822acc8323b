//! Matching from the outside: true and forged vouchers on degraded paper, and files that mean harm.

#[path = "../../benches/scans/mod.rs"]
mod scans;

mod added;
mod drawn;
mod files;
mod ink;
mod misread;
mod other_type;
mod overwritten;
mod pictures;
mod reports;
mod verdicts;
