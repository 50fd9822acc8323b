//! The table of a voucher's lines: its rules, headings, rows and totals on one page.

mod rules;

use std::ops::Range;

use crate::voucher::template::{
    Align, Column, ColumnValue, Cross, Face, Fit, Flow, Locale, Rectangle, Table,
};
use crate::voucher::{Amount, Line, Voucher};

use super::fit::Style;
use super::grid::Grid;
use super::paint::Canvas;
use super::values::total_words;
use super::warning::Shortfall;

/// Space between a cell's side rules and its text, in units: 1 mm.
const MARGIN: i32 = 283;
/// Space above and below a cell's text, in units.
const MARGIN_VERTICAL: i32 = 60;
/// Width of the label in the row of totals, in multiples of its size of type.
const TOTAL_LABEL_EMS: i32 = 5;

/// The name of the claim that a row has no line.
const NO_LINE: &str = "lines";

/// What stands for an amount that its cell has no room for.
const TOO_WIDE: &str = "###";

/// The part of the table that stands on one page.
pub(super) struct TablePage<'a> {
    pub(super) table: &'a Table,
    pub(super) locale: Locale,
    pub(super) voucher: &'a Voucher,
    /// The lines on this page.
    pub(super) lines: Range<usize>,
    pub(super) last: bool,
}

impl<'a> TablePage<'a> {
    fn brings_forward(&self) -> bool {
        self.lines.start > 0
    }

    /// The columns with their left edges.
    fn columns(&self) -> impl Iterator<Item = (i32, &'a Column)> {
        let mut x = self.table.at.x;
        self.table.columns.iter().map(move |column| {
            let left = x;
            x += column.get_ref().width.0;
            (left, column.get_ref())
        })
    }

    fn row_top(&self, row: usize) -> i32 {
        let table = self.table;
        table.at.y + table.heading_height.0 + table.row_height.0 * row as i32
    }

    fn total_top(&self) -> i32 {
        self.row_top(self.table.rows as usize)
    }

    /// The line that halves the heading, below titles and above units.
    fn heading_middle(&self) -> i32 {
        self.table.at.y + self.table.heading_height.0 / 2
    }

    /// Left edge of the first amount, where the cell of the total's label ends.
    fn amounts_left(&self) -> i32 {
        self.columns()
            .find(|(_, column)| column.value.is_amount())
            .map_or(self.table.at.x + self.table.width(), |(x, _)| x)
    }

    /// Headings, lines and totals.
    pub(super) fn texts(&self, canvas: &mut Canvas) {
        self.headings(canvas);
        let mut row = 0;
        if self.brings_forward() {
            let name = "brought_forward";
            let summary = |(_, column): &(i32, &Column)| column.value == ColumnValue::Summary;
            let wide = self.columns().find(summary).or(self.columns().next());
            if let Some((x, column)) = wide {
                let cell = self
                    .cell(x, column.width.0, 0)
                    .inset(MARGIN, MARGIN_VERTICAL);
                let style = self.style(cell, Align::Left, Fit::Shrink);
                canvas.label(&self.table.brought_forward, style, canvas.inks.value);
            }
            self.sums(
                canvas,
                name,
                self.lines.start,
                self.row_top(0),
                self.table.row_height.0,
            );
            row = 1;
        }
        for index in self.lines.clone() {
            if let Some(line) = self.voucher.lines.get(index) {
                self.line(canvas, index, line, row);
            }
            row += 1;
        }
        if self.last && self.table.cross == Cross::Stroke && row < self.table.rows as usize {
            self.cross(canvas, row);
        }
        if self.last {
            self.unused_rows(canvas, row);
        }
        self.totals(canvas);
    }

