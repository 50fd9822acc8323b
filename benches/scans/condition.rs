//! What happens to a print, by kind and by chance.

use super::random::Random;

/// What happens to a print on its way. Lengths in millimetres unless said otherwise.
#[derive(Debug, Clone)]
pub struct Condition {
    pub name: &'static str,
    pub dots_per_inch: u32,
    /// Degrees.
    pub rotation: f64,
    /// Quarter turns.
    pub turns: u8,
    /// How far each corner moves, as a part of the page.
    pub perspective: f64,
    /// Gaussian blur in pixels.
    pub blur: f64,
    /// Deviation of the noise, of 255.
    pub noise: f64,
    pub jpeg: u8,
    pub gamma: f64,
    /// Part of the light that is lost at the darkest edge.
    pub shade: f64,
    /// Depth of the paper's texture, of 255.
    pub texture: f64,
    /// Whether a fold crosses the page.
    pub fold: bool,
    /// Part of the back that shines through.
    pub bleed: f64,
    /// How many red seals lie over the print.
    pub seals: u8,
    /// How many strokes of a pen lie over it, besides the signatures.
    pub strokes: u8,
    /// Height of a wave in the paper.
    pub curl: f64,
    pub ink: Ink,
    /// Width of what is seen beside the page.
    pub margin: f64,
    /// How bright that is.
    pub around: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Colour,
    Grey,
    Bilevel,
}

impl Condition {
    pub fn clean() -> Condition {
        Condition {
            name: "clean",
            dots_per_inch: 300,
            rotation: 0.0,
            turns: 0,
            perspective: 0.0,
            blur: 0.5,
            noise: 2.0,
            jpeg: 90,
            gamma: 1.0,
            shade: 0.0,
            texture: 0.0,
            fold: false,
            bleed: 0.0,
            seals: 0,
            strokes: 0,
            curl: 0.0,
            ink: Ink::Colour,
            margin: 5.0,
            around: 250,
        }
    }

    pub const KINDS: [&str; 14] = [
        "clean",
        "rotated",
        "turned",
        "low-resolution",
        "fine",
        "grey",
        "bilevel",
        "seals",
        "pen",
        "dirty",
        "blurred",
        "jpeg",
        "folded",
        "photo",
    ];

    /// One of a kind, its numbers drawn by chance.
    pub fn draw(kind: &'static str, random: &mut Random) -> Condition {
        let clean = Condition {
            name: kind,
            rotation: random.between(-1.0, 1.0),
            blur: random.between(0.3, 0.7),
            noise: random.between(1.0, 4.0),
            jpeg: 75 + random.below(20) as u8,
            gamma: random.between(0.9, 1.1),
            texture: random.between(0.0, 3.0),
            margin: random.between(0.0, 12.0),
            dots_per_inch: random.pick(&[200, 300, 300]),
            ..Condition::clean()
        };
        match kind {
            "rotated" => Condition {
                rotation: random.between(-5.0, 5.0),
                ..clean
            },
            "turned" => Condition {
                turns: 1 + random.below(3) as u8,
                rotation: random.between(-3.0, 3.0),
                ..clean
            },
            "low-resolution" => Condition {
                dots_per_inch: random.pick(&[100, 120, 150]),
                ..clean
            },
            "fine" => Condition {
                dots_per_inch: random.pick(&[400, 600]),
                ..clean
            },
            "grey" => Condition {
                ink: Ink::Grey,
                seals: 1,
                ..clean
            },
            "bilevel" => Condition {
                ink: Ink::Bilevel,
                noise: 2.0,
                ..clean
            },
            "seals" => Condition {
                seals: 1 + random.below(3) as u8,
                ..clean
            },
            "pen" => Condition {
                strokes: 1 + random.below(3) as u8,
                seals: 1,
                ..clean
            },
            "dirty" => Condition {
                texture: random.between(6.0, 14.0),
                bleed: random.between(0.05, 0.15),
                shade: random.between(0.1, 0.3),
                noise: random.between(4.0, 9.0),
                ..clean
            },
            "blurred" => Condition {
                blur: random.between(0.8, 1.8),
                gamma: random.between(0.6, 1.6),
                ..clean
            },
            "jpeg" => Condition {
                jpeg: 30 + random.below(30) as u8,
                ..clean
            },
            "folded" => Condition {
                fold: true,
                curl: random.between(0.2, 0.8),
                ..clean
            },
            "photo" => Condition {
                perspective: random.between(0.01, 0.06),
                shade: random.between(0.2, 0.5),
                curl: random.between(0.0, 0.8),
                blur: random.between(0.6, 1.4),
                noise: random.between(3.0, 8.0),
                margin: random.between(10.0, 30.0),
                around: random.pick(&[40, 70, 110]),
                rotation: random.between(-5.0, 5.0),
                seals: random.below(2) as u8,
                dots_per_inch: random.pick(&[250, 300]),
                jpeg: 70 + random.below(25) as u8,
                ..clean
            },
            _ => clean,
        }
    }
}
