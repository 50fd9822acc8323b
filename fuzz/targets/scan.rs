//! Any bytes are a scan or an error, within the limits; every page of one is looked at for marks.
#![no_main]

use std::sync::Once;

use libfuzzer_sys::fuzz_target;
use vouchsafe::matching::{InProcess, SCAN_MAX_PIXELS, each_page, marked_places};

static QUIET: Once = Once::new();

fuzz_target!(|data: &[u8]| {
    // A decoder that panics is caught and its file refused; libFuzzer's hook would end the run before that.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let mut pages = 0;
    let _ = each_page(data, |index, picture| {
        assert_eq!(index, pages);
        assert_eq!(picture.pixels.len(), picture.width * picture.height);
        assert!(picture.pixels.len() as u64 <= SCAN_MAX_PIXELS);
        pages += 1;
        true
    });
    let _ = marked_places(&InProcess, data);
});