    fn headings(&self, canvas: &mut Canvas) {
        let table = self.table;
        let (top, middle, bottom) = (table.at.y, self.heading_middle(), self.row_top(0));
        let mut drawn_group: Option<&str> = None;
        for (x, column) in self.columns() {
            let width = column.width.0;
            let upper = Rectangle {
                x,
                y: top,
                width,
                height: middle - top,
            };
            let lower = Rectangle {
                x,
                y: middle,
                width,
                height: bottom - middle,
            };
            let whole = Rectangle {
                x,
                y: top,
                width,
                height: bottom - top,
            };
            let group = column.group.as_deref();
            if let Some(group) = group.filter(|group| drawn_group != Some(*group)) {
                let group_width: i32 = self
                    .columns()
                    .skip_while(|(left, _)| *left < x)
                    .take_while(|(_, other)| other.group.as_deref() == Some(group))
                    .map(|(_, other)| other.width.0)
                    .sum();
                self.heading(
                    canvas,
                    group,
                    Rectangle {
                        width: group_width,
                        ..upper
                    },
                );
            }
            drawn_group = group;
            match grid(x, column) {
                Some(grid) => {
                    self.heading(canvas, &column.title, upper);
                    let size = (table.heading_size * 7 / 10).min(grid.width / grid.digits as i32);
                    let style = Style {
                        size,
                        ..self.style(lower, Align::Left, Fit::Shrink)
                    };
                    canvas.spaced(&grid.units(), style, canvas.inks.form);
                }
                None if group.is_some() => self.heading(canvas, &column.title, lower),
                None => self.heading(canvas, &column.title, whole),
            }
        }
    }

    fn heading(&self, canvas: &mut Canvas, title: &str, rectangle: Rectangle) {
        let style = Style {
            size: self.table.heading_size,
            ..self.style(rectangle.inset(60, 0), Align::Centre, Fit::Shrink)
        };
        canvas.label(title, style, canvas.inks.form);
    }

    fn line(&self, canvas: &mut Canvas, index: usize, line: &Line, row: usize) {
        for (x, column) in self.columns() {
            let cell = self.cell(x, column.width.0, row);
            let name = format!("lines[{index}].{}", column.value.name());
            let text = match column.value {
                ColumnValue::Debit => {
                    self.amount(canvas, &name, (x, column), cell, line.debit(), None);
                    continue;
                }
                ColumnValue::Credit => {
                    self.amount(canvas, &name, (x, column), cell, line.credit(), None);
                    continue;
                }
                ColumnValue::Blank => continue,
                ColumnValue::Position => (index + 1).to_string(),
                ColumnValue::Summary => line.summary.clone(),
                ColumnValue::Account => line.account.clone(),
                ColumnValue::Subaccount => line.subaccount.clone().unwrap_or_default(),
            };
            let style = self.style(
                cell.inset(MARGIN, MARGIN_VERTICAL),
                column.align,
                column.fit,
            );
            canvas.value(&name, &text, style, canvas.inks.value);
        }
    }

    /// Rows without a line are a claim as well: that there is no further line.
    fn unused_rows(&self, canvas: &mut Canvas, first: usize) {
        for row in first..self.table.rows as usize {
            for (x, column) in self.columns() {
                let for_words = !matches!(column.value, ColumnValue::Debit | ColumnValue::Credit);
                if column.value != ColumnValue::Blank {
                    let cell = self.cell(x, column.width.0, row);
                    canvas.empty_value(NO_LINE, cell, for_words);
                }
            }
        }
    }

