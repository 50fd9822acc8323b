//! The lines between the cells of the table.

use crate::voucher::template::{Column, Point, Rectangle};

use super::{TablePage, grid};
use crate::render::drawing::Item;
use crate::render::grid::{Boundary, Grid};
use crate::render::paint::Canvas;

impl TablePage<'_> {
    /// All rules of the table.
    pub(in crate::render) fn rules(&self, canvas: &mut Canvas) {
        let table = self.table;
        let (weight, heavy) = (table.rule_weight.0, table.rule_weight.0 * 2);
        let form = canvas.inks.form;
        let (left, top) = (table.at.x, table.at.y);
        let (right, bottom) = (left + table.width(), top + table.height());
        let across = |canvas: &mut Canvas, x: i32, end: i32, y: i32, weight: i32| {
            canvas.rule(Point { x, y }, Point { x: end, y }, weight, form);
        };
        across(canvas, left, right, self.row_top(0), heavy);
        for row in 1..table.rows as usize {
            across(canvas, left, right, self.row_top(row), weight);
        }
        across(canvas, left, right, self.total_top(), heavy);
        let mut previous: Option<&Column> = None;
        for (x, column) in self.columns() {
            let grouped = column.group.is_some();
            if grouped || column.digits.is_some() {
                across(canvas, x, x + column.width.0, self.heading_middle(), weight);
            }
            if let Some(previous) = previous {
                let same_group = grouped && previous.group == column.group;
                let from = if same_group {
                    self.heading_middle()
                } else {
                    top
                };
                let merged = x < self.amounts_left();
                let to = if merged { self.total_top() } else { bottom };
                let amount = column.value.is_amount() || previous.value.is_amount();
                let weight = if amount { heavy } else { weight };
                canvas.rule(Point { x, y: from }, Point { x, y: to }, weight, form);
            }
            if let Some(grid) = grid(x, column) {
                self.grid_rules(canvas, grid, bottom);
            }
            previous = Some(column);
        }
        let shape = Rectangle {
            x: left,
            y: top,
            width: table.width(),
            height: table.height(),
        };
        canvas.frame(shape, table.frame_weight.0, form);
    }

    fn grid_rules(&self, canvas: &mut Canvas, grid: Grid, bottom: i32) {
        let weight = self.table.rule_weight.0;
        for (x, boundary) in grid.boundaries() {
            let (weight, colour) = match boundary {
                Boundary::Plain => (weight, canvas.inks.form),
                Boundary::Group => (weight * 2, canvas.inks.form),
                Boundary::Point => (weight * 2, canvas.inks.accent),
            };
            let y = self.heading_middle();
            canvas.rule(Point { x, y }, Point { x, y: bottom }, weight, colour);
        }
    }

    /// A stroke through the amount cells that no line uses, from `row` down.
    pub(super) fn cross(&self, canvas: &mut Canvas, row: usize) {
        let amounts = || {
            self.columns()
                .filter(|(_, column)| column.value.is_amount())
        };
        let (Some((left, _)), Some((x, column))) = (amounts().next(), amounts().last()) else {
            return;
        };
        canvas.push(Item::Stroke {
            from: Point {
                x: x + column.width.0,
                y: self.row_top(row),
            },
            to: Point {
                x: left,
                y: self.total_top(),
            },
            weight: self.table.rule_weight.0,
            colour: canvas.inks.form,
        });
    }
}
