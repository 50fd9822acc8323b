//! Which lines of a voucher stand on which page.

use std::ops::Range;

use super::RenderError;

/// Most pages of a document; a thousand lines on the built-in forms need 143.
const PAGES_MAX: usize = 300;

/// The lines of each page. The first row of every page but the first brings the totals forward.
pub(super) fn pages(lines: usize, rows: usize) -> Result<Vec<Range<usize>>, RenderError> {
    let mut pages = Vec::new();
    let (mut start, mut room) = (0, rows);
    loop {
        let end = lines.min(start + room);
        pages.push(start..end);
        (start, room) = (end, rows.saturating_sub(1).max(1));
        if start >= lines {
            break;
        }
    }
    if pages.len() > PAGES_MAX {
        return Err(RenderError::TooManyPages {
            pages: pages.len(),
            limit: PAGES_MAX,
        });
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_page_while_the_lines_fit() {
        assert_eq!(pages(1, 8).unwrap().len(), 1);
        assert_eq!(pages(8, 8).unwrap().len(), 1);
        assert_eq!(pages(9, 8).unwrap(), [0..8, 8..9]);
        assert_eq!(pages(16, 8).unwrap(), [0..8, 8..15, 15..16]);
        assert!(matches!(
            pages(1_000, 2),
            Err(RenderError::TooManyPages { pages: 999, .. })
        ));
    }

    proptest! {
        #[test]
        fn every_line_is_on_exactly_one_page(lines in 1usize..400, rows in 4usize..60) {
            let pages = pages(lines, rows).unwrap();
            let joined: Vec<usize> = pages.iter().cloned().flatten().collect();
            prop_assert_eq!(joined, (0..lines).collect::<Vec<_>>());
            prop_assert!(pages.iter().all(|page| page.len() <= rows && !page.is_empty()));
        }
    }
}