    /// An amount in its cell; no amount leaves the cell empty, which is a claim as well.
    fn amount(
        &self,
        canvas: &mut Canvas,
        name: &str,
        (x, column): (i32, &Column),
        cell: Rectangle,
        amount: Option<Amount>,
        sign: Option<char>,
    ) {
        let negative = amount.is_some_and(Amount::is_negative);
        let colour = if negative {
            canvas.inks.negative
        } else {
            canvas.inks.value
        };
        let figures = amount.map(Amount::grouped).unwrap_or_default();
        if let (Some(grid), Some(amount)) = (grid(x, column), amount) {
            let size = self.table.size.min(grid.width / grid.digits as i32 * 5 / 4);
            let shape = grid.cell(cell.y, cell.height);
            let style = Style {
                size,
                ..self.style(shape, Align::Left, Fit::Shrink)
            };
            if let Some(digits) = grid.place(amount, sign) {
                let text: String = digits.iter().map(|digit| digit.0).collect();
                canvas.spaced_value(name, &text, &digits, style, colour);
                return;
            }
            canvas.warn(name, Shortfall::BeyondGrid);
        }
        let style = self.style(
            cell.inset(MARGIN, MARGIN_VERTICAL),
            Align::Right,
            Fit::Shrink,
        );
        if canvas.fits(&figures, style) {
            canvas.value(name, &figures, style, colour);
            return;
        }
        // A part of an amount would be another amount.
        canvas.warn(name, Shortfall::TooWide);
        canvas.value(name, TOO_WIDE, style, colour);
    }

    /// The sums of the lines before `end`, named `name.debit` and `name.credit`.
    fn sums(&self, canvas: &mut Canvas, name: &str, end: usize, y: i32, height: i32) {
        // Parsing summed the same lines in the same order without overflow.
        let sum = |side: fn(&Line) -> Option<Amount>| {
            let amounts = self.voucher.lines.iter().take(end).filter_map(side);
            amounts.fold(Amount::ZERO, |sum, amount| {
                sum.checked_add(amount).unwrap_or(sum)
            })
        };
        let sign = (self.voucher.currency == "CNY").then_some('¥');
        for (x, column) in self.columns() {
            let total = match column.value {
                ColumnValue::Debit => sum(Line::debit),
                ColumnValue::Credit => sum(Line::credit),
                _ => continue,
            };
            let cell = Rectangle {
                x,
                y,
                width: column.width.0,
                height,
            };
            let name = format!("{name}.{}", column.value.name());
            self.amount(canvas, &name, (x, column), cell, Some(total), sign);
        }
    }

    fn totals(&self, canvas: &mut Canvas) {
        let table = self.table;
        let (y, height) = (self.total_top(), table.total_height.0);
        let cell = Rectangle {
            x: table.at.x,
            y,
            width: self.amounts_left() - table.at.x,
            height,
        }
        .inset(MARGIN, MARGIN_VERTICAL);
        let text = if self.last {
            &table.total_label
        } else {
            &table.carried_forward
        };
        let needed = canvas.label_width(text, Face::Serif, table.heading_size);
        let label_width = (table.heading_size * TOTAL_LABEL_EMS)
            .max(needed)
            .min(cell.width);
        let label_cell = Rectangle {
            width: label_width,
            ..cell
        };
        let style = Style {
            size: table.heading_size,
            ..self.style(label_cell, Align::Centre, Fit::Shrink)
        };
        canvas.label(text, style, canvas.inks.form);
        if self.last && table.total_words {
            let words_cell = Rectangle {
                x: cell.x + label_width,
                width: cell.width - label_width,
                ..cell
            };
            let style = self.style(words_cell, Align::Left, Fit::Wrap);
            let negative = self.voucher.total().is_negative();
            let colour = if negative {
                canvas.inks.negative
            } else {
                canvas.inks.value
            };
            canvas.value(
                "total.words",
                &total_words(self.voucher, self.locale),
                style,
                colour,
            );
        }
        let name = if self.last {
            "total"
        } else {
            "carried_forward"
        };
        self.sums(canvas, name, self.lines.end, y, height);
    }

    fn cell(&self, x: i32, width: i32, row: usize) -> Rectangle {
        Rectangle {
            x,
            y: self.row_top(row),
            width,
            height: self.table.row_height.0,
        }
    }

    fn style(&self, rectangle: Rectangle, align: Align, fit: Fit) -> Style {
        Style {
            rectangle,
            face: Face::Serif,
            size: self.table.size,
            align,
            fit,
            flow: Flow::Across,
        }
    }
}

fn grid(x: i32, column: &Column) -> Option<Grid> {
    column.digits.map(|digits| Grid {
        x,
        width: column.width.0,
        digits: digits as usize,
    })
}
